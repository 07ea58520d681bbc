"""The store on PostgreSQL keeps the promises of a SQLite file, also between several hubs, and when the server goes."""

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hub.storage import postgres
from hub.storage.postgres import PostgresDatabase
from protocol.errors import BadSetting, BrokenStore, Retryable
from replication.watermarks import Watermark, marks_of, move
from tests.catalogue import OTHER_VILLAGE, VILLAGE, described, fictitious, record_id, withdrawn
from tests.hubs import Hub
from tests.postgres_server import PostgresServer, programs
from tests.stores import MIGRATIONS, PostgresStore

SITE = VILLAGE.code


@pytest.fixture
async def database(postgres_store: PostgresStore) -> AsyncIterator[PostgresDatabase]:
    async with postgres.opened(postgres_store.url, postgres_store.folder, MIGRATIONS, readers=2) as made:
        yield made


@pytest.fixture
async def beside(postgres_store: PostgresStore, database: PostgresDatabase) -> AsyncIterator[PostgresDatabase]:
    """The same store as another process has it."""
    async with postgres.opened(postgres_store.url, postgres_store.folder, MIGRATIONS) as made:
        yield made


@pytest.fixture
def server_of_its_own() -> Iterator[PostgresServer]:
    """A server that a test may end."""
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL 15 or newer is installed (Debian: apt-get install postgresql)")
    server = PostgresServer(found)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.remove()


def mark(position: int) -> Watermark:
    return Watermark(site=SITE, epoch="e1" if position else "", position=position)


def add_quarantine(connection: Connection) -> None:
    connection.exec_driver_sql("INSERT INTO rebuild (site, expected, began_at_ms) VALUES ('x', 1, 1)")


def rebuilds(connection: Connection) -> int:
    found: int = connection.exec_driver_sql("SELECT count(*) FROM rebuild").scalar_one()
    return found


async def test_a_step_that_raises_leaves_nothing(database: PostgresDatabase) -> None:
    def step(connection: Connection) -> None:
        add_quarantine(connection)
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(step)
    assert await database.read(rebuilds) == 0


async def test_a_reading_step_sees_one_state_throughout(database: PostgresDatabase) -> None:
    first_look, written = threading.Event(), threading.Event()

    def step(connection: Connection) -> tuple[int, int]:
        before = rebuilds(connection)
        first_look.set()
        written.wait(10)
        return before, rebuilds(connection)

    reading = asyncio.create_task(database.read(step))
    await asyncio.to_thread(first_look.wait, 10)
    await database.write(add_quarantine)
    written.set()

    assert await reading == (0, 0)


async def test_a_reading_step_cannot_write(database: PostgresDatabase) -> None:
    with pytest.raises(Retryable):
        await database.read(add_quarantine)


async def test_writers_of_several_hubs_take_turns(database: PostgresDatabase, beside: PostgresDatabase) -> None:
    """Every step was written for a single writer: what it read must still hold when it writes."""

    def count_up(connection: Connection) -> None:
        held = connection.exec_driver_sql("SELECT next_serial FROM catalogue_state").scalar_one()
        time.sleep(0.002)
        connection.exec_driver_sql("UPDATE catalogue_state SET next_serial = ?", (held + 1,))

    await asyncio.gather(*(one.write(count_up) for _ in range(10) for one in (database, beside)))

    assert await database.fetch("SELECT next_serial FROM catalogue_state") == [(21,)]


@pytest.mark.parametrize("start", [0, 5])
async def test_a_watermark_moves_once_although_two_workers_judged_the_same_frame(
    postgres_store: PostgresStore, database: PostgresDatabase, start: int
) -> None:
    """By the database itself, without the lock that the writers share: compare-and-set holds on its own."""
    if start:
        assert await database.write(lambda connection: move(connection, mark(0), mark(start), 1))
    engine = postgres.engine_for(lambda: postgres.connect(postgres_store.url))
    both = threading.Barrier(2)

    def worker(to: int) -> bool:
        with engine.connect() as connection, connection.begin():
            connection.exec_driver_sql("BEGIN")
            both.wait(10)
            moved = move(connection, mark(start), mark(to), 1)
            time.sleep(0.05)
            return moved

    moved = await asyncio.gather(asyncio.to_thread(worker, start + 1), asyncio.to_thread(worker, start + 2))
    engine.dispose()
    marks = await database.read(lambda connection: marks_of(connection, [SITE]))

    assert sorted(moved) == [False, True]
    assert marks[SITE].position == start + (1 if moved[0] else 2)


