"""The full-text index in PostgreSQL: a vector of terms for each row, with their places, under GIN indexes.

A GIN index tells all that it finds before anything can be put in order. So the table has partitions by years, each with
an index of its own: the newest are asked first, and no older one once there are enough.

The vectors are written out here and not cut by the server: its parser would drop what its locale does not know, which
under "C" is every Chinese character. Terms are those that FTS5's tokenizer ``ascii`` sees, so that both stores find the
same. The text columns are the weights of the terms; marks, which no text contains, need neither weight nor place.
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
from hub.storage.faces import Face, face_of
from protocol.expressions import TEXT_COLUMNS, AllOf, AnyOf, Column, Expression, Run, Without
from protocol.index_rows import INDEX_COLUMNS, YEAR_MAX, IndexRow
from protocol.marks import ACCESS, FONDS, KIND, LEVEL, SITE, WIDE_DECADE, YEAR
from replication.dialects import insert_rows

TERM_CHARS_MAX: Final = 500
"""Characters of a term that are told apart: a vector takes 2,046 bytes, and a character of UTF-8 has four at most."""

TERMS_MAX: Final = 16_000
"""Terms of one row that are kept: places beyond 16,383 cannot be told apart, and a vector has a megabyte at most."""

_SIGNS_OF_MANY: Final = (SITE, FONDS, KIND, ACCESS, LEVEL, YEAR, WIDE_DECADE)

_WEIGHTS: Final = {Column.TITLE: "A", Column.PARTIES: "B", Column.CODES: "C", Column.REST: "D"}

_TERM = re.compile(r"[0-9A-Za-z\u0080-\U0010ffff]+")
_INDEX_TABLE = re.compile(r"search(_next)?(_[0-9]+)?")
_UPPER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_NOWHERE = "'\N{REPLACEMENT CHARACTER} '"

# How many entries a query finds is not known before it is there: a plan for any query would read all of a common word.
_BOUND: Final = (
    "SAVEPOINT bounded; SET LOCAL plan_cache_mode = force_custom_plan;"
    " SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL statement_timeout = "
)
_BY_INDEX: Final = "; SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off"
_UNBOUND: Final = "ROLLBACK TO SAVEPOINT bounded; RELEASE SAVEPOINT bounded"

_STANDING: Final = (
    "SELECT asked.place FROM unnest(CAST(? AS text[])) WITH ORDINALITY AS asked (query, place)"
    " WHERE EXISTS (SELECT 1 FROM search WHERE search.terms @@ CAST(asked.query AS tsquery))"
)

FIRST_YEARS: Final = (1, 1912, 1949, *range(1955, 2035, 5))
"""Years with which the index's partitions begin, but for the first, of what is undated. Newest first, a common word is
looked for in one partition or two; a rare one in each of them, which takes some microseconds a partition."""

ALTERNATIVES_MAX: Final = 4
"""Alternatives of a question up to which the server may choose to look at the newest rows one by one. It takes each
term that it knows nothing of for one in a thousand: of many such it would think that the next rows must have some."""

PLANNED_ROWS: Final = 1_000
"""Rows that a statement is planned for which is asked for fewer. Of a term that it knows nothing of, the server expects
some hundreds in a partition of a million rows: for a page of twenty it would go back along the primary key and look at
every vector, which took 31 s for one reference code among ten million."""

PENDING_KIB: Final = 4_096
"""KiB that may wait in a partition's list; a search reads through them, and a load that writes them out waits."""


