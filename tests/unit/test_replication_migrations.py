"""Migrations: whole or resumable, killed at any moment, with readers served throughout."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine

from protocol.errors import BrokenStore, Retryable
from replication import database as databases
from replication import migrations
from replication.database import opened
from replication.migrations import CHUNK_ROWS, advance, migrate, migrations_in, pending

FIRST = "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL DEFAULT '')"
CHUNKED = (
    "-- chunked: thing.id\n-- Names are compared in lower case.\n"
    "UPDATE thing SET folded = lower(name) WHERE id > :after AND id <= :until"
)


def folder(tmp_path: Path, *scripts: str) -> Path:
    """A package's folder with these migrations, numbered from 1."""
    made = tmp_path / "schema"
    made.mkdir(exist_ok=True)
    for number, script in enumerate(scripts, 1):
        (made / f"{number:02}-step.sql").write_text(script, encoding="utf-8")
    return made


async def filled(tmp_path: Path, rows: int) -> list[tuple[str, Path]]:
    """A file of the first version with rows in it; returns the packages of the second version."""
    async with opened(tmp_path / "x.db", [("p", folder(tmp_path, FIRST))]) as database:
        names = [(7 * number - rows, f"Name{number}") for number in range(rows)]
        if names:
            insertion = "INSERT INTO thing (id, name) VALUES (?, ?)"
            await database.write(lambda connection: connection.exec_driver_sql(insertion, names))
    return [("p", folder(tmp_path, FIRST, CHUNKED, "CREATE INDEX by_folded ON thing (folded)"))]


def left(path: Path) -> int:
    with sqlite3.connect(path) as raw:
        found: int = raw.execute("SELECT count(*) FROM thing WHERE folded <> lower(name)").fetchone()[0]
    raw.close()
    return found


def test_two_migrations_of_one_number_are_noticed(tmp_path: Path) -> None:
    """Two branches that both add number 03 would otherwise apply only one of them, without a word."""
    made = folder(tmp_path, FIRST)
    (made / "01-other.sql").write_text("CREATE TABLE other (id INTEGER)", encoding="utf-8")

    with pytest.raises(ValueError, match="same number"):
        migrations_in("p", made)


def test_a_chunked_migration_holds_one_statement(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="more than one statement"):
        migrations_in("p", folder(tmp_path, f"{CHUNKED}; SELECT 1"))


@pytest.mark.parametrize("rows", [0, 1, CHUNK_ROWS, 2 * CHUNK_ROWS + 1])
async def test_every_row_is_passed_once(tmp_path: Path, rows: int) -> None:
    packages = await filled(tmp_path, rows)
    async with opened(tmp_path / "x.db", packages):
        pass
    with sqlite3.connect(tmp_path / "x.db") as raw:
        done = raw.execute("SELECT number FROM migration WHERE package = 'p' ORDER BY 1").fetchall()
        open_ends = raw.execute("SELECT count(*) FROM migration_progress").fetchone()
    raw.close()

    assert (left(tmp_path / "x.db"), done, open_ends) == (0, [(1,), (2,), (3,)], (0,))


class PowerCutError(BaseException):
    """The end of a process."""


