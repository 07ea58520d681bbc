"""Backups of a hub whose catalogue is on PostgreSQL: made from one state, read back, put back, drilled."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.__main__ import main
from hub.backup import dumps, restoring, snapshots
from hub.backup.backing_up import Outcome, back_up, verify
from hub.backup.backup_targets import prepare, read_backup
from hub.home import HubHome, home_at
from hub.keeping.course import Course, Stage, Stopped
from hub.storage import postgres, store
from hub.storage.moving import MOVE_TABLE
from protocol.errors import BadSetting, BrokenStore
from tests.backups import COUNTY, DAY_MS, NOW_MS, county_home, node_key, settings_of, tallied, target_of, tell_more
from tests.postgres_server import PostgresServer
from tests.stores import PostgresStore

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def home(tmp_path: Path, postgres_store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> HubHome:
    monkeypatch.setenv(store.URL_VARIABLE, postgres_store.url)
    made = county_home(tmp_path)
    prepare(target_of(made), COUNTY, NOW_MS)
    return made


@pytest.fixture
def other(postgres_server_of_run: PostgresServer, tmp_path: Path) -> PostgresStore:
    """An empty database to put a backup into."""
    return PostgresStore(postgres_server_of_run, tmp_path)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("DANGLIAN_LANG", "en")
    monkeypatch.setenv("DANGLIAN_LOG", "error")

    def run(home: HubHome, *arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main([*arguments, "--home", str(home.root)])
        out, err = capsys.readouterr()
        return code, out + err

    return run


def made(home: HubHome, at_ms: int = NOW_MS - DAY_MS) -> Outcome:
    return back_up(home, settings_of(home), target_of(home), lambda: at_ms, Course())


def folder_of(home: HubHome, outcome: Outcome) -> Path:
    return Path(target_of(home).path) / outcome.backup


async def held(home: HubHome) -> snapshots.Inventory:
    async with store.opened(home) as database:
        return await database.read(snapshots.inventory)


def test_a_backup_holds_the_state_that_it_says_it_holds(home: HubHome) -> None:
    outcome = made(home)
    said = read_backup(folder_of(home, outcome)).inventory

    assert (folder_of(home, outcome) / "data" / "hub.dump").stat().st_mode & 0o077 == 0
    assert not home.database.exists()
    assert said == asyncio.run(held(home))
    assert {site: count for site, (count, _) in tallied(said).items()} == {"330523108204": 2, "330523108205": 1}


def test_a_dump_may_take_longer_than_a_transaction_may_rest(home: HubHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is held by a transaction that rests while the server's program writes: for many minutes of a county."""
    whole = dumps._run

    def slow(*arguments: object) -> None:
        whole(*arguments)  # type: ignore[arg-type]
        time.sleep(4.0)

    monkeypatch.setattr(postgres, "_SESSION", f"{postgres._SESSION}; SET idle_in_transaction_session_timeout = 3000")
    monkeypatch.setattr(dumps, "_run", slow)
    assert read_backup(folder_of(home, made(home))).inventory.records == 3


def test_a_deep_reading_puts_it_back_and_reads_every_record(
    home: HubHome, postgres_server_of_run: PostgresServer
) -> None:
    made(home)
    (shallow,) = verify(home, settings_of(home), target_of(home), lambda: NOW_MS, Course())
    (deep,) = verify(home, settings_of(home), target_of(home), lambda: NOW_MS, Course(), deep=True)

    assert (shallow.faults, deep.faults) == ((), ())
    with dumps.reading(postgres_server_of_run.url("postgres")) as connection:
        left = connection.exec_driver_sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'danglian_drill%'")
        assert left.scalar_one() == 0


def test_a_record_that_was_bad_before_the_backup_is_found_by_a_deep_reading(home: HubHome) -> None:
    with dumps.changing(store.url_of(settings_of(home))) as connection:
        connection.exec_driver_sql("UPDATE entry SET digest = digest + 1 WHERE site = '330523108205'")
    made(home)
    (deep,) = verify(home, settings_of(home), target_of(home), lambda: NOW_MS, Course(), deep=True)

    assert [fault.en for fault in deep.faults] == ["330523108205: 1 record is damaged"]


