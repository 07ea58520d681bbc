"""Snapshots of the hub's database: a copy of one committed state, made while the hub goes on writing.

- The copy is made by SQLite's backup API from a connection that holds a reading transaction all the while. Without it
  the API would begin again whenever somebody else writes, and under load never end. What is written meanwhile waits in
  the write-ahead log, which therefore grows for as long as the copying takes.
- What a snapshot says of itself (``Inventory``) is read in that same transaction, so the copy can be held against it.
- The copy is one file without a log, so that it can be read from a disk that nobody may write.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection, NullPool, Row, Select, column, create_engine, func, inspect, select, table
from sqlalchemy.exc import DBAPIError

from hub.keeping.course import Course, Stage, Stopped
from hub.storage.faces import FACE_TABLES
from hub.storage.moving import MOVE_TABLE
from hub.storage.postgres_index import is_part_of_an_index
from hub.tables import entry
from protocol.wording import Text
from replication.database import BUSY_TIMEOUT_MS, translated
from replication.dialects import is_postgres
from replication.digests import Tally
from replication.tables import tally_columns, watermark

COPY_PAGES = 512
"""Pages copied in one step: 4 MB, a few hundredths of a second on a slow disk."""

FAULTS_MAX = 20
"""Faults of a database that are named."""

WATCHED_EVERY = 200_000
"""Instructions of the database's machine between looks whether a long query is still wanted: some milliseconds."""