async def test_a_migration_that_is_killed_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each chunk is committed with its progress: after the cut only the rest is passed."""
    packages = await filled(tmp_path, 3 * CHUNK_ROWS)
    passed: list[int] = []

    def cut_at_the_second(connection: Connection, migration: migrations.Migration) -> migrations.Progress:
        progress = advance(connection, migration)
        passed.append(progress.done)
        if progress.done == 2 * CHUNK_ROWS and not progress.is_done:
            raise PowerCutError
        return progress

    monkeypatch.setattr(databases, "advance", cut_at_the_second)
    with pytest.raises(PowerCutError):
        async with opened(tmp_path / "x.db", packages):
            pass
    remaining = left(tmp_path / "x.db")
    monkeypatch.undo()
    resumed: list[int] = []

    def count(connection: Connection, migration: migrations.Migration) -> migrations.Progress:
        progress = advance(connection, migration)
        resumed.append(progress.done)
        return progress

    monkeypatch.setattr(databases, "advance", count)
    async with opened(tmp_path / "x.db", packages):
        pass

    assert (passed, remaining) == ([CHUNK_ROWS, 2 * CHUNK_ROWS], 2 * CHUNK_ROWS)
    assert resumed[:2] == [2 * CHUNK_ROWS, 3 * CHUNK_ROWS]
    assert left(tmp_path / "x.db") == 0


async def test_a_plain_migration_that_fails_leaves_those_before_it(tmp_path: Path) -> None:
    await filled(tmp_path, 1)
    broken = [
        ("p", folder(tmp_path, FIRST, CHUNKED, "CREATE TABLE more (id INTEGER); CREATE TABLE thing (id INTEGER)"))
    ]
    with pytest.raises(BrokenStore, match="already exists"):
        async with opened(tmp_path / "x.db", broken):
            pass
    with sqlite3.connect(tmp_path / "x.db") as raw:
        tables = {row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        done = raw.execute("SELECT number FROM migration ORDER BY 1").fetchall()
    raw.close()

    assert ("more" in tables, done) == (False, [(1,), (2,)])


async def test_whoever_reads_is_served_during_a_migration(tmp_path: Path) -> None:
    """Reads never wait for the writer, whatever it rewrites; the slowest answer is measured."""
    packages = await filled(tmp_path, 40 * CHUNK_ROWS)
    slowest_s, looks, done = 0.0, 0, asyncio.Event()

    async def upgrade() -> None:
        async with opened(tmp_path / "x.db", packages):
            done.set()

    async with opened(tmp_path / "x.db", (), read_only=True) as reading, asyncio.TaskGroup() as tasks:
        tasks.create_task(upgrade())
        while not done.is_set():
            began = time.perf_counter()
            rows = await reading.fetch("SELECT name FROM thing WHERE id BETWEEN 0 AND 700 ORDER BY id LIMIT 20")
            slowest_s, looks = max(slowest_s, time.perf_counter() - began), looks + 1
            assert len(rows) == 20
            await asyncio.sleep(0.005)

    assert looks > 5
    assert slowest_s < 20


async def test_two_programs_that_upgrade_at_once_do_it_once(tmp_path: Path) -> None:
    packages = await filled(tmp_path, 2 * CHUNK_ROWS)

    async def upgrade() -> None:
        async with opened(tmp_path / "x.db", packages):
            pass

    await asyncio.gather(upgrade(), upgrade())
    assert left(tmp_path / "x.db") == 0


async def test_a_command_on_a_database_that_is_not_upgraded_yet_says_so(tmp_path: Path) -> None:
    """It used to say that the database was damaged and should be restored from a backup."""
    await filled(tmp_path, 1)
    async with opened(tmp_path / "x.db", (), read_only=True) as reading:
        with pytest.raises(Retryable, match="not upgraded yet"):
            await reading.fetch("SELECT of_tomorrow FROM thing")


async def test_a_long_migration_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = await filled(tmp_path, 3 * CHUNK_ROWS)
    told: list[tuple[str, object, object]] = []

    class Log:
        def info(self, event: str, **facts: object) -> None:
            told.append((event, facts["done"], facts["total"]))

    monkeypatch.setattr(databases, "log", Log())
    monkeypatch.setattr(databases, "PROGRESS_EVERY_S", 0.0)
    async with opened(tmp_path / "x.db", packages):
        pass

    rows = 3 * CHUNK_ROWS
    steps: Sequence[tuple[str, object, object]] = [("database_migrating", n * CHUNK_ROWS, rows) for n in (1, 2, 3)]
    assert told[:4] == [*steps, ("database_migrated", rows, rows)]


def test_all_at_once_is_the_same_as_step_by_step(tmp_path: Path) -> None:
    engine = create_engine("sqlite://")
    package = ("p", folder(tmp_path, FIRST, "INSERT INTO thing (id, name) VALUES (-5, 'A'), (9, 'B')", CHUNKED))
    with engine.begin() as connection:
        migrate(connection, [package])
        rows = connection.exec_driver_sql("SELECT id, folded FROM thing ORDER BY id").all()
        missing = pending(connection, [package])
    engine.dispose()

    assert ([tuple(row) for row in rows], missing) == ([(-5, "a"), (9, "b")], [])


def test_a_chunked_migration_counts_its_rows_once(tmp_path: Path) -> None:
    """The time of counting at each chunk grows with the square of the rows."""
    engine = create_engine("sqlite://")
    rows = (
        "INSERT INTO thing (id, name) WITH RECURSIVE n (id) AS"
        f" (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT {3 * CHUNK_ROWS}) SELECT id, 'A' FROM n"
    )
    counted: list[str] = []
    with engine.begin() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        migrate(connection, [("p", folder(tmp_path, FIRST, rows))])
        raw.set_trace_callback(lambda sql: counted.append(sql) if "count(*) FROM thing" in sql else None)
        migrate(connection, [("p", folder(tmp_path, FIRST, rows, CHUNKED))])
        raw.set_trace_callback(None)
    engine.dispose()

    assert len(counted) == 1
