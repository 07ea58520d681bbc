"""The full-text index in SQLite: FTS5 without contents, so that rows can be taken out only with the terms they had."""

import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hub.catalogue import SERIALS_A_YEAR
from hub.searching.time_budgets import Cut
from hub.storage.faces import Face, faces_numbered
from hub.storage.selections import Selection
from protocol.expressions import Expression, Run
from protocol.fts5 import fts5_match
from protocol.index_rows import INDEX_COLUMNS, YEAR_MAX, IndexRow
from replication.dialects import rows_of

PAGE_BYTES: Final = 2_000
"""Bytes of a page of the index, half of what is usual. Where one word is common and another is rare, the pages between
are skipped: with pages of 1,000 bytes such a search took half the time, but writing a tenth more."""

LOOK_EVERY_OPS: Final = 10_000
"""Steps of the database between two looks at the clock: a millisecond. The index reads a page in one or two of them.
Each look waits for Python's lock behind whatever else computes: beside other pages that was most of a search."""

GLIMPSE_OPS: Final = 500
"""Steps that a glimpse may take: some five hundred pages, 1.2 ms at worst; a page of hits takes 100 to 400 of them."""

YEARS: Final = YEAR_MAX + 1

_NAMES: Final = ", ".join(INDEX_COLUMNS)
_MAKE_NEXT: Final = (
    f"CREATE VIRTUAL TABLE search_next USING fts5 ({_NAMES}, content='', columnsize=0, tokenize='ascii')"
)
_TUNE_NEXT: Final = "INSERT INTO search_next (search_next, rank) SELECT k, v FROM search_config WHERE k <> 'version'"
_STANDING: Final = (
    "SELECT asked.key FROM json_each(?) AS asked WHERE EXISTS (SELECT 1 FROM search WHERE search MATCH asked.value)"
)
_REACH: Final = (
    "SELECT coalesce((SELECT rowid FROM search WHERE search MATCH asked.value"
    " ORDER BY rowid DESC LIMIT 1 OFFSET ?), 0) FROM json_each(?) AS asked ORDER BY asked.key"
)
# The table has a row for each page of each segment: one seek a segment, however large they are.
_SEGMENTS: Final = (
    "WITH RECURSIVE found (segid) AS (SELECT min(segid) FROM search_idx UNION ALL"
    " SELECT (SELECT min(segid) FROM search_idx WHERE search_idx.segid > found.segid) FROM found"
    " WHERE found.segid IS NOT NULL) SELECT count(segid) FROM found"
)
_INSERT: Final = f"INSERT INTO {{index}} (rowid, {_NAMES}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
_FORGET: Final = f"INSERT INTO {{index}} ({{index}}, rowid, {_NAMES}) VALUES ('delete', ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants


