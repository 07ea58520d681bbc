"""Backups of a home: what is in them, where they may go, what becomes of the old ones."""

import asyncio
import shutil
import sqlite3
import threading
from collections import namedtuple
from pathlib import Path

import bagit
import msgspec
import pytest

from hub.backup import backing_up, backup_contents
from hub.backup.backing_up import CLAIM, Outcome, back_up, verify
from hub.backup.backup_settings import BackupTarget
from hub.backup.backup_targets import names_in, prepare, read_backup
from hub.backup.backups import BackupAlarm, backup_findings, read_ledger
from hub.home import HubHome
from hub.keeping.course import Course, Stage, Stopped
from hub.membership import certificates
from hub.membership.certificates import new_authority
from protocol.errors import BadFile, BadSetting, BrokenStore, Refused, StorageFull
from replication.claim import claimed
from tests.backups import COUNTY, NOW, NOW_MS, county_home, settings_of, tallied, target_of, tell_more


@pytest.fixture
def home(tmp_path: Path) -> HubHome:
    made = county_home(tmp_path, [("nas", "online"), ("usb", "offline")])
    for target in settings_of(made).backup.target:
        prepare(target, COUNTY, NOW_MS)
    return made


def made(home: HubHome, day: int = 0, target: str = "nas") -> Outcome:
    """Back up, some days later."""
    at_ms = NOW_MS + day * 86_400_000
    return back_up(home, settings_of(home), target_of(home, target), lambda: at_ms, Course())


def folder_of(home: HubHome, outcome: Outcome) -> Path:
    return Path(target_of(home, outcome.target).path) / outcome.backup


def alarms(home: HubHome) -> list[tuple[BackupAlarm, str]]:
    found = backup_findings(settings_of(home).backup, read_ledger(home.backups), NOW_MS)
    quiet = {BackupAlarm.RULE, BackupAlarm.DRILL_OLD, BackupAlarm.NEVER}
    return [(one.alarm, one.target) for one in found if one.alarm not in quiet]


# What is in it


def test_a_backup_holds_all_that_a_hub_needs_to_come_back_and_not_the_brokers_stream(home: HubHome) -> None:
    home.broker_store.mkdir(parents=True)
    (home.broker_store / "1.blk").write_bytes(b"frames")

    found = bagit.Bag(str(folder_of(home, made(home))))

    assert found.validate() is True
    assert sorted(found.payload_files()) == [
        *("data/broker/broker.conf", "data/broker/users.conf", "data/hub.db", "data/hub.toml"),
        *("data/keys/county.key", "data/keys/hub.nk"),
        *("data/tls/ca.key", "data/tls/ca.pem", "data/tls/server.key", "data/tls/server.pem"),
        *("data/words/disposal.csv", "data/words/disputes.csv", "data/words/gazetteer.csv"),
        *("data/words/rules.csv", "data/words/synonyms.csv"),
    ]


def test_a_backup_says_what_it_holds_of_each_site(home: HubHome) -> None:
    outcome = made(home)
    said = read_backup(folder_of(home, outcome))

    assert (said.county, said.name, said.made_at_ms) == (COUNTY, "某县档案馆", NOW_MS)
    assert {site: count for site, (count, _) in tallied(said.inventory).items()} == {
        "330523108204": 2,
        "330523108205": 1,
    }
    assert (outcome.records, outcome.backup) == (3, "danglian-330523000000-20260305T090000000000Z")


def test_nobody_but_the_owner_may_read_a_backup(home: HubHome) -> None:
    backup = folder_of(home, made(home))

    assert {path.stat().st_mode & 0o077 for path in (backup, *backup.rglob("*"))} == {0}
    assert alarms(home) == []


def test_a_disk_that_does_not_keep_modes_is_told(home: HubHome) -> None:
    """A USB stick with FAT shows its files to everybody who can log in."""

    def open_up(stage: Stage, _done: int, _total: int) -> None:
        if stage is Stage.READ_BACK:
            for seed in Path(target_of(home).path).glob(".*/data/keys/hub.nk"):
                seed.chmod(0o644)

    back_up(home, settings_of(home), target_of(home), lambda: NOW_MS, Course(open_up))

    assert alarms(home) == [(BackupAlarm.EXPOSED, "nas")]


