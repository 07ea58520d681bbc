"""Schema migrations: plain SQL files, numbered, applied once each, in order; each is whole or resumable.

A file is named ``NN-what-it-does.sql``. Files are never changed once released; a new number changes the schema.
The table ``migration`` remembers what was applied, package by package, so that the replication tables and the tables
of a node or a hub grow independently in the same file.

- A plain file is one transaction: killed in the middle, it starts again.
- A file that begins with ``-- chunked: TABLE.KEY`` holds one statement with ``:after`` and ``:until`` and is applied to
  ``CHUNK_ROWS`` keys at a time, each chunk with its progress in one transaction: killed in the middle, it goes on.

Who only reads sees one whole state throughout, and is never kept waiting.

The files serve both stores: they are in the words of SQLite, and ``dialects`` says them in PostgreSQL's. Where that
does not do, a file of the same name in the sub-folder ``postgresql`` stands in the place of one, in words of its own.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from protocol.errors import BrokenStore
from protocol.wording import Text
from replication.dialects import POSTGRES, schema_words

CHUNK_ROWS = 5_000
"""Keys that a chunked migration passes in one transaction: a fraction of a second, for whoever waits to write."""

_NAME = re.compile(r"(\d{2,3})-([a-z0-9-]+)\.sql")
_CHUNKED = re.compile(r"-- chunked: ([a-z_]+)\.([a-z_]+)\s")

REPLICATION: tuple[str, Path] = ("replication", Path(__file__).with_name("schema"))
"""The tables of this package, for ``database.opened``."""


class Chunks(msgspec.Struct, frozen=True, kw_only=True):
    """What a chunked migration walks along: an integer key."""

    table: str
    key: str


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered step of a package's schema."""

    package: str
    number: int
    name: str
    sql: str
    chunks: Chunks | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a migration has come."""

    package: str
    number: int
    name: str
    done: int = 0
    """Rows passed."""
    total: int = 0
    """Rows to pass; 0 for a plain migration, which is one step."""
    is_done: bool = False


def migrations_in(package: str, folder: Path, dialect: str = "") -> list[Migration]:
    """Read the migrations of a package in their order, in the words of a store; of SQLite where none is named."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        named = _NAME.fullmatch(path.name)
        if named is None:
            message = f"migration {path.name} is not named NN-what-it-does.sql"
            raise ValueError(message)
        sql = _words(path, dialect)
        chunked = _CHUNKED.match(sql)
        if chunked is not None and len(statements(sql)) != 1:
            message = f"migration {path.name} is chunked and holds more than one statement"
            raise ValueError(message)
        chunks = Chunks(table=chunked[1], key=chunked[2]) if chunked else None
        found.append(Migration(package=package, number=int(named[1]), name=named[2], sql=sql, chunks=chunks))
    numbers = [migration.number for migration in found]
    if len(numbers) != len(set(numbers)):
        message = f"two migrations of {package} have the same number: {numbers}"
        raise ValueError(message)
    return sorted(found, key=lambda migration: migration.number)


def _words(path: Path, dialect: str) -> str:
    own = path.parent / POSTGRES / path.name
    if dialect == POSTGRES:
        return own.read_text(encoding="utf-8") if own.exists() else schema_words(path.read_text(encoding="utf-8"))
    return path.read_text(encoding="utf-8")


def pending(connection: Connection, packages: Sequence[tuple[str, Path]]) -> list[Migration]:
    """Return the migrations that are missing, in the order in which they must be applied.

    Raises:
        BrokenStore: the file was written by a newer version.

    """
    connection.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS migration (package TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,"
        " PRIMARY KEY (package, number))"
    )
    missing: list[Migration] = []
    for package, folder in packages:
        known = migrations_in(package, folder, connection.dialect.name)
        done = _done(connection, package)
        if done - {migration.number for migration in known}:
            raise BrokenStore(
                Text(zh="数据库由更新的版本建立。", en="the database was written by a newer version"),
                Text(zh="请安装与数据库相同或更新的版本。", en="Install the version that wrote it, or a newer one."),
            )
        missing += [migration for migration in known if migration.number not in done]
    return missing