def test_a_flipped_bit_is_found(home: HubHome) -> None:
    dump = folder_of(home, made(home)) / "data" / "hub.dump"
    content = bytearray(dump.read_bytes())
    content[len(content) // 2] ^= 1
    dump.write_bytes(content)
    (found,) = verify(home, settings_of(home), target_of(home), lambda: NOW_MS, Course())

    assert any("hub.dump" in fault.en for fault in found.faults)


def test_a_dump_that_ends_early_does_not_read_to_its_end(home: HubHome) -> None:
    dump = folder_of(home, made(home)) / "data" / "hub.dump"
    dump.write_bytes(dump.read_bytes()[:-2_000])

    assert len(dumps.read_through(dump, Course())) == 1


def test_a_backup_that_is_stopped_leaves_nothing(home: HubHome) -> None:
    course = Course(lambda stage, _done, _total: course.stop() if stage is Stage.SUM else None)
    with pytest.raises(Stopped):
        back_up(home, settings_of(home), target_of(home), lambda: NOW_MS, course)

    assert [path.name for path in Path(target_of(home).path).iterdir()] == ["danglian-target.json"]


def test_a_hub_comes_back_into_an_empty_database(
    home: HubHome, other: PostgresStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = folder_of(home, made(home))
    wanted = read_backup(backup).inventory
    asyncio.run(tell_more(home, 20, 25))
    new = home_at(tmp_path / "new")
    monkeypatch.setenv(store.URL_VARIABLE, other.url)

    back = restoring.put_back(backup, new, NOW_MS, Course())
    after = asyncio.run(held(new))

    assert (tallied(after), back.codes_void) == (tallied(wanted), 1)
    assert sorted(node.public_key for node in back.nodes) == sorted([node_key(0), node_key(1)])
    assert [path.exists() for path in (new.dump, new.database)] == [False, False]
    asyncio.run(tell_more(new, 20, 25))
    assert asyncio.run(held(new)).records == wanted.records + 6


def test_nothing_is_ever_overwritten(home: HubHome, tmp_path: Path) -> None:
    """The settings of a backup name the database of the hub that was backed up: it is there, unless it is lost."""
    backup = folder_of(home, made(home))
    before = asyncio.run(held(home))
    new = home_at(tmp_path / "new")

    with pytest.raises(BadSetting):
        restoring.put_back(backup, new, NOW_MS, Course())
    assert asyncio.run(held(home)) == before
    assert not new.root.exists()


def test_a_damaged_dump_leaves_database_and_home_as_they_were(
    home: HubHome, other: PostgresStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = folder_of(home, made(home)) / "data" / "hub.dump"
    dump.write_bytes(dump.read_bytes()[:-2_000])
    with pytest.raises(BrokenStore):
        dumps.put_back(other.url, dump, Course())

    dumps.check_empty(other.url)


def test_a_drill_proves_a_backup_beside_the_living_hub(home: HubHome, command: Command) -> None:
    made(home)
    before = asyncio.run(held(home))
    code, printed = command(home, "restore", "--drill", "--json")
    report = json.loads(printed)

    assert (code, report["succeeded"], report["probes_found"]) == (0, True, 3)
    assert asyncio.run(held(home)) == before


def test_the_commands_back_up_and_verify(home: HubHome, command: Command) -> None:
    code, printed = command(home, "backup", "--json")
    (nas,) = json.loads(printed)["targets"]
    assert (code, nas["records"], nas["fault"]) == (0, 3, None)

    code, printed = command(home, "backup", "verify", "--all", "--deep")
    assert (code, printed.strip()) == (0, f"nas: {nas['backup']} sound")


def test_a_server_that_is_away_is_told_and_noted(
    home: HubHome, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.URL_VARIABLE, f"postgresql://u:geheim@/x?host={home.root}")
    code, printed = command(home, "backup")

    assert (code, "geheim" in printed) == (1, False)
    assert "the database server is away" in printed


def test_a_password_is_not_on_the_command_line(home: HubHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every user of the machine sees the command lines of all programs."""
    spy = tmp_path / "pg_dump"
    spy.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\necho "$PGPASSWORD" > {tmp_path}/kept\nexit 1\n')
    spy.chmod(0o755)
    monkeypatch.setattr(dumps, "program", lambda name: tmp_path / name)
    url = store.url_of(settings_of(home)).replace("@/", ":geheim@/")
    with pytest.raises(BrokenStore):
        dumps.dump(url, tmp_path / "x.dump", Course())

    assert "geheim" not in (tmp_path / "said").read_text()
    assert (tmp_path / "kept").read_text().strip() == "geheim"


def test_a_moved_county_can_be_backed_up_and_restored(
    tmp_path: Path, other: PostgresStore, postgres_server_of_run: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = county_home(tmp_path / "moved")
    prepare(target_of(home), COUNTY, NOW_MS)
    for words in (("--to", other.url), ("--switch",)):
        assert main(["migrate-store", "--home", str(home.root), *words]) == 0
    backup = folder_of(home, made(home))
    fresh = PostgresStore(postgres_server_of_run, tmp_path)
    monkeypatch.setenv(store.URL_VARIABLE, fresh.url)
    restoring.put_back(backup, home_at(tmp_path / "back"), NOW_MS, Course())

    assert MOVE_TABLE not in read_backup(backup).inventory.rows
    assert tallied(asyncio.run(held(home_at(tmp_path / "back")))) == tallied(read_backup(backup).inventory)


def test_the_owner_of_the_database_needs_no_more_rights_than_to_make_one(
    tmp_path: Path, postgres_server_of_run: PostgresServer, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    """As deploy/README.md says: an ordinary user, a database of its own, CREATEDB for drills."""
    postgres_server_of_run.execute("CREATE ROLE clerk LOGIN CREATEDB")
    postgres_server_of_run.execute("CREATE DATABASE clerks OWNER clerk ENCODING 'UTF8' TEMPLATE template0")
    url = postgres_server_of_run.url("clerks").replace("//danglian@", "//clerk@")
    home = county_home(tmp_path)
    prepare(target_of(home), COUNTY, NOW_MS)
    codes = [command(home, "migrate-store", *words)[0] for words in (("--to", url), ("--switch",))]
    made(home)
    codes += [
        command(home, *words)[0]
        for words in (("backup", "verify", "--deep"), ("restore", "--drill"), ("rebuild", "--yes"))
    ]
    made(home, NOW_MS)
    codes.append(command(home, "backup", "verify", "--deep")[0])

    assert codes == [0, 0, 0, 0, 0, 0]
    postgres_server_of_run.drop("clerks")
    postgres_server_of_run.execute("DROP ROLE clerk")
