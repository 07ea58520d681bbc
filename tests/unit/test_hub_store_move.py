"""A county moves from its file to PostgreSQL: whole, wherever it is killed, and only when both were found equal."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hub import config
from hub.__main__ import main
from hub.alarm import alarm_book
from hub.backup import snapshots
from hub.decisions import duplicates
from hub.home import HubHome
from hub.keeping.course import Course, Stage, Stopped
from hub.membership import keyring
from hub.searching.search import Query, search
from hub.storage import moving, postgres, store, store_move
from protocol.errors import BadSetting
from replication.claim import claimed
from tests.backups import NOW_MS, county_home, node_key, tallied, tell_more
from tests.catalogue import record_id
from tests.postgres_server import PostgresServer
from tests.stores import PostgresStore

MORE = 40


@pytest.fixture
def home(tmp_path: Path) -> HubHome:
    """A county with some entries, nodes, codes, a decision, an open alarm and a hostile text."""
    made = county_home(tmp_path)
    asyncio.run(tell_more(made, 10, 10 + MORE))
    asyncio.run(_decide(made))
    return made


async def _decide(home: HubHome) -> None:
    def step(connection: Connection) -> None:
        duplicates.set_apart(connection, record_id(1), record_id(2), "甲某", NOW_MS)
        connection.exec_driver_sql("UPDATE expected_site SET name = 'a' || char(0) || 'b'")
        connection.exec_driver_sql(
            "INSERT INTO alarm (site, kind, cause, evidence, opened_at_ms, counted_from_ms, held_at_ms, reopened, told,"
            " acknowledged_by, note) VALUES ('330523108204', 'silent', 'county', '[]', 1, 1, 1, 0, 0, '', '')"
        )

    async with store.opened(home) as database:
        await database.write(step)


@pytest.fixture
def empty(postgres_server_of_run: PostgresServer, tmp_path: Path) -> PostgresStore:
    return PostgresStore(postgres_server_of_run, tmp_path)


def command(home: HubHome, *words: str) -> int:
    return main(["migrate-store", "--home", str(home.root), *words])


async def found(home: HubHome, words: str) -> set[str]:
    async with store.opened(home) as database:
        page = await database.read(lambda connection: search(connection, Query(words=words, limit=100)))
        return {hit.record.title for hit in page.hits}


def test_a_county_moves_whole(home: HubHome, empty: PostgresStore, capsys: pytest.CaptureFixture[str]) -> None:
    with snapshots.reading(home.database, Course()) as connection:
        before = snapshots.inventory(connection)
    wanted = asyncio.run(found(home, "关于"))

    assert command(home, "--to", empty.url, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["moved"]["records"], told["moved"]["faults"]) == (before.records, [])
    assert command(home, "--switch") == 0
    after = asyncio.run(_held(home))

    assert config.load(home.settings).database.url == empty.url
    assert tallied(after) == tallied(before)
    assert after.rows == {name: rows for name, rows in before.rows.items() if name != "migration_progress"}
    assert asyncio.run(found(home, "关于")) == wanted != set()
    assert (home.database.exists(), home.moving.exists()) == (False, False)
    assert len(list((home.root / "aside").glob("hub-*.db"))) == 1


def test_the_file_may_be_read_for_longer_than_a_transaction_may_rest(
    home: HubHome, empty: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new store waits in one transaction while a table of ten million rows is summed in the old one."""
    whole = store_move._digest

    rests = iter([4.0])

    def slow(*arguments: object) -> store_move.TableDigest:
        time.sleep(next(rests, 0.0))
        return whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(postgres, "_SESSION", f"{postgres._SESSION}; SET idle_in_transaction_session_timeout = 3000")
    monkeypatch.setattr(store_move, "_digest", slow)
    assert command(home, "--to", empty.url, "--json") == 0


async def _held(home: HubHome) -> snapshots.Inventory:
    async with store.opened(home) as database:
        return await database.read(snapshots.inventory)


def test_what_was_moved_goes_on_being_numbered_behind_what_is_there(home: HubHome, empty: PostgresStore) -> None:
    command(home, "--to", empty.url)
    command(home, "--switch")
    asyncio.run(tell_more(home, 100, 103))

    async def again() -> tuple[list[int], list[str]]:
        def step(connection: Connection) -> None:
            duplicates.set_apart(connection, record_id(1), record_id(10), "甲某", NOW_MS)

        async with store.opened(home) as database:
            await database.write(step)
            made = [int(str(row[0])) for row in await database.fetch("SELECT id FROM apart ORDER BY id")]
            assert len(await database.read(alarm_book.open_alarms)) == 1
            return made, [one.public_key for one in await database.read(keyring.nodes)]

    numbers, nodes = asyncio.run(again())
    assert numbers == [1, 2]
    assert sorted(nodes) == sorted([node_key(0), node_key(1)])


