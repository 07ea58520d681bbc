"""Walking along what an expression finds, newest first: the numbers of the next entries, and what is counted of many.

Docids are year-major, so a period is a range of them: within it, no year has to be compared. Only records that reach
beyond the period's last year lie above, and are told by the mark of that year. What is finer than a year is compared
with the dates beside the faces (``entry_face``), and only where it has to be.
"""

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection

from hub.catalogue import SERIALS_A_YEAR
from hub.text_index import index_of
from hub.time_budgets import Cut, TimeBudget
from protocol.expressions import AllOf, AnyOf, Column, Expression, Run
from protocol.index_rows import YEAR_MAX
from protocol.marks import WIDE_DECADE, YEAR

TOTAL_MAX: Final = 10_000
"""Entries that are counted; beyond, the total is said to be more than this."""

COUNTED_AT_ONCE: Final = 2_500
"""Entries counted by one statement, so that a search that is cut can say what was counted before."""

ABOVE_ALL: Final = (YEAR_MAX + 1) * SERIALS_A_YEAR
"""A docid above all that there are."""

FACE_PARTS: Final = 5
"""Parts of a face: site, fonds, kind, access status and level."""

FACE_SEPARATOR: Final = "␟"


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Days that a record has to touch; open ends are None."""

    first: datetime.date | None = None
    last: datetime.date | None = None


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry must be like."""

    expression: Expression | None = None
    """None for whatever has a body."""
    period: Period = Period()


class Faces(msgspec.Struct, kw_only=True):
    """What was counted: how many entries, of which years, and with which faces."""

    total: int = 0
    is_whole: bool = False
    """Whether everything there is was counted."""
    years: Counter[str] = msgspec.field(default_factory=Counter)
    faces: Counter[str] = msgspec.field(default_factory=Counter)


class _Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A range of docids, with what has to be asked there."""

    above: int
    below: int
    expression: Expression | None


def docids(connection: Connection, sought: Sought, below: int, limit: int, budget: TimeBudget) -> list[int]:
    """Return the numbers of the newest entries below a number; fewer, and ``budget.was_cut``, when the time is over."""
    found: list[int] = []
    for stretch in _stretches(sought, below):
        if len(found) >= limit:
            break
        sql, values = _statement(connection, "docid", sought, stretch)
        try:
            with index_of(connection).bounded(connection, budget.left_s):
                rows = connection.exec_driver_sql(sql, (*values, limit - len(found))).all()
        except Cut:
            budget.was_cut = True
            break
        found += [row[0] for row in rows]
    return found


def total_of(connection: Connection, sought: Sought, budget: TimeBudget, limit: int = TOTAL_MAX) -> Faces:
    """Count the entries, up to one more than a limit."""
    return _counted(connection, sought, budget, limit, "count(*), min(docid)")


def faces_of(connection: Connection, sought: Sought, budget: TimeBudget, limit: int = TOTAL_MAX) -> Faces:
    """Count the newest entries, up to a limit, by year and by face; the total is of up to one more."""
    line_of = index_of(connection).line_of
    years, faces = line_of.format(f"docid / {SERIALS_A_YEAR}"), line_of.format("face")
    return _counted(connection, sought, budget, limit, f"count(*), min(docid), {years}, {faces}")


def _counted(connection: Connection, sought: Sought, budget: TimeBudget, limit: int, wanted: str) -> Faces:
    counted = Faces()
    for stretch in _stretches(sought, ABOVE_ALL):
        while counted.total <= limit:
            wish = min(COUNTED_AT_ONCE, limit + 1 - counted.total)
            sql, values = _statement(connection, "docid, face" if "face" in wanted else "docid", sought, stretch)
            try:
                with index_of(connection).bounded(connection, budget.left_s):
                    row = connection.exec_driver_sql(
                        f"SELECT {wanted} FROM ({sql}) AS found",  # noqa: S608 - built from constants
                        (*values, wish),
                    ).one()
            except Cut:
                budget.was_cut = True
                return counted
            number, lowest, *lines = row
            counted.total += number
            for counter, line in zip((counted.years, counted.faces), lines, strict=False):
                counter.update((line or "").split("\n") if number else ())
            if number < wish:
                break
            stretch = msgspec.structs.replace(stretch, below=lowest)  # noqa: PLW2901 - the rest of it
        else:
            return counted
    counted.is_whole = True
    return counted


def _stretches(sought: Sought, below: int) -> Iterator[_Stretch]:
    """The ranges of docids in which there may be something, newest first."""
    first, last = sought.period.first, sought.period.last
    lowest = first.year * SERIALS_A_YEAR if first is not None else 0
    highest = (last.year + 1) * SERIALS_A_YEAR if last is not None else ABOVE_ALL
    if last is not None and below > highest:
        reaching = _all((sought.expression, _touches(last.year)))
        yield _Stretch(above=highest, below=below, expression=reaching)
    if below > lowest and highest > lowest:
        yield _Stretch(above=lowest, below=min(below, highest), expression=sought.expression)


def _touches(year: int) -> Expression:
    terms = (f"{YEAR}{year:04d}", f"{WIDE_DECADE}{year // 10:03d}")
    return AnyOf(parts=tuple(Run(terms=(term,), columns=(Column.MARKS,)) for term in terms))


def _all(parts: Sequence[Expression | None]) -> Expression | None:
    wanted = tuple(part for part in parts if part is not None)
    return wanted[0] if len(wanted) == 1 else AllOf(parts=wanted) if wanted else None


def both(one: Expression | None, other: Expression | None) -> Expression | None:
    """Return what two expressions find together; None asks for nothing."""
    return _all((one, other))


def _statement(connection: Connection, columns: str, sought: Sought, stretch: _Stretch) -> tuple[str, list[object]]:
    """Return a statement and its values but for the last, its limit."""
    index = index_of(connection)
    clauses, values = _days(sought.period, stretch)
    if stretch.expression is None:
        named, source, docid = columns, index.entries, "docid"
        clauses = ["entry.body IS NOT NULL", *clauses]
    else:
        docid = "search.rowid"
        source = index.joined if clauses or "face" in columns else index.source
        named = columns.replace("docid", "search.rowid AS docid")
        clauses = [index.matching, *clauses]
        values = [index.question(connection, stretch.expression), *values]
    clauses += [f"{docid} >= ?", f"{docid} < ?"]
    where = " AND ".join(clauses)
    sql = f"SELECT {named} FROM {source} WHERE {where} ORDER BY {docid} DESC LIMIT ?"  # noqa: S608 - built from constants
    return sql, [*values, stretch.above, stretch.below]


def _days(period: Period, stretch: _Stretch) -> tuple[list[str], list[object]]:
    """Return how the days of a period are compared, where whole years do not say it already."""
    clauses: list[str] = []
    values: list[object] = []
    first, last = period.first, period.last
    is_beyond = last is not None and stretch.above >= (last.year + 1) * SERIALS_A_YEAR
    if first is not None and (first.month, first.day) != (1, 1):
        clauses.append("coalesce(entry.date_latest, entry.date_earliest) >= ?")
        values.append(first.isoformat())
    if last is not None and (is_beyond or (last.month, last.day) != (12, 31)):
        clauses.append("coalesce(entry.date_earliest, entry.date_latest) <= ?")
        values.append(last.isoformat())
    return clauses, values
