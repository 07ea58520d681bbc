"""The site's search index, which follows the records: new ones wait outside of it until their events have left.

Cutting the words of a record and putting them into the index is a quarter of the work of an import, and nothing that
the county waits for. So an import stores records and events; when its rows are through, the index takes what waits, in
steps. What waits is written down with the records themselves, in the same transaction, so that after a kill the index
goes on where it stood. Until then an answer says how many records it knows nothing of, and up to which position it
speaks (promise 10).

What waits is one line a year: numbers of a year only grow, so those beyond the line's number wait. Whoever changes or
withdraws a record that waits leaves the index alone; it takes the record as it is when its turn comes.
"""

from collections.abc import Iterable, Mapping
from functools import partial

import msgspec
from sqlalchemy import Connection

from node.courtesy import Courtesy
from protocol.analysis import ANALYSIS_VERSION
from protocol.codec import decode_record
from protocol.index_rows import INDEX_COLUMNS, IndexRow, index_rows
from replication.database import Database

DOCIDS_A_YEAR = 10**9
"""Numbers of one year in the search index: its order is the order of years, so newest first is a walk."""

TERMS_VERSION = 2
"""Version of the choice of fields and marks in ``protocol.index_rows``, kept with that of the analysis."""

INDEXED_ROWS = 4_000
"""Records of one step: a tenth of a second in which nothing else can be written."""

WAITING_MAX = 100_000
"""Records that an import leaves waiting before it lets the index catch up: some ten seconds of reading."""

WAITING = (
    "SELECT min(since), sum(max(0, (SELECT max(docid) FROM record"  # noqa: S608 - a constant
    f" WHERE docid < (year + 1) * {DOCIDS_A_YEAR}) - after)) FROM unindexed"
)
"""Up to which position the index speaks, and how many records wait, at most; two NULLs if it holds all of them."""

IS_INDEXED = (
    "NOT EXISTS (SELECT 1 FROM unindexed"  # noqa: S608 - a constant
    f" WHERE year = record.docid / {DOCIDS_A_YEAR} AND record.docid > after)"
)
"""The clause for a record that does not wait."""

