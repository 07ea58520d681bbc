"""The database: whole transactions, one committed state a step, errors in our words."""

import asyncio
import sqlite3
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, inspect

from protocol.errors import BrokenStore, StorageFull
from replication import tables, transfer_tables
from replication.database import Database, opened
from replication.migrations import REPLICATION, migrations_in, statements


def count(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT count(*) FROM retired_epoch").scalar_one())


def add(connection: Connection, epoch: str) -> None:
    connection.exec_driver_sql("INSERT INTO retired_epoch VALUES ('s', ?)", (epoch,))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path / "x.db", [REPLICATION]) as opened_database:
        yield opened_database


@pytest.mark.parametrize("name", ["档案 #1", "50%41", "a+b&c=d"])
async def test_a_folder_may_be_called_anything(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    home.mkdir()
    async with opened(home / "x.db", [REPLICATION]) as one:
        await one.write(lambda connection: add(connection, "a"))
    assert (home / "x.db").is_file()


async def test_a_step_that_raises_leaves_nothing(database: Database) -> None:
    def fail(connection: Connection) -> None:
        add(connection, "a")
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(fail)
    assert await database.read(count) == 0


async def test_a_reading_step_sees_one_state_while_others_write(database: Database, tmp_path: Path) -> None:
    def look_twice(connection: Connection) -> tuple[int, int]:
        before = count(connection)
        with sqlite3.connect(tmp_path / "x.db") as other:
            other.execute("INSERT INTO retired_epoch VALUES ('other', 'b')")
        return before, count(connection)

    assert await database.read(look_twice) == (0, 0)
    assert await database.read(count) == 1


async def test_writes_queue_and_each_is_whole(database: Database) -> None:
    await asyncio.gather(*(database.write(lambda c, n=n: add(c, f"e{n}")) for n in range(20)))  # type: ignore[misc]
    assert await database.read(count) == 20


async def test_a_cancelled_write_is_whole_or_absent_and_the_next_one_works(database: Database) -> None:
    def add_many(connection: Connection) -> None:
        for number in range(500):
            add(connection, f"c{number}")

    task = asyncio.create_task(database.write(add_many))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert await database.read(count) in (0, 500)
    await database.write(lambda c: add(c, "after"))
    assert await database.read(count) in (1, 501)


async def test_fetch_returns_rows_of_the_last_committed_state(database: Database) -> None:
    await database.write(lambda c: add(c, "a"))
    assert await database.fetch("SELECT epoch FROM retired_epoch WHERE site = ?", ("s",)) == [("a",)]


async def test_a_commit_is_on_disk_when_it_is_reported(database: Database) -> None:
    pragmas = await database.write(
        lambda c: (
            c.exec_driver_sql("PRAGMA synchronous").scalar_one(),
            c.exec_driver_sql("PRAGMA journal_mode").scalar_one(),
        )
    )
    assert pragmas == (2, "wal")


async def test_a_full_disk_is_said_in_our_words_and_changes_nothing(database: Database) -> None:
    def fill(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 20")
        for number in range(10_000):
            add(connection, f"{number:0200}")

    with pytest.raises(StorageFull) as full:
        await database.write(fill)
    assert "磁盘" in full.value.reason.zh
    assert await database.read(count) == 0


async def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_bytes(b"this is not a database" * 500)
    with pytest.raises(BrokenStore):
        async with opened(tmp_path / "bad.db", [REPLICATION]):
            pass


async def test_a_database_of_a_newer_version_is_refused(tmp_path: Path, database: Database) -> None:
    await database.write(lambda c: c.exec_driver_sql("INSERT INTO migration VALUES ('replication', 99, 'of-tomorrow')"))
    with pytest.raises(BrokenStore, match="newer version"):
        async with opened(tmp_path / "x.db", [REPLICATION]):
            pass


async def test_a_read_only_database_cannot_be_written(tmp_path: Path, database: Database) -> None:
    async with opened(tmp_path / "x.db", [REPLICATION], read_only=True) as reading:
        assert await reading.read(count) == 0
        with pytest.raises(BrokenStore, match="readonly"):
            await reading.write(lambda c: add(c, "a"))


def test_migrations_make_the_schema_that_the_tables_describe(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'm.db'}")
    with engine.begin() as connection:
        for migration in migrations_in(*REPLICATION):
            for statement in statements(migration.sql):
                connection.exec_driver_sql(statement)
    with engine.connect() as connection:
        made = {
            name: [
                (c["name"], str(c["type"]).replace("BIGINT", "INTEGER"), c["nullable"])
                for c in inspect(connection).get_columns(name)
            ]
            for name in inspect(connection).get_table_names()
        }
    engine.dispose()
    described = {
        table.name: [
            (c.name, str(c.type.compile(engine.dialect)).replace("BIGINT", "INTEGER"), bool(c.nullable))
            for c in table.columns
        ]
        for table in (*tables.metadata.tables.values(), *transfer_tables.metadata.tables.values())
    }
    assert {name: {c[:2] for c in columns} for name, columns in made.items()} == {
        name: {c[:2] for c in columns} for name, columns in described.items()
    }


async def test_what_a_step_held_is_let_go_of_once_it_is_done(database: Database) -> None:
    """Not only when the next step comes, which may be hours later."""

    class Batch:
        pass

    async def write() -> "weakref.ref[Batch]":
        batch = Batch()
        await database.write(lambda _connection: str(batch))
        return weakref.ref(batch)

    held = await write()

    assert held() is None