class SiteInventory(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot holds of one site."""

    site: str
    records: int = 0
    digest: str = ""
    """Tally of the records' digests, as `verify` compares it."""
    epoch: str = ""
    position: int = 0
    """How far the site's history is applied in it."""


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot holds; equal for equal content."""

    sites: tuple[SiteInventory, ...]
    rows: dict[str, int]
    """Rows of every table."""
    migrations: tuple[str, ...]

    @property
    def records(self) -> int:
        """Records of all sites."""
        return sum(one.records for one in self.sites)


def copy(source: Path, target: Path, course: Course, rest: float = 0.0) -> Inventory:
    """Copy the last committed state of a database into a new file, and return what that state holds.

    Args:
        source: the database of a hub that may be running.
        target: the copy; not there yet.
        course: told of the pages copied.
        rest: seconds of rest for every second of copying, to leave the disk to others.

    Raises:
        StorageFull: the target has no room.
        BrokenStore: the database is damaged.
        Stopped: as the course said.

    """
    with reading(source, course) as connection, _new(target) as made:
        held = inventory(connection)
        began = time.monotonic()

        def step(_status: int, remaining: int, total: int) -> None:
            nonlocal began
            course.at(Stage.COPY, total - remaining, total)
            course.rest(rest * (time.monotonic() - began))
            began = time.monotonic()

        try:
            _raw(connection).backup(made, pages=COPY_PAGES, progress=step)
            # Only now does the copy know that its source kept a log.
            made.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            raise translated(error, target) from error
    return held


def examine(path: Path, course: Course, *, thorough: bool = False) -> tuple[Inventory, tuple[Text, ...]]:
    """Return what a copy holds and what is wrong with it; nobody may be writing it.

    Args:
        path: a copy made by ``copy``, on a disk that need not be writable.
        course: told that an examination goes on.
        thorough: also hold every index against its table.

    Raises:
        BrokenStore: the copy cannot be read at all.
        Stopped: as the course said.

    """
    with reading(path, course, alone=True) as connection:
        course.at(Stage.EXAMINE, 0, 0)
        check = "integrity_check" if thorough else "quick_check"
        said = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA {check}({FAULTS_MAX})")]
        faults = tuple(Text(zh=f"数据库：{one}", en=f"database: {one}") for one in said if one != "ok")
        held = inventory(connection)
        course.at(Stage.EXAMINE, 1, 1)
        return held, faults


def inventory(connection: Connection) -> Inventory:
    """Return what the state holds that this connection reads."""
    marks = {row.site: row for row in connection.execute(marks_statement())}
    held = {row.site: row for row in connection.execute(tallies_statement())}
    return Inventory(
        sites=tuple(_site(site, held.get(site), marks.get(site)) for site in sorted(held.keys() | marks.keys())),
        rows={name: _rows(connection, name) for name in _tables(connection)},
        migrations=tuple(
            sorted(
                f"{row.package}/{row.number:02d}-{row.name}" for row in connection.execute(migrations_statement()).all()
            )
        ),
    )


def tallies_statement() -> Select[str, int, int, int]:
    """The tally of every site: one walk along an index."""
    count, high, low = tally_columns(entry.c.digest)
    return (
        select(entry.c.site, count.label("records"), high.label("high"), low.label("low"))
        .where(entry.c.body.is_not(None))
        .group_by(entry.c.site)
    )


def marks_statement() -> Select[str, str, int]:
    """How far every site is applied."""
    return select(watermark.c.site, watermark.c.epoch, watermark.c.position)


def migrations_statement() -> Select[str, int, str]:
    """The steps of the schema that were applied."""
    migration = table("migration", column("package"), column("number"), column("name"))
    return select(migration.c.package, migration.c.number, migration.c.name)


def schema_statement() -> Select[str, str]:
    """The names of all tables and the words that made them."""
    schema = table("sqlite_master", column("type"), column("name"), column("sql"))
    return select(schema.c.name, schema.c.sql).where(schema.c.type == "table").order_by(schema.c.name)


def _tables(connection: Connection) -> list[str]:
    """Return the ordinary tables; those in which an index keeps itself are its own affair."""
    if is_postgres(connection):
        names = set(inspect(connection).get_table_names()) - {MOVE_TABLE}
        return sorted(name for name in names if not is_part_of_an_index(name))
    schema = [(row.name, row.sql or "") for row in connection.execute(schema_statement())]
    virtual = tuple(name for name, sql in schema if sql.upper().startswith("CREATE VIRTUAL"))
    inner = tuple(f"{name}_" for name in virtual)
    own = (*virtual, *FACE_TABLES)
    return [name for name, _ in schema if name not in own and not name.startswith(("sqlite_", *inner))]


def _rows(connection: Connection, name: str) -> int:
    return connection.execute(select(func.count()).select_from(table(name))).scalar_one()


def _site(site: str, held: Row[str, int, int, int] | None, mark: Row[str, str, int] | None) -> SiteInventory:
    tally = Tally() if held is None else Tally(count=held.records, high=held.high, low=held.low)
    return SiteInventory(
        site=site,
        records=tally.count,
        digest=tally.digest,
        epoch=mark.epoch if mark is not None else "",
        position=mark.position if mark is not None else 0,
    )


@contextmanager
def reading(path: Path, course: Course, *, alone: bool = False) -> Iterator[Connection]:
    """Read one state of a database for as long as the block lasts, in this thread.

    Args:
        path: the database.
        course: ends long queries when it is stopped.
        alone: nobody writes the file, and nothing may be written beside it.

    """
    mode = "mode=ro&immutable=1" if alone else "mode=ro"
    try:
        with closing(_opened(path, mode)) as raw:
            raw.set_progress_handler(lambda: course.is_stopped, WATCHED_EVERY)
            engine = create_engine("sqlite://", creator=lambda: raw, poolclass=NullPool)
            with engine.connect() as connection:
                raw.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
                raw.execute("BEGIN")
                yield connection
    except (DBAPIError, sqlite3.Error) as error:
        if course.is_stopped:
            raise Stopped from error
        if isinstance(error, DBAPIError) and not isinstance(error.orig, sqlite3.Error):
            # Of the other store that the block works with: this file is sound.
            raise
        raise translated(error, path) from error


@contextmanager
def changing(path: Path) -> Iterator[Connection]:
    """Change a database that nobody else has open, in one transaction that is on the disk at the end of the block."""
    try:
        with closing(_opened(path, "mode=rw")) as raw:
            engine = create_engine("sqlite://", creator=lambda: raw, poolclass=NullPool)
            with engine.connect() as connection:
                raw.execute("BEGIN IMMEDIATE")
                yield connection
                raw.execute("COMMIT")
    except (DBAPIError, sqlite3.Error) as error:
        raise translated(error, path) from error


@contextmanager
def _new(path: Path) -> Iterator[sqlite3.Connection]:
    """Make a file that nobody else knows yet; file servers need not understand locks for it."""
    try:
        with closing(_opened(path, "mode=rwc&vfs=unix-none")) as made:
            made.execute("PRAGMA locking_mode = EXCLUSIVE")
            # It is synchronised once, when it is whole; a power cut before leaves what nobody takes for a backup.
            made.execute("PRAGMA synchronous = OFF")
            yield made
    except sqlite3.Error as error:
        raise translated(error, path) from error


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(path.as_posix())}?{mode}", uri=True, isolation_level=None)


def _raw(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        message = "snapshots are made of SQLite files"
        raise TypeError(message)
    return raw
