"""The stores on which a hub can keep its catalogue, as far as they are at hand."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from replication.database import Database, opened
from tests.hubs import MIGRATIONS


def hub_stores(folder: Path) -> Iterator[tuple[str, AbstractAsyncContextManager[Database]]]:
    """Yield each kind of store by its name, with an empty one of it."""
    yield "SQLite", opened(folder / "hub.db", MIGRATIONS)
