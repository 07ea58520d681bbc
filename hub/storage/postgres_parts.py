"""The parts of the index on PostgreSQL, each of some years, and statements that ask one after the other.

A GIN index tells all that it finds before anything can be put in order: the newest parts are asked first, and no older
one once there is enough.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection

from hub.catalogue import SERIALS_A_YEAR
from protocol.index_rows import YEAR_MAX

FIRST_YEARS: Final = (1, 1912, 1949, *range(1955, 1980, 5), *range(1980, 2031))
"""Years with which the index's parts begin, but for the first, of what is undated. A part of which the newest entries
are wanted is read for all that it finds: of ten million entries a year has some 170,000, five years 885,000. A rare
word is looked for in each part, which takes some microseconds a part."""

PENDING_KIB: Final = 1_024
"""KiB that may wait in the list of a part's index: a search reads through them, a load that writes them out waits."""

BUILDING_MIB: Final = 256
"""MiB of the server's memory in which the index of a part is sorted while it is made."""

_BEFORE: Final = "search_of_before"

_COLUMNS: Final = 'rowid BIGINT NOT NULL, terms TSVECTOR NOT NULL, face TEXT COLLATE "C"'

_PRESENT: Final = """
SELECT relname, (regexp_match(pg_get_expr(relpartbound, oid), 'FROM \\(''(\\d+)''\\) TO \\(''(\\d+)''\\)'))
FROM pg_partition_tree('search') JOIN pg_class ON oid = relid WHERE isleaf
"""

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of each part."""

    named: str
    """What stands behind SELECT, with marks; the docid first."""
    joined: str = ""
    """What stands behind the table that is asked."""
    clauses: str
    """What stands behind WHERE, with marks."""
    values: tuple[object, ...]
    """What the marks stand for, in their order."""
    along: bool
    """Whether the rows are read one by one from the newest on, because most of them are wanted."""


def partitions() -> Iterator[tuple[int, int, int]]:
    """Yield the first year of each part of the index, and the range of docids that lie in it; the oldest first."""
    begins = [0, *FIRST_YEARS]
    for year, following in zip(begins, [*FIRST_YEARS, YEAR_MAX + 1], strict=True):
        yield year, year * SERIALS_A_YEAR, following * SERIALS_A_YEAR


def first_year_of(docid: int) -> int:
    """Return the year with which the part begins that a docid lies in."""
    place = bisect_right(FIRST_YEARS, docid // SERIALS_A_YEAR)
    return FIRST_YEARS[place - 1] if place else 0


def newest_of_parts(arm: Arm, docids: range, limit: int) -> tuple[str, dict[str, object]]:
    """Return a statement that asks one part after the other, the newest first, and ends when it has enough.

    Its values have names, so that each is sent once however many parts there are.
    """
    names = [f"value_{_LETTERS[place // 26]}{_LETTERS[place % 26]}" for place in range(len(arm.values))]
    named, clauses = _with_names((arm.named, arm.clauses), names)
    selected = []
    for year, first, end in partitions():
        if first < docids.stop and end > docids.start:
            where = clauses + _bounds(docids, first, end, along=arm.along)
            selected.append(
                f"(SELECT {named} FROM search_{year} AS search{arm.joined} WHERE {where}"  # noqa: S608 - constants
                " ORDER BY search.rowid DESC LIMIT :most)"
            )
    # An Append that no other process helps with asks its parts in the order in which they stand.
    sql = f"SELECT * FROM ({' UNION ALL '.join(reversed(selected))}) AS parts LIMIT :most"  # noqa: S608 - as above
    values = dict(zip(names, arm.values, strict=True))
    return sql, {**values, "above": docids.start, "below": docids.stop, "most": limit}


def _with_names(texts: Sequence[str], names: Sequence[str]) -> list[str]:
    rest = iter(names)
    return ["".join(piece if piece != "?" else f":{next(rest)}" for piece in _pieces(text)) for text in texts]


def _pieces(text: str) -> Iterator[str]:
    before, *others = text.split("?")
    yield before
    for other in others:
        yield "?"
        yield other


def _bounds(docids: range, first: int, end: int, *, along: bool) -> str:
    """Return how a part is bounded that is not wanted as a whole.

    A plan for any range takes it for a narrow one, and would look it up in the primary key: what is a sum is not.
    """
    if along:
        return " AND search.rowid >= :above AND search.rowid < :below"
    above = " AND search.rowid + 0 >= :above" if docids.start > first else ""
    below = " AND search.rowid + 0 < :below" if docids.stop < end else ""
    return above + below


# Parts of another width


def make_parts(connection: Connection, table: str) -> None:
    """Make the parts of an index that has none yet, and their indexes."""
    for year, begin, end in partitions():
        connection.exec_driver_sql(
            f"CREATE TABLE {table}_{year} PARTITION OF {table} FOR VALUES FROM ({begin}) TO ({end})"
        )
    connection.exec_driver_sql(
        f"CREATE INDEX {table}_terms ON {table} USING gin (terms) WITH (gin_pending_list_limit = {PENDING_KIB})"
    )


def narrowed(connection: Connection) -> bool:
    """Put narrower parts in the place of one that is as wide as an earlier version made it; False if there is none.

    One transaction a part: killed in the middle, the others are as they were. Its rows are written before they are
    indexed, all at once, which takes a third of the time.
    """
    wide = _too_wide(connection)
    if wide is None:
        return False
    name, first, end = wide
    connection.exec_driver_sql(f"SET LOCAL maintenance_work_mem = '{BUILDING_MIB}MB'")
    parts = [part for part in partitions() if first <= part[1] and part[2] <= end]
    connection.exec_driver_sql(f"ALTER TABLE search DETACH PARTITION {name}")
    connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {_BEFORE}")
    for year, begin, until in parts:
        connection.exec_driver_sql(f"CREATE TABLE search_{year} ({_COLUMNS})")
        connection.exec_driver_sql(
            f"INSERT INTO search_{year} SELECT rowid, terms, translate(entry.face, chr(10), ' ')"  # noqa: S608 - numbers
            f" FROM {_BEFORE} LEFT JOIN entry ON docid = rowid WHERE rowid >= {begin} AND rowid < {until}"
        )
    # Only now are the names of its indexes free.
    connection.exec_driver_sql(f"DROP TABLE {_BEFORE}")
    for year, begin, until in parts:
        connection.exec_driver_sql(f"ALTER TABLE search_{year} ADD PRIMARY KEY (rowid)")
        connection.exec_driver_sql(
            f"CREATE INDEX search_{year}_terms_idx ON search_{year} USING gin (terms)"
            f" WITH (gin_pending_list_limit = {PENDING_KIB})"
        )
        connection.exec_driver_sql(
            f"ALTER TABLE search ATTACH PARTITION search_{year} FOR VALUES FROM ({begin}) TO ({until})"
        )
    return True


def _too_wide(connection: Connection) -> tuple[str, int, int] | None:
    if connection.exec_driver_sql("SELECT to_regclass('search')").scalar_one() is None:
        return None
    wanted = {(first, end) for _, first, end in partitions()}
    parts = [(str(name), int(first), int(end)) for name, (first, end) in connection.exec_driver_sql(_PRESENT)]
    return max((part for part in parts if part[1:] not in wanted), key=lambda part: part[1], default=None)