class SqliteIndex:
    """FTS5."""

    source = "search"
    entries = "entry_faces AS entry"
    # Not a plain join: what is found comes first, and in the order of the row ids.
    joined = "search CROSS JOIN entry_faces AS entry ON entry.docid = search.rowid"
    matching = "search MATCH ?"
    orders_last = False
    # One number for both, the fewest digits: writing and reading them is half of what is left.
    years_and_faces = f"group_concat(entry.face * {YEARS} + entry.docid / {SERIALS_A_YEAR})"

    def question(self, connection: Connection, expression: Expression) -> str:
        """Return the expression in the language of FTS5."""
        del connection
        return fts5_match(expression)

    def told(self, connection: Connection, *lines: str) -> tuple[list[int], list[Face]]:
        """Return the years and the faces that an aggregate ``years_and_faces`` has written."""
        numbers = [int(number) for line in lines for number in line.split(",")]
        return [number % YEARS for number in numbers], faces_numbered(connection, [one // YEARS for one in numbers])

    def statement(self, connection: Connection, selection: Selection) -> tuple[str, tuple[object, ...]]:
        """Return the statement: FTS5 goes along the row ids from whatever end is asked for."""
        source = self.joined if selection.clauses or selection.with_faces else self.source
        named = "search.rowid AS docid, entry.face" if selection.with_faces else "search.rowid AS docid"
        docids = selection.docids
        # Each row is compared with a bound once more, even one below or above all of them.
        bounds = [("search.rowid >= ?", docids.start)] if docids.start else []
        bounds += [("search.rowid < ?", docids.stop)] if docids.stop < YEARS * SERIALS_A_YEAR else []
        where = " AND ".join((self.matching, *selection.clauses, *(clause for clause, _ in bounds)))
        order = "ASC" if selection.upwards else "DESC"
        sql = f"SELECT {named} FROM {source} WHERE {where} ORDER BY search.rowid {order} LIMIT ?"  # noqa: S608 - constants
        asked = self.question(connection, selection.expression)
        return sql, (asked, *selection.values, *(bound for _, bound in bounds), selection.limit)

    def standing(self, connection: Connection, runs: Sequence[Run]) -> list[bool]:
        """Tell of each run whether it stands anywhere in the index, all in one statement."""
        asked = msgspec.json.encode([fts5_match(run) for run in runs]).decode()
        found = {place for (place,) in rows_of(connection, _STANDING, (asked,))}
        return [place in found for place in range(len(runs))]

    def reach(self, connection: Connection, terms: Sequence[str], entries: int) -> Sequence[int] | None:
        """Return the docid of the entry that is so many entries with each term ago; 0 if there are not so many."""
        if not terms:
            return ()
        asked = msgspec.json.encode([fts5_match(Run(terms=(term,))) for term in terms]).decode()
        return [docid for (docid,) in rows_of(connection, _REACH, (entries, asked))]

    def _is_outdated(self, connection: Connection) -> bool:
        """Tell whether the present index has but one column, as an earlier version made it."""
        columns = connection.exec_driver_sql("SELECT count(*) FROM pragma_table_info('search')").scalar_one()
        return bool(columns == 1)

    @contextmanager
    def bounded(
        self,
        connection: Connection,
        budget_s: float,
        expression: Expression | None = None,
        *,
        is_glimpse: bool = False,
    ) -> Iterator[None]:
        """Have statements end with ``Cut`` once they have taken so long; a glimpse after ``GLIMPSE_OPS``."""
        del expression
        raw = connection.connection.driver_connection
        if not isinstance(raw, sqlite3.Connection):
            message = "a connection of SQLite was expected"
            raise TypeError(message)
        if budget_s <= 0:
            raise Cut
        ends_s = time.perf_counter() + budget_s
        every_ops = GLIMPSE_OPS if is_glimpse else LOOK_EVERY_OPS
        raw.set_progress_handler(lambda: is_glimpse or time.perf_counter() > ends_s, every_ops)
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            if "interrupted" in str(error):
                raise Cut from error
            raise
        finally:
            raw.set_progress_handler(None, LOOK_EVERY_OPS)

    def write(
        self,
        connection: Connection,
        name: str,
        gone: Collection[tuple[int, IndexRow]],
        new: Collection[tuple[int, IndexRow]],
    ) -> None:
        """Take rows out and put others in: whenever an id is lower than the one before, FTS5 writes out what it has."""
        if gone:
            connection.exec_driver_sql(_FORGET.format(index=name), [(docid, *row) for docid, row in gone])
        if new:
            connection.exec_driver_sql(_INSERT.format(index=name), [(docid, *row) for docid, row in new])

    def add_outdated(self, connection: Connection, new: Collection[tuple[int, IndexRow]]) -> None:
        """Put rows into the present index, whatever version made it."""
        if new and self._is_outdated(connection):
            rows = [(docid, " ".join(row)) for docid, row in new]
            connection.exec_driver_sql("INSERT INTO search (rowid, terms) VALUES (?, ?)", rows)
        else:
            self.write(connection, "search", (), new)

    def clear(self, connection: Connection) -> None:
        """Empty the present index; it has this version's columns then."""
        self.make_next(connection)
        self.put_next_in_place(connection)

    def make_next(self, connection: Connection) -> None:
        """Make an empty index beside the present one, in the place of one that was being built.

        What the present one was told about its merging holds for both.
        """
        connection.exec_driver_sql("DROP TABLE IF EXISTS search_next")
        connection.exec_driver_sql(_MAKE_NEXT)
        connection.exec_driver_sql(_TUNE_NEXT)
        connection.exec_driver_sql("INSERT INTO search_next (search_next, rank) VALUES ('pgsz', ?)", (PAGE_BYTES,))

    def put_next_in_place(self, connection: Connection) -> None:
        """Have the index that was built take the place of the present one."""
        connection.exec_driver_sql("DROP TABLE search")
        connection.exec_driver_sql("ALTER TABLE search_next RENAME TO search")

    def merge(self, connection: Connection, pages: int) -> bool:
        """Merge some segments; False if there was nothing to merge."""
        before = _changes(connection)
        connection.exec_driver_sql("INSERT INTO search (search, rank) VALUES ('merge', ?)", (pages,))
        # The statement alone counts as one change.
        return _changes(connection) - before > 1


def segments(connection: Connection) -> int:
    """Return of how many segments the index consists, each left by a write or a merge."""
    found: int = connection.exec_driver_sql(_SEGMENTS).scalar_one()
    return found


def _changes(connection: Connection) -> int:
    changes: int = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
    return changes
