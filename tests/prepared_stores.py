"""New SQLite stores of a run are copies: what the migrations make of an empty file is the same each time.

Some thousand tests begin with an empty store, and sixty files of SQL cost more than many of them. So the first store of
a kind in a process is migrated, and later ones are given its pages; then the migrations are asked as ever, and find
nothing to do. A file that holds anything already is left alone, and so is whatever other programs make.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.home import SCHEMA as HUB
from node.tables import SCHEMA as NODE
from replication import database
from replication.migrations import REPLICATION

Packages = tuple[tuple[str, Path], ...]

SHIPPED = frozenset({(REPLICATION, HUB), (REPLICATION, NODE)})
"""What the two programs open their stores with; a test that brings its own files of SQL is about migrating."""


@contextmanager
def copied() -> Iterator[None]:
    """Have new stores copied for as long as the block lasts."""
    migrated = database._migrated
    prepared: dict[Packages, sqlite3.Connection] = {}

    async def begun(writer: database._Worker, path: Path, packages: Sequence[tuple[str, Path]]) -> None:
        kind = tuple(packages)
        is_new = kind in SHIPPED and not await writer.execute_fetchall("SELECT 1 FROM sqlite_master LIMIT 1")
        if is_new and kind in prepared:
            await writer._execute(prepared[kind].backup, writer._conn)  # type: ignore[no-untyped-call]
        await migrated(writer, path, packages)
        if is_new and kind not in prepared:
            made = sqlite3.connect(":memory:", check_same_thread=False)
            await writer.backup(made)
            prepared[kind] = made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_migrated", begun)
        yield
    for made in prepared.values():
        made.close()
