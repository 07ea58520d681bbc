"""The full-text index as the rest of the hub sees it: each store has its own kind.

Everything else of a search is standard SQL over the catalogue; what differs between the stores' indexes is here.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from hub.storage.faces import Face
from hub.storage.postgres_index import PostgresIndex
from hub.storage.selections import Selection
from hub.storage.sqlite_index import SqliteIndex, segments
from protocol.expressions import Expression, Run
from protocol.index_rows import IndexRow
from replication.dialects import is_postgres

PRESENT: Final = "search"
"""Name of the index that answers."""

NEXT: Final = "search_next"
"""Name of the one that is being built beside it."""


class TextIndex(Protocol):
    """What the stores' indexes have in common."""

    source: str
    """What stands behind FROM for the index alone; its rows have a ``rowid``."""
    entries: str
    """What stands behind FROM for the entries with a body: their docid, face and dates."""
    matching: str
    """The condition that holds for what is found, with one mark for what ``question`` returns."""
    years_and_faces: str
    """Aggregates that write the year and the face of each ``entry`` into texts."""

    orders_last: bool
    """Whether everything is found before any is left out: counting the newest first would find the others once more,
    and so would each rank of them. An entry that is found can be asked for its rank instead."""

    def question(self, connection: Connection, expression: Expression) -> str:
        """Return an expression as the index wants it."""

    def told(self, connection: Connection, *lines: str) -> tuple[list[int], list[Face]]:
        """Return the years and the faces that ``years_and_faces`` has written of at least one entry."""

    def statement(self, connection: Connection, selection: Selection) -> tuple[str, Any]:
        """Return a statement for the docids of a selection that reads no more than it needs, and its values.

        With their ranks (``rank``) where ``orders_last``, and with their faces (``face``) where they are wanted.
        """

    def standing(self, connection: Connection, runs: Sequence[Run]) -> list[bool]:
        """Tell of each run whether it stands anywhere in the index, all in one statement."""

    def reach(self, connection: Connection, terms: Sequence[str], entries: int) -> Sequence[int] | None:
        """Return the docid of the entry that is so many entries with each term ago; 0 if there are not so many.

        None where nobody needs to ask for less than a whole phrase.
        """

    def bounded(
        self,
        connection: Connection,
        budget_s: float,
        expression: Expression | None = None,
        *,
        is_glimpse: bool = False,
    ) -> AbstractContextManager[None]:
        """Have statements end with ``hub.searching.time_budgets.Cut`` once they have taken so long; they ask so.

        A glimpse ends so, too, where the index looks on far below the lowest number, for the next match.
        """

    def write(
        self,
        connection: Connection,
        name: str,
        gone: Collection[tuple[int, IndexRow]],
        new: Collection[tuple[int, IndexRow]],
    ) -> None:
        """Take rows out of an index and put others in, in their order; ``gone`` comes with what was put in."""

    def add_outdated(self, connection: Connection, new: Collection[tuple[int, IndexRow]]) -> None:
        """Put rows into the present index, whatever version made it."""

    def clear(self, connection: Connection) -> None:
        """Empty the present index, which has this version's columns then, and drop what was being built beside it."""

    def make_next(self, connection: Connection) -> None:
        """Make an empty index beside the present one, in the place of one that was being built."""

    def put_next_in_place(self, connection: Connection) -> None:
        """Have the index that was built take the place of the present one."""

    def merge(self, connection: Connection, pages: int) -> bool:
        """Put what was written in order, so many pages at a time; False if nothing is left to do."""


_SQLITE: Final = SqliteIndex()
_POSTGRES: Final = PostgresIndex()


def index_of(connection: Connection) -> TextIndex:
    """Return the index of the store that a connection leads to."""
    return _POSTGRES if is_postgres(connection) else _SQLITE


def segments_of(connection: Connection) -> int:
    """Return of how many parts, each left by a write, a question has to make its answer.

    PostgreSQL, which bounds by itself what waits in an index's list, counts as none.
    """
    return 0 if is_postgres(connection) else segments(connection)
