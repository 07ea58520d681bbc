"""The full-text index as the rest of the hub sees it: each store has its own kind."""

from collections.abc import Collection
from typing import Final, Protocol

from sqlalchemy import Connection

from hub.postgres_index import PostgresIndex
from hub.sqlite_index import SqliteIndex
from replication.dialects import is_postgres

PRESENT: Final = "search"
"""Name of the index that answers."""

NEXT: Final = "search_next"
"""Name of the one that is being built beside it."""


class TextIndex(Protocol):
    """What the stores' indexes have in common. Terms are words with blanks between them (``protocol.analysis``)."""

    joined: str
    """What follows FROM: the index and the entries it leads to."""
    matching: str
    """The condition that holds for what is found, with one mark for what ``question`` returns."""

    def question(self, match: str) -> str:
        """Return an expression of ``protocol.analysis.match_query`` as the index wants it."""

    def write(
        self, connection: Connection, name: str, gone: Collection[tuple[int, str]], new: Collection[tuple[int, str]]
    ) -> None:
        """Take rows out of an index and put others in; ``gone`` comes with the terms that were put in."""

    def clear(self, connection: Connection) -> None:
        """Empty the present index."""

    def make_next(self, connection: Connection) -> None:
        """Make an empty index beside the present one."""

    def drop_next(self, connection: Connection) -> None:
        """Drop the index that was being built, if there is one."""

    def put_next_in_place(self, connection: Connection) -> None:
        """Have the index that was built take the place of the present one."""

    def merge(self, connection: Connection) -> bool:
        """Put what was written in order, a little at a time; False if nothing is left to do."""


_SQLITE: Final = SqliteIndex()
_POSTGRES: Final = PostgresIndex()


def index_of(connection: Connection) -> TextIndex:
    """Return the index of the store that a connection leads to."""
    return _POSTGRES if is_postgres(connection) else _SQLITE