def test_a_certificate_without_its_key_is_no_backup(home: HubHome) -> None:
    """What cannot come back must be known on the day it is made, not on the day it is needed."""
    home.server_key.write_bytes(new_authority(COUNTY, NOW).key)

    with pytest.raises(BadSetting, match=r"server\.pem and its key"):
        made(home)

    assert names_in(Path(target_of(home).path)) == []
    assert alarms(home) == [(BackupAlarm.FAILED, "nas")]


def test_a_certificate_that_is_renewed_in_between_is_read_again(home: HubHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon replaces the key first and the certificate a moment later."""
    old_key = home.server_key.read_bytes()
    home.server_key.unlink()
    certificates.provide(home, COUNTY, ("127.0.0.1",), NOW)
    new_key = home.server_key.read_bytes()
    home.server_key.write_bytes(old_key)
    reading = backup_contents.small_files

    def then_renewed(*given: object) -> dict[str, bytes]:
        found = reading(*given)  # type: ignore[arg-type]
        home.server_key.write_bytes(new_key)
        return found

    monkeypatch.setattr(backing_up, "small_files", then_renewed)

    backup = folder_of(home, made(home))

    assert (backup / "data" / "tls" / "server.key").read_bytes() == new_key


def test_a_damaged_database_makes_no_backup_and_leaves_the_older_ones(home: HubHome) -> None:
    kept = made(home)
    content = bytearray(home.database.read_bytes())
    for page in range(3 * 8192, len(content), 8192):
        content[page : page + 8] = b"\xff" * 8
    home.database.write_bytes(content)

    with pytest.raises(BrokenStore):
        made(home, day=1)

    assert names_in(Path(target_of(home).path)) == [kept.backup]
    assert alarms(home) == [(BackupAlarm.FAILED, "nas")]


# Where it may go


def test_an_empty_mount_point_is_not_taken_for_the_disk(home: HubHome) -> None:
    """Without its disk the folder is there all the same, on the hub's own disk."""
    path = Path(target_of(home).path)
    shutil.rmtree(path)
    path.mkdir()

    with pytest.raises(Refused, match="is not there"):
        made(home)

    assert list(path.iterdir()) == []
    assert alarms(home) == [(BackupAlarm.FAILED, "nas")]


def test_an_offline_disk_that_is_away_is_no_failure(home: HubHome) -> None:
    shutil.rmtree(target_of(home, "usb").path)

    with pytest.raises(Refused, match="is not there"):
        made(home, target="usb")

    assert alarms(home) == []


def test_another_countys_disk_is_left_alone(home: HubHome) -> None:
    path = Path(target_of(home).path)
    shutil.rmtree(path)
    prepare(target_of(home), "330521000000", NOW_MS)

    with pytest.raises(Refused, match="belongs to another"):
        made(home)
    with pytest.raises(Refused, match="belongs to another"):
        prepare(target_of(home), COUNTY, NOW_MS)

    assert [one.name for one in path.iterdir()] == ["danglian-target.json"]


def test_a_target_without_room_is_not_begun(home: HubHome, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - the standard library's own shape
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(100, 99, 1))

    with pytest.raises(StorageFull, match="no room on the backup target"):
        made(home)

    assert names_in(Path(target_of(home).path)) == []


def test_a_folder_that_cannot_be_made_is_refused_in_words(home: HubHome, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    target = msgspec.structs.replace(target_of(home), path=str(tmp_path / "file" / "below"))

    with pytest.raises(Refused, match="cannot write to"):
        prepare(target, COUNTY, NOW_MS)


def test_one_backup_at_a_time(home: HubHome) -> None:
    with claimed(home.root, "danglian-hub backup", CLAIM), pytest.raises(BadSetting, match="another"):
        made(home)


# Ends and old ones


@pytest.mark.parametrize("stage", [Stage.COPY, Stage.SUM, Stage.READ_BACK, Stage.EXAMINE])
def test_a_backup_that_is_stopped_leaves_nothing_under_any_name(home: HubHome, stage: Stage) -> None:
    kept = made(home)
    course = Course(lambda at, _done, _total: course.stop() if at is stage else None)

    with pytest.raises(Stopped):
        back_up(home, settings_of(home), target_of(home), lambda: NOW_MS + 1, course)

    path = Path(target_of(home).path)
    assert sorted(one.name for one in path.iterdir()) == [kept.backup, "danglian-target.json"]


def test_what_a_power_cut_left_is_cleared_by_the_next_backup(home: HubHome) -> None:
    path = Path(target_of(home).path)
    (path / f".danglian-{COUNTY}-20260101T000000000000Z.partial" / "data").mkdir(parents=True)
    (path / ".danglian-330521000000-20260101T000000000000Z.partial").mkdir()

    made(home)

    left = [one.name for one in path.iterdir() if one.name.startswith(".")]
    assert left == [".danglian-330521000000-20260101T000000000000Z.partial"]


def test_the_newest_are_kept_and_the_ledger_agrees_with_the_disk(home: HubHome) -> None:
    outcomes = [made(home, day) for day in range(5)]

    there = names_in(Path(target_of(home).path))
    assert there == [one.backup for one in outcomes[2:]]
    assert [one.name for one in read_ledger(home.backups).of("nas").backups] == there
    assert outcomes[-1].pruned == (outcomes[1].backup,)


def test_a_damaged_ledger_does_not_stop_backups(home: HubHome) -> None:
    home.backups.write_bytes(b"{")

    outcome = made(home)

    assert [one.name for one in read_ledger(home.backups).of("nas").backups] == [outcome.backup]
    assert home.backups.with_suffix(".damaged").read_bytes() == b"{"


# Reading back


def reads(home: HubHome, target: BackupTarget, **how: bool) -> dict[str, list[str]]:
    found = verify(home, settings_of(home), target, lambda: NOW_MS, Course(), **how)
    return {one.backup: [fault.en for fault in one.faults] for one in found}


def test_a_flipped_bit_is_found_noted_and_told(home: HubHome) -> None:
    old, new = made(home), made(home, day=1)
    key = folder_of(home, new) / "data" / "keys" / "hub.nk"
    key.write_bytes(bytes([key.read_bytes()[0] ^ 1]) + key.read_bytes()[1:])

    assert list(reads(home, target_of(home))) == [new.backup]
    found = reads(home, target_of(home), every=True)

    assert found[old.backup] == []
    assert found[new.backup][0] == "data/keys/hub.nk does not have its digest"
    assert read_ledger(home.backups).of("nas").last_verified is not None
    assert read_ledger(home.backups).of("nas").last_verified.name == old.backup  # type: ignore[union-attr]
    assert alarms(home) == [(BackupAlarm.DAMAGED, "nas")]


def test_a_backup_that_was_taken_off_the_disk_is_forgotten(home: HubHome) -> None:
    old, new = made(home), made(home, day=1)
    shutil.rmtree(folder_of(home, new))

    assert list(reads(home, target_of(home))) == [old.backup]
    assert [one.name for one in read_ledger(home.backups).of("nas").backups] == [old.backup]


def test_a_deep_reading_looks_at_every_record(home: HubHome) -> None:
    """A body that went bad before the backup was made has its bad bytes in every digest of the files."""
    asyncio.run(tell_more(home, 20, 30))
    outcome = made(home)

    assert reads(home, target_of(home), deep=True) == {outcome.backup: []}


def test_a_deep_reading_finds_what_was_bad_before_the_backup(home: HubHome) -> None:
    with sqlite3.connect(home.database) as connection:
        connection.execute(
            "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '的', '之') AS BLOB)"
            " WHERE docid = (SELECT max(docid) FROM entry)"
        )
    connection.close()
    outcome = made(home)

    assert reads(home, target_of(home)) == {outcome.backup: []}
    (faults,) = reads(home, target_of(home), deep=True).values()
    assert [fault.partition(": ")[2] for fault in faults] == ["1 record is damaged"]


def test_a_folder_of_a_newer_version_is_named(home: HubHome) -> None:
    backup = folder_of(home, made(home))
    said = read_backup(backup)
    newer = msgspec.json.encode(msgspec.structs.replace(said, format=2))
    (backup / "danglian-backup.json").write_bytes(newer)

    with pytest.raises(BadFile, match="newer version"):
        read_backup(backup)


def test_two_threads_never_write_one_target_at_once(home: HubHome) -> None:
    outcomes: list[object] = []

    def attempt() -> None:
        try:
            outcomes.append(made(home))
        except BadSetting as error:
            outcomes.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(names_in(Path(target_of(home).path))) == sum(isinstance(one, Outcome) for one in outcomes)
