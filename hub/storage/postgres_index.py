"""The full-text index in PostgreSQL: a vector of terms for each row, with their places, under GIN indexes.

The table has parts by years (``postgres_parts``). How they are looked through is chosen here and not by the server: it
takes the terms of a phrase for independent, and each that it knows nothing of for one in a thousand. What few rows hold
is looked up in the index; along the rows, from the newest on, it goes for what a good part of them hold. Plans are so
the same for all questions of a kind and are made once: planning sixty parts takes longer than asking them.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import psycopg
import psycopg.errors
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hub.catalogue import SERIALS_A_YEAR
from hub.searching.time_budgets import Cut
from hub.storage.commonness import common_terms
from hub.storage.faces import Face, face_of
from hub.storage.postgres import STATEMENT_MS
from hub.storage.postgres_parts import Arm, first_year_of, make_parts, newest_of_parts, partitions
from hub.storage.postgres_terms import tsquery, vector
from hub.storage.selections import Selection
from protocol.expressions import Expression, Run
from protocol.index_rows import IndexRow
from protocol.marks import WIDE_DECADE, YEAR
from replication.dialects import insert_rows

_INDEX_TABLE = re.compile(r"search(_next)?(_[0-9]+)?")
# A sort of ten thousand rows fits into this much memory; and what is joined is looked up for each row.
_SETTINGS: Final = {
    "plan_cache_mode": "force_generic_plan",
    "work_mem": "'64MB'",
    "max_parallel_workers_per_gather": "0",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
}
_BOUND: Final = "; ".join(("SAVEPOINT bounded", *(f"SET LOCAL {name} = {value}" for name, value in _SETTINGS.items())))
_BY_INDEX: Final = "; SET LOCAL enable_indexscan = off; SET LOCAL statement_timeout = "
_ALONG: Final = "; SET LOCAL enable_bitmapscan = off; SET LOCAL statement_timeout = "
_CUT: Final = "ROLLBACK TO SAVEPOINT bounded; RELEASE SAVEPOINT bounded"
# Put back one by one: after a ROLLBACK of any kind the driver forgets which statements it has prepared.
_UNBOUND: Final = "; ".join(
    (
        "RELEASE SAVEPOINT bounded",
        *(f"SET LOCAL {name} = DEFAULT" for name in (*_SETTINGS, "enable_indexscan", "enable_bitmapscan")),
        f"SET LOCAL statement_timeout = {STATEMENT_MS}",
    )
)

_DATED: Final = f"'{YEAR}':* | '{WIDE_DECADE}':*"

_STANDING: Final = (
    "SELECT asked.place FROM unnest(CAST(? AS text[])) WITH ORDINALITY AS asked (query, place)"
    " WHERE EXISTS (SELECT 1 FROM search WHERE search.terms @@ CAST(asked.query AS tsquery))"
)

ALONG_MIN: Final = 0.2
"""Share of the rows from which on they are read one by one from the newest on. Ten thousand entries that a fifth of ten
million have lie in 50,000 rows; the index would find 35,000 in the newest year."""


class PostgresIndex:
    """A table of vectors."""

    source = "search"
    # A line break in a fonds number would end a line of faces.
    entries = (
        "(SELECT docid, translate(face, chr(10), ' ') AS face, date_earliest, date_latest"
        " FROM entry WHERE body IS NOT NULL) AS entry"
    )
    matching = "search.terms @@ CAST(? AS tsquery)"
    orders_last = True
    years_and_faces = (
        f"string_agg(CAST(entry.docid / {SERIALS_A_YEAR} AS text), chr(10)), string_agg(entry.face, chr(10))"
    )

    def question(self, connection: Connection, expression: Expression) -> str:
        """Return the expression as a tsquery."""
        del connection
        return tsquery(expression)

    def told(self, connection: Connection, *lines: str) -> tuple[list[int], list[Face]]:
        """Return the years and the faces that aggregates ``years_and_faces`` have written."""
        del connection
        years, faces = lines
        return list(map(int, years.split("\n"))), list(map(face_of, faces.split("\n")))

    def statement(self, connection: Connection, selection: Selection) -> tuple[str, dict[str, object]]:
        """Return a statement that asks one part after the other, the newest first, and ends when it has enough."""
        common = common_terms(connection)
        wanted = selection.expression
        asked = common.thinned(wanted)
        clauses, values = ["search.terms @@ CAST(? AS tsquery)"], [tsquery(asked)]
        if asked != wanted:
            # As a function it is no question to the index.
            clauses.append("ts_match_vq(search.terms, CAST(? AS tsquery))")
            values.append(tsquery(wanted))
        if selection.is_dated:
            clauses.append("ts_match_vq(search.terms, CAST(? AS tsquery))")
            values.append(_DATED)
        ranks = [tsquery(rank) for rank in selection.ranks or ()]
        joined = f" JOIN {self.entries} ON entry.docid = search.rowid" if selection.clauses else ""
        sql, named = newest_of_parts(
            Arm(
                named=f"search.rowid AS docid{_rank(selection)}{', entry.face' if joined else ', search.face'}",
                joined=joined,
                clauses=" AND ".join((*clauses, *selection.clauses)),
                values=(*ranks, *values, *selection.values),
                along=common.share(wanted) >= ALONG_MIN,
            ),
            selection.docids,
            selection.limit,
        )
        if selection.with_faces and not joined:
            sql = self._with_faces(sql, selection)
        return sql, named

    def _with_faces(self, sql: str, selection: Selection) -> str:
        """Everything is found before any is left out: only what is left needs its face."""
        if selection.ranks is None:
            # What an index names that is built anew may be gone, or have another face by now.
            return (
                f"SELECT found.docid, entry.face FROM ({sql}) AS found JOIN {self.entries} ON entry.docid = found.docid"  # noqa: S608 - constants
            )
        asked = f"(SELECT entry.face FROM {self.entries} WHERE entry.docid = found.docid)"  # noqa: S608 - as above
        return f"SELECT found.docid, found.rank, coalesce(found.face, {asked}) AS face FROM ({sql}) AS found"  # noqa: S608 - as above

    def standing(self, connection: Connection, runs: Sequence[Run]) -> list[bool]:
        """Tell of each run whether it stands anywhere in the index, all in one statement."""
        found = set(connection.exec_driver_sql(_STANDING, ([tsquery(run) for run in runs],)).scalars())
        return [place in found for place in range(1, len(runs) + 1)]

    def reach(self, connection: Connection, terms: Sequence[str], entries: int) -> Sequence[int] | None:
        """Return None: a GIN index begins with the rarest term of a phrase and skips along the lists of the others."""
        del connection, terms, entries
        return None

    @contextmanager
    def bounded(
        self,
        connection: Connection,
        budget_s: float,
        expression: Expression | None = None,
        *,
        is_glimpse: bool = False,
    ) -> Iterator[None]:
        """Have reading statements end with ``Cut`` once one has taken so long; what they set ends with them."""
        # A part of a table has an end, so no walk needs to be glimpsed at first.
        del is_glimpse
        raw = connection.connection.driver_connection
        if not isinstance(raw, psycopg.Connection):
            message = "a connection of PostgreSQL was expected"
            raise TypeError(message)
        # Without values a driver sends several statements at once: a budget costs two journeys, not six.
        along = expression is not None and common_terms(connection).share(expression) >= ALONG_MIN
        raw.execute(f"{_BOUND}{_ALONG if along else _BY_INDEX}{max(1, round(budget_s * 1000))}".encode())
        try:
            yield
        except DBAPIError as error:
            if not raw.closed:
                raw.execute(_CUT.encode())
            if isinstance(error.orig, psycopg.errors.QueryCanceled):
                raise Cut from error
            raise
        raw.execute(_UNBOUND.encode())

    def write(
        self,
        connection: Connection,
        name: str,
        gone: Collection[tuple[int, IndexRow]],
        new: Collection[tuple[int, IndexRow]],
    ) -> None:
        """Take rows out and put others in, also in the place of what stands there (FTS5 would keep both)."""
        # Each part by itself: all of them would be searched for each docid.
        doomed: dict[int, list[int]] = {}
        for docid, _ in (*gone, *new):
            doomed.setdefault(first_year_of(docid), []).append(docid)
        for year, docids in doomed.items():
            sql = f"DELETE FROM {name}_{year} WHERE rowid = ANY(?)"  # noqa: S608 - one of two names, and a number
            connection.exec_driver_sql(sql, (docids,))
        if new:
            faces = _faces(connection, [docid for docid, _ in new])
            rows = [(docid, vector(row), faces.get(docid)) for docid, row in new]
            insert_rows(connection, name, ("rowid", "terms", "face"), rows)

    def add_outdated(self, connection: Connection, new: Collection[tuple[int, IndexRow]]) -> None:
        """Put rows into the present index."""
        self.write(connection, "search", (), new)

    def clear(self, connection: Connection) -> None:
        """Empty the present index, and drop what was being built beside it."""
        connection.exec_driver_sql("DROP TABLE IF EXISTS search_next")
        connection.exec_driver_sql("TRUNCATE search")

    def make_next(self, connection: Connection) -> None:
        """Make an empty index beside the present one, in the place of one that was being built."""
        connection.exec_driver_sql("DROP TABLE IF EXISTS search_next")
        connection.exec_driver_sql(
            'CREATE TABLE search_next (rowid BIGINT PRIMARY KEY, terms TSVECTOR NOT NULL, face TEXT COLLATE "C")'
            " PARTITION BY RANGE (rowid)"
        )
        make_parts(connection, "search_next")

    def put_next_in_place(self, connection: Connection) -> None:
        """Have the index that was built take the place of the present one."""
        connection.exec_driver_sql("DROP TABLE search")
        for kind, name in (("TABLE", "search"), ("INDEX", "search_pkey"), ("INDEX", "search_terms")):
            connection.exec_driver_sql(f"ALTER {kind} {name.replace('search', 'search_next')} RENAME TO {name}")
        for year, _, _ in partitions():
            connection.exec_driver_sql(f"ALTER TABLE search_next_{year} RENAME TO search_{year}")

    def merge(self, connection: Connection, pages: int) -> bool:
        """Put the entries that wait in the index's list where they belong; all of them, which is one step."""
        del pages
        connection.exec_driver_sql(
            "SELECT gin_clean_pending_list(relid) FROM pg_partition_tree('search_terms') WHERE isleaf"
        )
        return False


def is_part_of_an_index(table: str) -> bool:
    """Tell whether a table is the index, its successor, or a part of one of them."""
    return _INDEX_TABLE.fullmatch(table) is not None


def _rank(selection: Selection) -> str:
    if not selection.ranks:
        return "" if selection.ranks is None else ", 0 AS rank"
    cases = " ".join(f"WHEN search.terms @@ CAST(? AS tsquery) THEN {number}" for number in range(len(selection.ranks)))
    return f", CASE {cases} ELSE {len(selection.ranks)} END AS rank"


def _faces(connection: Connection, docids: Sequence[int]) -> dict[int, str]:
    sql = f"SELECT docid, face FROM {PostgresIndex.entries} WHERE docid = ANY(?)"  # noqa: S608 - a constant
    rows = connection.exec_driver_sql(sql, (list(docids),))
    return {row[0]: row[1] for row in rows}
