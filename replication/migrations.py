"""Schema migrations: plain SQL files, numbered, applied once each, in order, each in one transaction.

A file is named ``NN-what-it-does.sql``. Files are never changed once released; a new number changes the schema.
The table ``migration`` remembers what was applied, package by package, so that the replication tables and the tables
of a node or a hub grow independently in the same file.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from protocol.errors import BrokenStore
from protocol.wording import Text

_NAME = re.compile(r"(\d{2})-([a-z0-9-]+)\.sql")

REPLICATION: tuple[str, Path] = ("replication", Path(__file__).with_name("schema"))
"""The tables of this package, for ``database.opened``."""


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered step of a package's schema."""

    package: str
    number: int
    name: str
    sql: str


def migrations_in(package: str, folder: Path) -> list[Migration]:
    """Read the migrations of a package in their order."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        named = _NAME.fullmatch(path.name)
        if named is None:
            message = f"migration {path.name} is not named NN-what-it-does.sql"
            raise ValueError(message)
        found.append(
            Migration(package=package, number=int(named[1]), name=named[2], sql=path.read_text(encoding="utf-8"))
        )
    return found


def migrate(connection: Connection, packages: Sequence[tuple[str, Path]]) -> None:
    """Apply what is missing.

    Raises:
        BrokenStore: the file was written by a newer version.

    """
    connection.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS migration (package TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,"
        " PRIMARY KEY (package, number))"
    )
    for package, folder in packages:
        known = migrations_in(package, folder)
        done = {
            int(row[0])
            for row in connection.exec_driver_sql("SELECT number FROM migration WHERE package = ?", (package,))
        }
        if done - {migration.number for migration in known}:
            raise BrokenStore(
                Text(zh="数据库由更新的版本建立。", en="the database was written by a newer version"),
                Text(zh="请安装与数据库相同或更新的版本。", en="Install the version that wrote it, or a newer one."),
            )
        for migration in known:
            if migration.number not in done:
                _apply(connection, migration)


def _apply(connection: Connection, migration: Migration) -> None:
    # One statement at a time: the driver's script call would commit the surrounding transaction.
    for statement in statements(migration.sql):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(
        "INSERT INTO migration (package, number, name) VALUES (?, ?, ?)",
        (migration.package, migration.number, migration.name),
    )


def statements(sql: str) -> list[str]:
    """Split a script into its statements; migrations hold no semicolons inside texts and no triggers."""
    plain = "\n".join(line for line in sql.splitlines() if not line.lstrip().startswith("--"))
    return [part.strip() for part in plain.split(";") if part.strip()]