_NAMES = ", ".join(INDEX_COLUMNS)
_PUT = f"INSERT INTO search (rowid, {_NAMES}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
_TAKE_OUT = f"INSERT INTO search (search, rowid, {_NAMES}) VALUES ('delete', ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
_POSTPONE = (
    "INSERT INTO unindexed (year, after, since) VALUES (?, ?, ?)"
    # Behind a record that has left for another year, its number is given again.
    " ON CONFLICT (year) DO UPDATE SET after = min(after, excluded.after)"
)
_NEXT = (
    "SELECT docid, CASE WHEN standing <> 'gone' THEN body END FROM record"
    " WHERE docid > ? AND docid < ? ORDER BY docid LIMIT ?"
)


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Which records wait."""

    after: Mapping[int, int]
    """By year: its records beyond this number."""

    def holds(self, docid: int) -> bool:
        """Tell whether a record waits."""
        after = self.after.get(docid // DOCIDS_A_YEAR)
        return after is not None and docid > after


def waiting(connection: Connection) -> Waiting:
    """Return which records wait: nearly always none."""
    rows = connection.exec_driver_sql("SELECT year, after FROM unindexed")
    return Waiting(after=dict(map(tuple, rows)))


def count_waiting(connection: Connection) -> int:
    """Return how many records wait, at most."""
    return connection.exec_driver_sql(WAITING).one()[1] or 0


def postpone(connection: Connection, docids: Iterable[int], since: int) -> None:
    """Note new records that the index is to take later.

    Args:
        connection: inside the transaction that stores them.
        docids: their numbers, growing within each year.
        since: the site's position before the first of their events.

    """
    first: dict[int, int] = {}
    for docid in docids:
        first.setdefault(docid // DOCIDS_A_YEAR, docid)
    if first:
        connection.exec_driver_sql(_POSTPONE, [(year, docid - 1, since) for year, docid in first.items()])


def put(connection: Connection, rows: list[tuple[int, IndexRow]]) -> None:
    """Put records into the index."""
    if rows:
        # The index writes its buffer out whenever the numbers go down, so they only go up.
        connection.exec_driver_sql(_PUT, [(docid, *row) for docid, row in sorted(rows)])


def take_out(connection: Connection, rows: list[tuple[int, IndexRow]]) -> None:
    """Take records out of the index, with the very terms that were put in."""
    if rows:
        connection.exec_driver_sql(_TAKE_OUT, [(docid, *row) for docid, row in sorted(rows)])


def catch_up(connection: Connection, most: int = INDEXED_ROWS) -> bool:
    """Put the next records that wait, at most so many, into the index; False if none waits any more."""
    found: list[tuple[int, bytes | None]] = []
    for year, after in connection.exec_driver_sql("SELECT year, after FROM unindexed ORDER BY year").all():
        room = most - len(found)
        found += map(tuple, connection.exec_driver_sql(_NEXT, (after, (year + 1) * DOCIDS_A_YEAR, room)))
        if len(found) == most:
            connection.exec_driver_sql("UPDATE unindexed SET after = ? WHERE year = ?", (found[-1][0], year))
            break
        connection.exec_driver_sql("DELETE FROM unindexed WHERE year = ?", (year,))
    standing = [(docid, decode_record(body)) for docid, body in found if body is not None]
    terms = index_rows([record for _, record in standing])
    put(connection, [(docid, told) for (docid, _), told in zip(standing, terms, strict=True)])
    return len(found) == most


def finish(connection: Connection) -> None:
    """Put all records that wait into the index, now and in this transaction."""
    while catch_up(connection):
        pass


def is_current(connection: Connection) -> bool:
    """Tell whether the search index was made by this version's rules; a new database is marked as current."""
    wanted = f"{ANALYSIS_VERSION}.{TERMS_VERSION}"
    connection.exec_driver_sql("INSERT OR IGNORE INTO fact (name, value) VALUES ('search_terms', ?)", (wanted,))
    made_by: str = connection.exec_driver_sql("SELECT value FROM fact WHERE name = 'search_terms'").scalar_one()
    return made_by == wanted


def begin_epoch(connection: Connection) -> None:
    """Note that the positions of an epoch are over: of the next one's, records that wait lack them all."""
    connection.exec_driver_sql("UPDATE unindexed SET since = 0")


def empty(connection: Connection) -> None:
    """Empty the index; its old terms need not be known for that."""
    connection.exec_driver_sql("INSERT INTO search (search) VALUES ('delete-all')")
    connection.exec_driver_sql("DELETE FROM unindexed")


def rebuild(connection: Connection) -> None:
    """Make the index anew; in one transaction, so that searches are answered from the old one meanwhile."""
    empty(connection)
    years = connection.exec_driver_sql(f"SELECT DISTINCT docid / {DOCIDS_A_YEAR} FROM record").scalars()  # noqa: S608
    postpone(connection, [year * DOCIDS_A_YEAR + 1 for year in years], 0)
    finish(connection)
    connection.exec_driver_sql(
        "UPDATE fact SET value = ? WHERE name = 'search_terms'", (f"{ANALYSIS_VERSION}.{TERMS_VERSION}",)
    )


class Indexing:
    """Lets the index catch up, step by step, when there is time."""

    def __init__(self, database: Database, courtesy: Courtesy | None = None) -> None:
        self._database = database
        self._courtesy = courtesy or Courtesy()
        self._is_behind = True
        self._added = 0

    def note(self, added: int) -> None:
        """Note that so many new records were stored."""
        self._added += added
        self._is_behind |= added > 0

    async def keep_up(self) -> None:
        """Do what ``settle`` does, once ``WAITING_MAX`` records wait.

        Raises:
            StorageFull: the disk has no room; what waits goes on waiting.

        """
        if self._added >= WAITING_MAX:
            await self.settle()

    async def settle(self) -> None:
        """Have the index take everything that waits.

        Raises:
            StorageFull: the disk has no room; what waits goes on waiting.

        """
        while self._is_behind:
            most = self._courtesy.at_once(INDEXED_ROWS)
            self._is_behind = await self._database.write(partial(catch_up, most=most))
        self._added = 0
