"""The stores on which a hub can keep its catalogue, as far as they are at hand."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from replication.database import Database
from tests import postgres_server
from tests.postgres_server import PostgresServer
from tests.stores import PostgresStore, SqliteStore


def hub_stores(folder: Path) -> Iterator[tuple[str, AbstractAsyncContextManager[Database]]]:
    """Yield each kind of store by its name, with an empty one of it."""
    yield "SQLite", SqliteStore(folder / "hub.db").opened()
    programs = postgres_server.programs()
    if programs is None:
        return
    server = PostgresServer(programs)
    try:
        server.make()
        server.start()
        yield "PostgreSQL", PostgresStore(server, folder).opened()
    finally:
        server.remove()
