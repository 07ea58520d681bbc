"""The stores on which a hub keeps its catalogue, for tests that hold on each of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from hub.home import SCHEMA
from hub.storage import postgres
from replication import database as sqlite
from replication.database import Database
from replication.migrations import REPLICATION
from tests.postgres_server import PostgresServer

KINDS = ("sqlite", "postgresql")

ONLY_SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
"""For a test that looks into what only that store has."""

ONLY_POSTGRES = pytest.mark.parametrize("store", ["postgresql"], indirect=True)
"""As above."""

MIGRATIONS = (REPLICATION, SCHEMA)


class Store(Protocol):
    """One empty store of a test."""

    kind: str

    def opened(
        self, migrations: Sequence[tuple[str, Path]] = MIGRATIONS, *, readers: int = 1, read_only: bool = False
    ) -> AbstractAsyncContextManager[Database]:
        """Open the store; the same one at each call."""


class SqliteStore:
    """A file."""

    kind = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path

    @asynccontextmanager
    async def opened(
        self, migrations: Sequence[tuple[str, Path]] = MIGRATIONS, *, readers: int = 1, read_only: bool = False
    ) -> AsyncIterator[Database]:
        async with sqlite.opened(self.path, migrations, readers=readers, read_only=read_only) as database:
            yield database


class PostgresStore:
    """A database of a server; made when it is first opened, as a copy of ``template`` where that has its schema."""

    kind = "postgresql"

    def __init__(self, server: PostgresServer, folder: Path, template: str = "") -> None:
        self.folder = folder
        self._server = server
        self._template = template
        self._name = ""

    @property
    def url(self) -> str:
        """Where it is."""
        if not self._name:
            self._name = self._server.database(self._template or "template0")
        return self._server.url(self._name)

    @asynccontextmanager
    async def opened(
        self, migrations: Sequence[tuple[str, Path]] = MIGRATIONS, *, readers: int = 1, read_only: bool = False
    ) -> AsyncIterator[Database]:
        if tuple(migrations) != MIGRATIONS and not self._name:
            self._template = ""
        made = postgres.opened(self.url, self.folder, migrations, readers=readers, read_only=read_only)
        async with made as database:
            yield database

    @asynccontextmanager
    async def beats(self) -> AsyncIterator[Database]:
        """Open the workers' way to their leases in it."""
        async with postgres.opened(self.url, self.folder, (), lock=postgres.BEATS_LOCK) as database:
            yield database

    def keep(self) -> str:
        """Return its name; it stays as it is, to be copied."""
        return self._name

    def drop(self) -> None:
        """Drop it, if it was ever made."""
        if self._name:
            self._server.drop(self._name)