class PostgresIndex:
    """A table of vectors."""

    source = "search"
    entries = "(SELECT docid, face, date_earliest, date_latest FROM entry WHERE body IS NOT NULL) AS entry"
    joined = "search JOIN entry ON entry.docid = search.rowid AND entry.body IS NOT NULL"
    matching = "search.terms @@ CAST(? AS tsquery)"
    orders_last = True
    # A line break in a fonds number would end the line.
    years_and_faces = (
        f"string_agg(CAST(entry.docid / {SERIALS_A_YEAR} AS text), chr(10)),"
        " string_agg(translate(entry.face, chr(10), ' '), chr(10))"
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

    def newest_first(self, sql: str, values: tuple[object, ...], docids: range) -> tuple[str, tuple[object, ...]]:
        """Return a statement that asks one partition after the other, the newest first, and ends when it has enough.

        Left to itself the server takes pairs of characters for independent, a phrase of them for very rare, and so
        reads and sorts what all partitions have.
        """
        years = [year for year, first, end in partitions() if first < docids.stop and end > docids.start]
        parts = [f"({sql.replace(' FROM search ', f' FROM search_{year} AS search ', 1)})" for year in reversed(years)]
        limit = values[-1]
        planned = (*values[:-1], max(limit, PLANNED_ROWS)) if isinstance(limit, int) else values
        # An Append that no other process helps with asks its parts in the order in which they stand. What stands apart
        # is planned for all of its rows, and read no further than to those that are wanted.
        union = f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS parts LIMIT ?"  # noqa: S608 - constants
        return (
            f"SELECT * FROM (WITH apart AS MATERIALIZED ({union}) SELECT * FROM apart LIMIT ?) AS newest",  # noqa: S608 - constants
            (*planned * len(parts), planned[-1], limit),
        )

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
        is_rare = expression is not None and (alternatives(expression) > ALTERNATIVES_MAX or _is_of_keys(expression))
        by_index = _BY_INDEX if is_rare else ""
        raw.execute(f"{_BOUND}{max(1, round(budget_s * 1000))}{by_index}".encode())
        try:
            yield
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.QueryCanceled):
                raise Cut from error
            raise
        finally:
            if not raw.closed:
                raw.execute(_UNBOUND.encode())

    def write(
        self,
        connection: Connection,
        name: str,
        gone: Collection[tuple[int, IndexRow]],
        new: Collection[tuple[int, IndexRow]],
    ) -> None:
        """Take rows out and put others in, also in the place of what stands there (FTS5 would keep both)."""
        doomed = [docid for docid, _ in (*gone, *new)]
        if doomed:
            sql = f"DELETE FROM {name} WHERE rowid = ANY(?)"  # noqa: S608 - one of two names
            connection.exec_driver_sql(sql, (doomed,))
        if new:
            insert_rows(connection, name, ("rowid", "terms"), [(docid, vector(row)) for docid, row in new])

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
            "CREATE TABLE search_next (rowid BIGINT PRIMARY KEY, terms TSVECTOR NOT NULL) PARTITION BY RANGE (rowid)"
        )
        for year, begin, end in partitions():
            connection.exec_driver_sql(
                f"CREATE TABLE search_next_{year} PARTITION OF search_next FOR VALUES FROM ({begin}) TO ({end})"
            )
        connection.exec_driver_sql(
            "CREATE INDEX search_next_terms ON search_next USING gin (terms)"
            f" WITH (gin_pending_list_limit = {PENDING_KIB})"
        )

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


def partitions() -> Iterator[tuple[int, int, int]]:
    """Yield the first year of each partition of the index, and the range of docids that lie in it; the oldest first."""
    begins = [0, *FIRST_YEARS]
    for year, following in zip(begins, [*FIRST_YEARS, YEAR_MAX + 1], strict=True):
        yield year, year * SERIALS_A_YEAR, following * SERIALS_A_YEAR


def vector(row: IndexRow) -> str:
    """Return an index row as PostgreSQL reads a vector."""
    said: list[str] = []
    place = 0
    for column, text in zip(INDEX_COLUMNS, row, strict=True):
        terms = terms_of(text)[: max(0, TERMS_MAX - place)]
        weight = _WEIGHTS.get(column)
        if weight is None:
            said += [f"'{term}'" for term in terms]
            continue
        said += [f"'{term}':{number}{weight}" for number, term in enumerate(terms, place + 1)]
        # One place is left free, so that no phrase runs from one column into the next.
        place += len(terms) + 1
    return " ".join(said)


def alternatives(expression: Expression) -> int:
    """Return the most runs of an expression any of which will do."""
    match expression:
        case Run():
            return 1
        case AnyOf(parts=parts):
            return sum(map(alternatives, parts))
        case AllOf(parts=parts):
            return max(map(alternatives, parts))
        case Without(wanted=wanted):
            return alternatives(wanted)


def _is_of_keys(expression: Expression) -> bool:
    """Tell whether an expression asks for nothing but codes, numbers and keys of likeness, which few entries share."""
    match expression:
        case Run(terms=(term,), columns=(Column.MARKS,)):
            return not term.startswith(_SIGNS_OF_MANY)
        case AnyOf(parts=parts):
            return all(map(_is_of_keys, parts))
        case _:
            return False


def tsquery(expression: Expression) -> str:
    """Return an expression as PostgreSQL reads a query; terms that are none find nothing, as in FTS5."""
    match expression:
        case Run():
            return _run(expression)
        case AllOf(parts=parts):
            return f"({' & '.join(map(tsquery, parts))})"
        case AnyOf(parts=parts):
            return f"({' | '.join(map(tsquery, parts))})"
        case Without(wanted=wanted, unwanted=unwanted):
            return f"({tsquery(wanted)} & !{tsquery(unwanted)})"


def _run(run: Run) -> str:
    terms = terms_of(" ".join(run.terms))
    if not terms:
        return _NOWHERE
    weights = "" if set(run.columns) >= set(TEXT_COLUMNS) else "".join(_WEIGHTS.get(one, "") for one in run.columns)
    marks = [weights] * (len(terms) - 1) + [f"*{weights}" if run.is_prefix else weights]
    said = [f"'{term}'{':' if mark else ''}{mark}" for term, mark in zip(terms, marks, strict=True)]
    return f"({' <-> '.join(said)})"


def terms_of(text: str) -> list[str]:
    """Return the terms of a text as FTS5's tokenizer ``ascii`` sees them; nothing in them is ever read as syntax."""
    return [term[:TERM_CHARS_MAX].translate(_UPPER) for term in _TERM.findall(text)]
