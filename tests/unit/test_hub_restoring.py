"""A hub put back from a backup: all of it, into a new home, and never in silence about who may speak."""

import asyncio
import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.__main__ import main
from hub.backup import drills
from hub.backup.backing_up import back_up
from hub.backup.backup_settings import BackupTarget
from hub.backup.backup_targets import chosen, prepare
from hub.backup.backups import BackupAlarm, backup_findings, read_ledger
from hub.backup.drills import drill
from hub.backup.restoring import put_back
from hub.backup.snapshots import inventory, reading
from hub.commands.restore import numbers_in
from hub.home import HubHome, home_at
from hub.keeping.course import Course, Stage, Stopped
from protocol.errors import BadFile, BadSetting, BadValue, BrokenStore
from tests.backups import COUNTY, DAY_MS, NOW_MS, county_home, keyring_of, node_key, settings_of, target_of, tell_more


@pytest.fixture
def home(tmp_path: Path) -> HubHome:
    made = county_home(tmp_path)
    prepare(target_of(made), COUNTY, NOW_MS)
    return made


@pytest.fixture
def backup(home: HubHome) -> Path:
    """Yesterday's backup; the hub has gone on since."""
    outcome = back_up(home, settings_of(home), target_of(home), lambda: NOW_MS - DAY_MS, Course())
    asyncio.run(tell_more(home, 20, 25))
    return Path(target_of(home).path) / outcome.backup