def advance(connection: Connection, migration: Migration) -> Progress:
    """Apply a migration, or the next chunk of one, inside the caller's transaction; tells whether it is done.

    Another process may apply the same one at the same time: whoever comes second finds it done.
    """
    if migration.number in _done(connection, migration.package):
        return _progress(migration, is_done=True)
    if migration.chunks is not None:
        return _advance_chunk(connection, migration, migration.chunks)
    # One statement at a time: the driver's script call would commit the surrounding transaction.
    for statement in statements(migration.sql):
        connection.exec_driver_sql(statement)
    _remember(connection, migration)
    return _progress(migration, is_done=True)


def migrate(connection: Connection, packages: Sequence[tuple[str, Path]]) -> None:
    """Apply what is missing in the caller's one transaction: for small and for new databases.

    Raises:
        BrokenStore: the file was written by a newer version.

    """
    for migration in pending(connection, packages):
        for _ in steps(connection, migration):
            continue


def steps(connection: Connection, migration: Migration) -> Iterator[Progress]:
    """Apply a migration to its end, chunk by chunk."""
    while True:
        progress = advance(connection, migration)
        yield progress
        if progress.is_done:
            return


def _done(connection: Connection, package: str) -> set[int]:
    rows = connection.exec_driver_sql("SELECT number FROM migration WHERE package = ?", (package,))
    return {int(row[0]) for row in rows}


def _remember(connection: Connection, migration: Migration) -> None:
    connection.exec_driver_sql(
        "INSERT INTO migration (package, number, name) VALUES (?, ?, ?)",
        (migration.package, migration.number, migration.name),
    )


def _advance_chunk(connection: Connection, migration: Migration, chunks: Chunks) -> Progress:
    which = (migration.package, migration.number)
    after, done, total = _reached(connection, migration, chunks)
    passed, until = connection.exec_driver_sql(
        f"SELECT count(*), max({chunks.key}) FROM (SELECT {chunks.key} FROM {chunks.table}"  # noqa: S608 - names of a file of ours
        f" WHERE {chunks.key} > ? ORDER BY {chunks.key} LIMIT ?) AS chunk",
        (after, CHUNK_ROWS),
    ).one()
    if not passed:
        connection.exec_driver_sql("DELETE FROM migration_progress WHERE package = ? AND number = ?", which)
        _remember(connection, migration)
        return _progress(migration, done, max(total, done), is_done=True)
    (statement,) = statements(migration.sql)
    connection.exec_driver_sql(statement, {"after": after, "until": until})
    connection.exec_driver_sql(
        "UPDATE migration_progress SET after_key = ?, done = ? WHERE package = ? AND number = ?",
        (until, done + passed, *which),
    )
    return _progress(migration, done + passed, max(total, done + passed))


def _reached(connection: Connection, migration: Migration, chunks: Chunks) -> tuple[int, int, int]:
    """Return the last key passed, how many were passed, and how many there were at the start."""
    connection.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS migration_progress (package TEXT NOT NULL, number INTEGER NOT NULL,"
        " after_key BIGINT, done INTEGER NOT NULL, total INTEGER NOT NULL, PRIMARY KEY (package, number))"
    )
    which = (migration.package, migration.number)
    reached = "SELECT after_key, done, total FROM migration_progress WHERE package = ? AND number = ?"
    row = connection.exec_driver_sql(reached, which).one_or_none()
    if row is None:
        # Only now: counting reads the whole table, and a chunk is a small part of it.
        connection.exec_driver_sql(
            "INSERT INTO migration_progress (package, number, done, total)"  # noqa: S608 - names of a file of ours
            f" VALUES (?, ?, 0, (SELECT count(*) FROM {chunks.table})) ON CONFLICT DO NOTHING",
            which,
        )
        row = connection.exec_driver_sql(reached, which).one()
    # Below every key, so that the first chunk needs no statement of its own.
    return -(2**63) if row[0] is None else row[0], row[1], row[2]


def _progress(migration: Migration, done: int = 0, total: int = 0, *, is_done: bool = False) -> Progress:
    return Progress(
        package=migration.package,
        number=migration.number,
        name=migration.name,
        done=done,
        total=total,
        is_done=is_done,
    )


def statements(sql: str) -> list[str]:
    """Split a script into its statements; those of a trigger's body stay in it."""
    plain = "\n".join(line for line in sql.splitlines() if not line.lstrip().startswith("--"))
    found, begun = [], ""
    for part in plain.split(";"):
        begun += part
        if sqlite3.complete_statement(f"{begun};"):
            found.append(begun.strip())
            begun = ""
        else:
            begun += ";"
    return [one for one in found if one]
