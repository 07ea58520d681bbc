"""Periods in the words of the stores: how the dates of entries are compared, and where that is not needed. Pure."""

from collections.abc import Sequence

from hub.catalogue import SERIALS_A_YEAR
from protocol.expressions import AnyOf, Column, Expression, Run
from protocol.marks import WIDE_DECADE, YEAR
from protocol.query_dates import Period


def days(periods: Sequence[Period]) -> tuple[list[str], list[object]]:
    """Return how dates are compared: to the day, and so that what is dated by its filing alone is of no period."""
    clauses: list[str] = []
    values: list[object] = []
    for period in periods:
        if period.first is not None:
            clauses.append("coalesce(entry.date_latest, entry.date_earliest) >= ?")
            values.append(period.first.isoformat())
        if period.last is not None:
            clauses.append("coalesce(entry.date_earliest, entry.date_latest) <= ?")
            values.append(period.last.isoformat())
    return clauses, values


def holds_all_dated(periods: Sequence[Period], docids: range) -> bool:
    """Tell whether every dated entry of a range is of all periods: the year of a docid is that of the latest date."""
    lasts = [period.last.year for period in periods if period.last is not None]
    firsts = [period.first.year for period in periods if period.first is not None]
    return (
        all(period.is_whole_years for period in periods)
        and bool(firsts or lasts)
        and docids.start >= max(firsts, default=0) * SERIALS_A_YEAR
        and (not lasts or docids.stop <= (min(lasts) + 1) * SERIALS_A_YEAR)
    )


def touches(year: int) -> Expression:
    """Return what finds the entries that touch a year, and some of many years that touch its decade."""
    terms = (f"{YEAR}{year:04d}", f"{WIDE_DECADE}{year // 10:03d}")
    return AnyOf(parts=tuple(Run(terms=(term,), columns=(Column.MARKS,)) for term in terms))