async def test_two_hubs_that_apply_at_once_give_every_record_a_number_of_its_own(
    database: PostgresDatabase, beside: PostgresDatabase
) -> None:
    hubs = (Hub(database), VILLAGE), (Hub(beside), OTHER_VILLAGE)

    async def tell(hub: Hub, site: type(VILLAGE)) -> None:  # type: ignore[valid-type]
        for first in range(1, 60, 10):
            await hub.tell(*[described(seq, fictitious(seq)) for seq in range(first, first + 10)], site=site)

    await asyncio.gather(*(tell(hub, site) for hub, site in hubs))

    held = await database.fetch("SELECT site, count(*), count(DISTINCT docid % 1000000000) FROM entry GROUP BY site")
    assert sorted(held) == [(VILLAGE.code, 60, 60), (OTHER_VILLAGE.code, 60, 60)]
    numbers = await database.fetch("SELECT count(DISTINCT docid % 1000000000) FROM entry")
    assert numbers == [(120,)]


async def test_a_writer_that_waits_too_long_says_so(database: PostgresDatabase, beside: PostgresDatabase) -> None:
    inside, done = threading.Event(), threading.Event()

    def hold(_connection: Connection) -> None:
        inside.set()
        done.wait(10)

    holding = asyncio.create_task(database.write(hold))
    await asyncio.to_thread(inside.wait, 10)
    begin = beside._writer._begin
    beside._writer._begin = f"SET lock_timeout = 50; {begin}"
    with pytest.raises(Retryable):
        await beside.write(add_quarantine)
    done.set()
    await holding
    beside._writer._begin = begin
    await beside.write(add_quarantine)

    assert await database.read(rebuilds) == 1


async def test_a_statement_has_a_deadline(database: PostgresDatabase) -> None:
    def slow(connection: Connection) -> None:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 30")
        connection.exec_driver_sql("SELECT pg_sleep(5)")

    with pytest.raises(Retryable):
        await database.read(slow)
    assert await database.read(rebuilds) == 0


async def test_a_text_with_a_nul_is_kept_without_it(database: PostgresDatabase) -> None:
    """SQLite keeps it, PostgreSQL knows none: one hostile event must not stop its site (promise 9)."""
    hub = Hub(database)
    await hub.tell(described(1, fictitious(1, ref_code="J001\0-1")), described(2, fictitious(2)))
    await hub.tell(withdrawn(3, record_id(2), "because\0of"))

    assert [one.ref_code for one in await hub.stored(1)] == ["J001␀-1"]
    assert (await hub.one(2)).held.withdrawn == "because␀of"


async def test_what_a_restart_of_the_server_breaks_off_leaves_nothing_and_work_goes_on(
    server_of_its_own: PostgresServer, tmp_path: Path
) -> None:
    store = PostgresStore(server_of_its_own, tmp_path)
    url = store.url
    async with postgres.opened(url, tmp_path, MIGRATIONS) as database:
        inside, restarted = threading.Event(), threading.Event()

        def step(connection: Connection) -> None:
            add_quarantine(connection)
            inside.set()
            restarted.wait(30)
            add_quarantine(connection)

        writing = asyncio.create_task(database.write(step))
        await asyncio.to_thread(inside.wait, 10)
        await asyncio.to_thread(server_of_its_own.stop, signal.SIGQUIT)
        restarted.set()
        with pytest.raises(Retryable):
            await writing
        with pytest.raises(Retryable):
            await database.read(rebuilds)
        await asyncio.to_thread(server_of_its_own.start)

        assert await database.read(rebuilds) == 0
        await database.write(add_quarantine)
        assert await database.read(rebuilds) == 1


async def test_a_connection_that_died_while_it_was_idle_is_made_anew_unnoticed(
    postgres_server_of_run: PostgresServer, postgres_store: PostgresStore, database: PostgresDatabase
) -> None:
    await database.write(add_quarantine)
    await database.read(rebuilds)
    name = postgres_store.url.split("?")[0].rpartition("/")[2]
    postgres_server_of_run.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    )

    assert await database.read(rebuilds) == 1
    await database.write(lambda connection: connection.exec_driver_sql("DELETE FROM rebuild"))
    assert await database.read(rebuilds) == 0


async def test_a_wrong_address_is_a_wrong_setting(postgres_server_of_run: PostgresServer, tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as nowhere:
        async with postgres.opened(postgres_server_of_run.url("nowhere"), tmp_path, MIGRATIONS):
            pass
    with pytest.raises(Retryable):
        async with postgres.opened(f"postgresql://u:secret@/x?host={tmp_path}", tmp_path, MIGRATIONS):
            pass

    assert "nowhere" in nowhere.value.reason.en


async def test_a_database_that_cannot_hold_chinese_is_refused(
    postgres_server_of_run: PostgresServer, tmp_path: Path
) -> None:
    postgres_server_of_run.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(BadSetting):
        async with postgres.opened(postgres_server_of_run.url("latin"), tmp_path, MIGRATIONS):
            pass
    postgres_server_of_run.drop("latin")


async def test_a_newer_schema_is_refused(postgres_store: PostgresStore, database: PostgresDatabase) -> None:
    await database.write(
        lambda connection: connection.exec_driver_sql("INSERT INTO migration VALUES ('hub', 999, 'of-the-future')")
    )
    with pytest.raises(BrokenStore):
        async with postgres.opened(postgres_store.url, postgres_store.folder, MIGRATIONS):
            pass