@pytest.fixture
def new(tmp_path: Path) -> HubHome:
    return home_at(tmp_path / "new")


Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command on a home; returns its exit code and what it printed."""
    monkeypatch.setenv("DANGLIAN_LANG", "en")
    monkeypatch.setenv("DANGLIAN_LOG", "error")

    def run(home: HubHome, *arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main([*arguments, "--home", str(home.root)])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def typed(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """Have a person type one line."""
    monkeypatch.setattr("sys.stdin", io.StringIO(line))


def held(home: HubHome) -> dict[str, int]:
    with reading(home.database, Course()) as connection:
        return {one.site: one.records for one in inventory(connection).sites}


def test_the_restored_home_has_all_that_the_old_one_had_at_the_backup(
    home: HubHome, backup: Path, new: HubHome
) -> None:
    restored = put_back(backup, new, NOW_MS, Course())

    assert (restored.records, restored.sites, restored.made_at_ms) == (3, 2, NOW_MS - DAY_MS)
    assert held(new) == {"330523108204": 2, "330523108205": 1}
    assert held(home) == {"330523108204": 8, "330523108205": 1}
    for path in ("hub_seed", "county_key", "authority", "authority_key", "server", "server_key", "settings"):
        assert getattr(new, path).read_bytes() == getattr(home, path).read_bytes()
    assert {path.stat().st_mode & 0o077 for path in (new.root, *new.root.rglob("*"))} == {0}
    assert [step.name for step in restored.steps] == ["check", "put_back", "settle"]


def test_codes_that_nobody_had_used_are_void(backup: Path, new: HubHome, command: Command) -> None:
    """They may have been used or voided since: a one-time code must not be good twice."""
    restored = put_back(backup, new, NOW_MS, Course())

    assert restored.codes_void == 1
    assert json.loads(command(new, "nodes", "--json")[1])["open_codes"] == []


def test_a_folder_of_backups_stands_for_its_newest(home: HubHome, backup: Path) -> None:
    newer = back_up(home, settings_of(home), target_of(home), lambda: NOW_MS, Course())

    assert chosen(backup.parent) == backup.parent / newer.backup
    assert chosen(backup) == backup
    with pytest.raises(BadFile, match="is no backup"):
        chosen(home.root)


@pytest.mark.parametrize("name", ["hub.toml", "hub.db", "notes.txt"])
def test_nothing_is_ever_overwritten(backup: Path, new: HubHome, name: str) -> None:
    new.root.mkdir()
    (new.root / name).write_bytes(b"mine")

    with pytest.raises(BadSetting, match="not empty"):
        put_back(backup, new, NOW_MS, Course())

    assert [(path.name, path.read_bytes()) for path in new.root.iterdir()] == [(name, b"mine")]


def test_an_empty_folder_is_new_enough(backup: Path, new: HubHome) -> None:
    new.root.mkdir()

    assert put_back(backup, new, NOW_MS, Course()).records == 3


def test_a_damaged_backup_is_not_put_back(backup: Path, new: HubHome) -> None:
    content = bytearray((backup / "data" / "hub.db").read_bytes())
    content[len(content) // 2] ^= 1
    (backup / "data" / "hub.db").write_bytes(content)

    with pytest.raises(BrokenStore, match=r"hub\.db does not have its digest"):
        put_back(backup, new, NOW_MS, Course())

    assert sorted(path.name for path in new.root.parent.iterdir()) == ["hub", "nas"]


def test_a_backup_of_a_newer_schema_is_not_put_back(home: HubHome, new: HubHome) -> None:
    """The old program would refuse it at its first start, when the old home may be gone already."""
    with sqlite3.connect(home.database) as connection:
        connection.execute("INSERT INTO migration (package, number, name) VALUES ('hub', 999, 'of-tomorrow')")
    connection.close()
    outcome = back_up(home, settings_of(home), target_of(home), lambda: NOW_MS, Course())
    backup = Path(target_of(home).path) / outcome.backup

    with pytest.raises(BrokenStore, match="hub/999-of-tomorrow"):
        put_back(backup, new, NOW_MS, Course())
    report = drill(home, backup, lambda: NOW_MS, Course())

    assert not report.succeeded
    assert not new.root.exists()


def test_a_restore_that_is_stopped_leaves_nothing(backup: Path, new: HubHome) -> None:
    course = Course(lambda at, _done, _total: course.stop() if at is Stage.PUT_BACK else None)

    with pytest.raises(Stopped):
        put_back(backup, new, NOW_MS, course)

    assert sorted(path.name for path in new.root.parent.iterdir()) == ["hub", "nas"]


# Who may speak


def alarms(home: HubHome) -> set[BackupAlarm]:
    found = backup_findings(settings_of(home).backup, read_ledger(home.backups), NOW_MS)
    return {one.alarm for one in found}


def test_the_command_says_what_a_backup_cannot_know(backup: Path, new: HubHome, command: Command) -> None:
    code, printed = command(new, "restore", str(backup))

    assert code == 0
    assert "nodes revoked after" in printed
    assert "(2 nodes are now)" in printed
    assert "1 unused code is void" in printed
    assert f"danglian-hub restore --review --home {new.root}" in printed
    assert BackupAlarm.NOT_REVIEWED in alarms(new)


def test_a_review_revokes_what_a_person_names_and_ends_the_alarm(
    home: HubHome, backup: Path, new: HubHome, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(home, "revoke", "330523108205", "--because", "stolen")
    command(new, "restore", str(backup))
    assert node_key(1) in asyncio.run(keyring_of(new)), "the backup does not know that it was stolen"

    typed(monkeypatch, "2\n")
    code, printed = command(new, "restore", "--review")

    assert code == 0
    assert "330523108205" in printed
    assert asyncio.run(keyring_of(new)) == [node_key(0)]
    assert BackupAlarm.NOT_REVIEWED not in alarms(new)


def test_a_review_without_an_answer_reviews_nothing(
    backup: Path, new: HubHome, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(new, "restore", str(backup))

    typed(monkeypatch, "")
    code, printed = command(new, "restore", "--review")

    assert code == 2
    assert "nothing is reviewed" in printed
    assert BackupAlarm.NOT_REVIEWED in alarms(new)


def test_an_empty_line_keeps_them_all(
    backup: Path, new: HubHome, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "\n")
    code, _ = command(new, "restore", str(backup), "--review")

    assert code == 0
    assert asyncio.run(keyring_of(new)) == [node_key(0), node_key(1)]
    assert BackupAlarm.NOT_REVIEWED not in alarms(new)


def test_numbers_are_read_as_people_write_them() -> None:
    assert numbers_in("3 17-19，2\n", 20) == [2, 3, 17, 18, 19]
    assert numbers_in("\n", 20) == []


@pytest.mark.parametrize("line", ["0", "21", "5-3", "x", "3-", "-3", "３", "1-2-3"])
def test_a_number_that_is_not_on_the_list_changes_nothing(line: str) -> None:
    with pytest.raises(BadValue):
        numbers_in(line, 20)


# Drills


def test_a_drill_proves_the_backup_times_every_step_and_is_remembered(
    home: HubHome, backup: Path, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    report = drill(home, backup, lambda: NOW_MS, Course(), scratch)

    assert (report.succeeded, report.records, report.sites, report.probes_found) == (True, 3, 2, 3)
    assert [step.name for step in report.steps] == ["check", "put_back", "keys", "compare", "search"]
    assert report.took_s == pytest.approx(sum(step.took_s for step in report.steps))
    assert list(scratch.iterdir()) == [], "what was put back is thrown away"
    assert sorted(path.suffix for path in home.drills.iterdir()) == [".json", ".txt"]
    (filed,) = home.drills.glob("*.txt")
    assert "成功 · succeeded" in filed.read_text(encoding="utf-8")
    assert BackupAlarm.DRILL_OLD not in alarms(home)


def test_a_drill_on_a_damaged_backup_fails_with_the_reason(home: HubHome, backup: Path) -> None:
    (backup / "data" / "tls" / "ca.key").unlink()

    report = drill(home, backup, lambda: NOW_MS, Course())

    assert not report.succeeded
    assert "ca.key is missing" in report.faults[0].en
    assert {BackupAlarm.DRILL_FAILED, BackupAlarm.DRILL_OLD} <= alarms(home)
    assert [path.name for path in home.root.glob(".drill-*")] == []


def test_the_command_drills_the_newest_backup_of_all_targets(home: HubHome, backup: Path, command: Command) -> None:
    code, printed = command(home, "restore", "--drill", "--json")
    report: Any = json.loads(printed)

    assert (code, report["succeeded"], report["backup"]) == (0, True, backup.name)


def test_there_is_nothing_to_drill_without_a_backup(home: HubHome) -> None:
    with pytest.raises(BadFile, match="no target that is there"):
        drills.newest(settings_of(home).backup.target, COUNTY)


def test_old_reports_go(home: HubHome, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drills, "REPORTS_MAX", 2)
    for day in range(4):
        drill(home, backup, lambda at_ms=NOW_MS + day * DAY_MS: at_ms, Course())  # type: ignore[misc]

    assert sorted(path.name for path in home.drills.glob("*.json")) == [
        "drill-20260307T090000Z.json",
        "drill-20260308T090000Z.json",
    ]
    assert len(list(home.drills.iterdir())) == 4


def test_a_restore_wants_a_backup(new: HubHome, command: Command) -> None:
    code, printed = command(new, "restore")

    assert code == 2
    assert "no backup is named" in printed


# The command of backups


def test_the_command_backs_up_lists_and_verifies(tmp_path: Path, command: Command) -> None:
    home = county_home(tmp_path, [("nas", "online"), ("usb", "offline")])
    assert command(home, "backup", "prepare", "--to", "nas")[0] == 0

    code, printed = command(home, "backup", "--json")
    (nas, usb) = json.loads(printed)["targets"]
    assert (code, nas["records"], nas["fault"], usb["absent"]) == (0, 3, None, True)

    listing = json.loads(command(home, "backup", "list", "--json")[1])
    assert [(one["name"], one["presence"], len(one["backups"])) for one in listing["targets"]] == [
        ("nas", "present", 1),
        ("usb", "absent", 0),
    ]
    assert listing["targets"][0]["last_verified"]["digest"] == nas["digest"]
    assert {one["alarm"] for one in listing["findings"]} == {"never", "drill_old", "rule"}

    code, printed = command(home, "backup", "verify", "--all", "--deep")
    assert (code, printed.strip()) == (0, f"nas: {nas['backup']} sound")
    assert "nas\tonline\tthere\t1\t" in command(home, "backup", "list")[1]


def test_an_online_target_that_is_away_is_a_failure_that_does_not_keep_the_others(
    tmp_path: Path, command: Command
) -> None:
    home = county_home(tmp_path, [("nas", "online"), ("second", "online")])
    command(home, "backup", "prepare", "--to", "second")

    code, printed = command(home, "backup", "--json")

    assert code == 1
    assert [(one["target"], one["fault"] is None) for one in json.loads(printed)["targets"]] == [
        ("nas", False),
        ("second", True),
    ]


def test_an_unknown_target_and_a_hub_without_targets_are_told(tmp_path: Path, command: Command) -> None:
    home = county_home(tmp_path)
    code, printed = command(home, "backup", "--to", "tape")
    assert (code, "There are: nas" in printed) == (2, True)

    home.settings.write_text(home.settings.read_text(encoding="utf-8").partition("[[backup.target]]")[0], "utf-8")
    code, printed = command(home, "backup")
    assert (code, "names no backup target" in printed) == (2, True)


def test_a_target_by_name_is_a_setting(home: HubHome) -> None:
    assert target_of(home) == BackupTarget(
        name="nas", kind=target_of(home).kind, path=str(home.root.parent / "nas"), keep=3
    )