@pytest.mark.parametrize("lots", [0, 1, 4, 9, 14])
def test_a_move_that_was_killed_goes_on(
    home: HubHome, empty: PostgresStore, lots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_move, "LOT_ROWS", 7)
    engine = store_move.engine_of(empty.url)
    store_move.begin(engine, anew=True)

    async def made() -> None:
        async with postgres.opened(empty.url, home.root, store.MIGRATIONS):
            pass

    asyncio.run(made())
    left = lots

    def tell(stage: Stage, _done: int, _total: int) -> None:
        nonlocal left
        left -= stage is Stage.COPY
        if left < 0:
            raise Stopped

    with snapshots.reading(home.database, Course()) as source:
        with pytest.raises(Stopped):
            store_move.copy(source, engine, Course(tell))
        store_move.copy(source, engine, Course())
        moved = store_move.compared(source, engine, Course())
    engine.dispose()

    assert moved.faults == ()
    assert moved.records == 3 + MORE + 1 - 1 + 1


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE entry SET digest = digest + 1 WHERE docid = (SELECT max(docid) FROM entry)",
        "UPDATE expected_site SET name = 'other'",
        "DELETE FROM apart",
        "UPDATE entry SET body = body || '\\x20'::bytea WHERE body IS NOT NULL",
    ],
)
def test_a_difference_is_found_and_not_switched_to(
    home: HubHome, empty: PostgresStore, spoil: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(home, "--to", empty.url) == 0
    engine = store_move.engine_of(empty.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(spoil)

    assert command(home, "--to", empty.url) == 1
    assert command(home, "--switch") == 2
    assert home.database.exists()


def test_the_file_does_not_change_while_it_is_moved(home: HubHome, empty: PostgresStore) -> None:
    command(home, "--to", empty.url)

    with pytest.raises(BadSetting):
        asyncio.run(tell_more_by_store(home))
    assert asyncio.run(readable(home))
    assert command(home, "--abandon") == 0
    asyncio.run(tell_more_by_store(home))
    # What was copied is of before: it is not gone on with.
    assert command(home, "--to", empty.url) == 2


async def tell_more_by_store(home: HubHome) -> None:
    async with store.opened(home):
        pass


async def readable(home: HubHome) -> bool:
    async with store.opened(home, read_only=True) as database:
        return bool(await database.fetch("SELECT count(*) FROM entry"))


def test_a_store_that_is_being_moved_into_serves_nobody(
    home: HubHome, empty: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(home, "--to", empty.url)
    monkeypatch.setenv(store.URL_VARIABLE, empty.url)

    with pytest.raises(BadSetting):
        asyncio.run(readable(home))


def test_a_hub_that_runs_is_not_moved(home: HubHome, empty: PostgresStore, capsys: pytest.CaptureFixture[str]) -> None:
    with claimed(home.root, "danglian-hub"):
        assert command(home, "--to", empty.url) == 2


def test_a_database_that_holds_something_is_left_alone(home: HubHome, postgres_store: PostgresStore) -> None:
    assert command(home, "--to", postgres_store.url) == 2
    assert not home.moving.exists()


@pytest.mark.parametrize("killed_at", ["_write_url", "_set_aside", "end"])
def test_a_switch_that_was_killed_is_done_again(
    home: HubHome, empty: PostgresStore, killed_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(home, "--to", empty.url)
    where = store_move if killed_at == "end" else moving
    real: Callable[..., object] = getattr(where, killed_at)

    def killed(*args: object) -> None:
        real(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(where, killed_at, killed)
    assert command(home, "--switch") == 1
    monkeypatch.setattr(where, killed_at, real)

    assert command(home, "--switch") == 0
    assert not home.moving.exists()
    assert asyncio.run(found(home, "关于")) != set()


def test_the_password_is_never_shown(home: HubHome, capsys: pytest.CaptureFixture[str]) -> None:
    assert store.shown("postgresql://u:geheim@h/d?sslmode=require") == "postgresql://u@h/d?sslmode=require"
    assert store.shown("postgresql://h/d?user=u&password=geheim") == "postgresql://h/d?user=u&password=***"
    assert command(home, "--to", "mysql://u:geheim@h/d") == 2
    command(home, "--to", f"postgresql://u:geheim@/d?host={home.root}")

    assert "geheim" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("typed", ["ge@heim", "ge/heim", "ge?heim", "ge#heim", "ge%heim", "1/heim@x:1"])
def test_a_password_that_can_be_read_otherwise_is_refused_and_not_shown(
    home: HubHome, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    """What follows the mark would be taken for a host, and told as one that is not found."""
    url = f"postgresql://u:{typed}@h/d"
    assert command(home, "--to", url) == 2
    monkeypatch.setenv(store.URL_VARIABLE, url)
    assert command(home) == 2
    told = "".join(capsys.readouterr())

    assert (store.shown(url), "heim" in told, "%40" in told) == ("…", False, True)


def test_marks_in_a_password_that_are_written_as_they_must_be_are_taken() -> None:
    url = "postgresql://u:g%40e%2Fh%25@h1:5432,h2:5433/d?target_session_attrs=read-write"

    assert store.checked(url) == url
    assert store.shown(url) == "postgresql://u@h1:5432,h2:5433/d?target_session_attrs=read-write"


def test_the_old_file_is_still_one(home: HubHome, empty: PostgresStore) -> None:
    command(home, "--to", empty.url)
    command(home, "--switch")
    (aside,) = (home.root / "aside").glob("hub-*.db")
    with sqlite3.connect(aside) as raw:
        assert raw.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    raw.close()
