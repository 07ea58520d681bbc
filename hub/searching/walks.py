"""Walking along what an expression finds, newest first: the numbers of the next entries, and what is counted of many.

Docids are year-major, so a period is a range of them, and the records that reach beyond its last year lie above, where
the mark of that year tells them from the others. Dates are then compared to the day with those beside the faces.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from hub.catalogue import SERIALS_A_YEAR, with_access
from hub.searching.ordering import wider
from hub.searching.period_clauses import days, holds_all_dated, touches
from hub.searching.rarity import Rarity
from hub.searching.time_budgets import Cut, TimeBudget
from hub.storage.faces import Face, face_of
from hub.storage.selections import Selection
from hub.storage.text_index import index_of
from protocol.codec import decode_record
from protocol.errors import BadValue
from protocol.expressions import AllOf, Expression
from protocol.index_rows import YEAR_MAX
from protocol.query_dates import Period
from protocol.records import Record
from protocol.vocabularies import AccessStatus
from replication.dialects import among

TOTAL_MAX: Final = 10_000
"""Entries that are counted; beyond, the total is said to be more than this."""

COUNTED_AT_ONCE: Final = 1_000
"""Entries counted by the first statement, so that a search that is cut can say what was counted before; the second
counts the rest. (An index that finds everything before it puts anything in order would find it twice.) Among these
newest each rank is looked for before it is among all: most fill a page there."""

CHECKED_AT_ONCE: Final = 100
"""Entries that are read at once where each has to be looked at."""

CHECKED_MAX: Final = 1_000
"""Entries that are looked at for a total; of more, the index's own count is an upper bound."""

ABOVE_ALL: Final = (YEAR_MAX + 1) * SERIALS_A_YEAR
"""A docid above all that there are."""

BEST_MAX: Final = 1_000
"""Entries that are told in the order of their ranks where they were ranked while they were counted."""

RANKS_MAX: Final = 10
"""Ranks that entries are told by one digit each."""

_RANKED: Final = "string_agg(CAST(entry.rank AS text), ''), string_agg(CAST(entry.docid AS text), ',')"

Check = Callable[[str, Record], bool]
"""Tells whether a record of a site, under the access status that holds now, is what is meant."""


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry must be like."""

    expression: Expression | None = None
    """None for whatever has a body."""
    periods: tuple[Period, ...] = ()
    """It has to be of each of them."""
    check: Check | None = None
    """What a record must pass besides, because the index finds more than is meant."""
    ranks: tuple[Expression, ...] | None = None
    """What each rank but the last finds, the best first, if entries are ranked while they are counted."""
    rarity: Rarity | None = None
    """What is known of how rare its terms are; None where the index has to be asked."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A range of docids."""

    below: int
    """Above the newest entry."""
    above: int = 0
    """The lowest."""
    near: int = 0
    """The lowest of those that are looked at first; the others are only if there are not enough. 0 for all at once."""


class Faces(msgspec.Struct, kw_only=True):
    """What was counted: how many entries, of which years, and with which faces."""

    total: int = 0
    lowest: int = 0
    """Docid of the last one that was counted."""
    near: int = 0
    """Docid of the last one of the first ``COUNTED_AT_ONCE``; 0 if there are not so many."""
    is_whole: bool = False
    """Whether everything there is was counted."""
    is_upper_bound: bool = False
    """Whether more was counted than is meant."""
    years: Counter[int] = msgspec.field(default_factory=Counter)
    """0 for entries of no year."""
    best: list[tuple[int, int]] = msgspec.field(default_factory=list)
    """Rank and docid of those that come first, if they were ranked."""
    faces: list[Face] = msgspec.field(default_factory=list)
    """One for each entry: counted by their parts at last, which takes a third of counting them first."""


class _Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A range of docids, with what has to be asked there."""

    above: int
    below: int
    expression: Expression | None


def docids(connection: Connection, sought: Sought, span: Span, limit: int, budget: TimeBudget) -> list[int]:
    """Return the newest entries of a range; fewer, and ``budget.was_cut``, when time is over."""
    if sought.check is None:
        return _indexed(connection, sought, span, limit, budget)
    found: list[int] = []
    # Mostly they all pass; where they do not, more are read at once.
    wish = limit
    while len(found) < limit:
        part = _indexed(connection, sought, span, wish, budget)
        found += [docid for docid, _ in _passing(connection, part, sought.check)]
        if len(part) < wish:
            break
        wish = CHECKED_AT_ONCE
        if budget.is_spent:
            budget.was_cut = True
            break
        span = msgspec.structs.replace(span, below=part[-1])
    return found[:limit]


def floors_below(connection: Connection, sought: Sought, ceiling: int, budget: TimeBudget) -> tuple[int, int]:
    """Return the lowest of the newest ``TOTAL_MAX`` entries below a number, and of the newest ``COUNTED_AT_ONCE``.

    Both are 0 if there are no more than ``TOTAL_MAX``.
    """
    unranked = msgspec.structs.replace(sought, ranks=None)
    newest = _indexed(connection, unranked, Span(below=ceiling), TOTAL_MAX + 1, budget)
    return (newest[-2], newest[min(COUNTED_AT_ONCE, TOTAL_MAX) - 1]) if len(newest) > TOTAL_MAX else (0, 0)


def _indexed(connection: Connection, sought: Sought, span: Span, limit: int, budget: TimeBudget) -> list[int]:
    found: list[int] = []
    upwards = bool(span.above) and index_of(connection).looks_on
    stretches = _stretches(sought, span.below, span.above)
    for stretch in _near_first(stretches, span.near) if upwards else stretches:
        if len(found) >= limit:
            break
        wish = limit - len(found)
        # Downwards such an index looks on for a match below the lowest number, through millions if need be. Upwards it
        # begins at that number, and there are at most so many entries above it as are ranked together.
        sql, values = _statement(connection, sought, stretch, TOTAL_MAX + 1 if upwards else wish, upwards=upwards)
        if upwards:
            # Ten thousand numbers are put in order by the store in a tenth of the time that it takes to hand them over.
            sql, values = f"SELECT docid FROM ({sql}) AS found ORDER BY docid DESC LIMIT ?", (*values, wish)  # noqa: S608 - built from constants
        try:
            with index_of(connection).bounded(connection, budget.left_s, stretch.expression):
                rows = connection.exec_driver_sql(sql, values).all()
        except Cut:
            budget.was_cut = True
            break
        found += [row[0] for row in rows]
    return found


def _passing(connection: Connection, numbers: Sequence[int], check: Check) -> list[tuple[int, Face]]:
    """Return those entries that pass a check, with their faces, in the order given."""
    if not numbers:
        return []
    marks = ", ".join("?" * len(numbers))
    rows = connection.exec_driver_sql(
        f"SELECT docid, site, access_status, face, body FROM entry WHERE docid IN ({marks}) AND body IS NOT NULL",  # noqa: S608 - marks only
        tuple(numbers),
    )
    passing = {}
    for docid, site, status, face, body in rows:
        try:
            record = with_access(decode_record(body), AccessStatus(status))
        except BadValue:
            # One entry that the disk has spoilt must not fail the search; the nightly check finds and repairs it.
            continue
        if check(site, record):
            passing[docid] = face_of(face)
    return [(docid, passing[docid]) for docid in numbers if docid in passing]


def total_of(connection: Connection, sought: Sought, budget: TimeBudget, limit: int = TOTAL_MAX) -> Faces:
    """Count the entries, up to one more than a limit."""
    if sought.check is not None:
        return _checked(connection, sought, budget, limit)
    return _counted(connection, sought, budget, limit, "count(*), min(entry.docid)")


def faces_of(connection: Connection, sought: Sought, budget: TimeBudget, limit: int = TOTAL_MAX) -> Faces:
    """Count the newest entries, up to a limit, by year and by face; the total is of up to one more."""
    if sought.check is not None:
        return _checked(connection, sought, budget, limit)
    wanted = f"count(*), min(entry.docid), {index_of(connection).years_and_faces}"
    return _counted(connection, sought, budget, limit, wanted)


def _checked(connection: Connection, sought: Sought, budget: TimeBudget, limit: int) -> Faces:
    """Count what passes the check; where that would be too much to look at, what the index finds, as an upper bound."""
    found = _indexed(connection, sought, Span(below=ABOVE_ALL), CHECKED_MAX + 1, budget)
    if len(found) > CHECKED_MAX:
        wanted = f"count(*), min(entry.docid), {index_of(connection).years_and_faces}"
        bound = Faces(is_upper_bound=True, near=found[-1])
        # They need not be found again, only their faces.
        named, values = among(connection, found)
        sql = f"SELECT {wanted} FROM {index_of(connection).entries} WHERE docid {named}"  # noqa: S608 - constants
        _add(connection, bound, connection.exec_driver_sql(sql, values).one())
        return _counted(connection, msgspec.structs.replace(sought, check=None), budget, limit, wanted, bound)
    counted = Faces(is_whole=not budget.was_cut)
    for first in range(0, len(found), CHECKED_AT_ONCE):
        if budget.is_spent:
            budget.was_cut, counted.is_whole = True, False
            break
        part = found[first : first + CHECKED_AT_ONCE]
        for docid, face in _passing(connection, part, sought.check or _anything):
            counted.total += 1
            counted.years[docid // SERIALS_A_YEAR] += 1
            counted.faces.append(face)
    return counted


def _anything(_site: str, _record: Record) -> bool:
    return True


def _counted(
    connection: Connection,
    sought: Sought,
    budget: TimeBudget,
    limit: int,
    wanted: str,
    counted: Faces | None = None,
) -> Faces:
    """Count on from what was counted before, the newest first, up to one more than a limit."""
    counted = counted or Faces()
    below = counted.lowest if counted.total else ABOVE_ALL
    for stretch in _stretches(sought, below):
        try:
            _count_along(connection, sought, stretch, budget, limit, wanted, counted)
        except Cut:
            budget.was_cut = True
            return counted
        if counted.total > limit:
            break
    else:
        counted.is_whole = True
    counted.best.sort(key=lambda one: (one[0], -one[1]))
    return counted


def _count_along(
    connection: Connection,
    sought: Sought,
    stretch: _Stretch,
    budget: TimeBudget,
    limit: int,
    wanted: str,
    counted: Faces,
) -> None:
    """Count in one range; raises ``Cut`` when time is over."""
    wide = wider(sought.rarity or Rarity(connection), stretch.expression)
    while counted.total <= limit:
        is_whole = counted.near or index_of(connection).orders_last
        wish = min(limit + 1 if is_whole else COUNTED_AT_ONCE, limit + 1 - counted.total)
        # Where a phrase is compared place by place, skipping along its lists costs FTS5 half as much upwards.
        upwards = wide is not None
        above = _floor(connection, stretch, wide, wish, budget) if wide is not None else stretch.above
        part = msgspec.structs.replace(stretch, above=above)
        sql, values = _statement(connection, sought, part, wish, upwards=upwards, with_faces="face" in wanted)
        is_ranked = sought.ranks is not None and part.expression is not None
        told = f"{_RANKED}, {wanted}" if is_ranked else wanted
        with index_of(connection).bounded(connection, budget.left_s, part.expression):
            row = connection.exec_driver_sql(f"SELECT {told} FROM ({sql}) AS entry", values).one()  # noqa: S608 - constants
        ranks, numbers, *counts = row if is_ranked else ("", "", *row)
        counted.best += _best(ranks or "", (numbers or "").split(","))
        number = _add(connection, counted, counts)
        if number < wish and above == stretch.above:
            return
        lowest = above if upwards else counted.lowest
        counted.near = counted.near or lowest
        stretch = msgspec.structs.replace(stretch, below=lowest)
        if number <= wish // 2:
            # What finds more than is meant finds far too much.
            wide = None


def _floor(connection: Connection, stretch: _Stretch, wide: Expression, wish: int, budget: TimeBudget) -> int:
    """Return the lowest of the newest entries of a range that may be meant: no more of them than one wishes for."""
    may_be = msgspec.structs.replace(stretch, expression=wide)
    sql, values = _statement(connection, Sought(), may_be, wish)
    with index_of(connection).bounded(connection, budget.left_s, wide):
        query = f"SELECT count(*), min(docid) FROM ({sql}) AS entry"  # noqa: S608 - constants
        number, lowest = connection.exec_driver_sql(query, values).one()
    return int(lowest) if number == wish else stretch.above


def _add(connection: Connection, counted: Faces, row: Sequence[Any]) -> int:
    """Add the number of some entries, the lowest of them, and the years and faces that aggregates wrote."""
    number, lowest, *lines = row
    counted.total += number
    counted.lowest = lowest if number else counted.lowest
    if lines and lines[0]:
        years, faces = index_of(connection).told(connection, *lines)
        counted.years.update(years)
        counted.faces += faces
    return int(number)


def _best(ranks: str, docids: Sequence[str]) -> list[tuple[int, int]]:
    """Return rank and docid of the first entries of a walk, the best first; those of one rank stay in their order."""
    places = (place for rank in sorted(set(ranks)) for place, one in enumerate(ranks) if one == rank)
    return [(int(ranks[place]), int(docids[place])) for place in islice(places, BEST_MAX)]


def _stretches(sought: Sought, below: int, above: int = 0) -> Iterator[_Stretch]:
    """The ranges of docids in which there may be something, newest first."""
    firsts = [one.first.year for one in sought.periods if one.first is not None]
    lasts = [one.last.year for one in sought.periods if one.last is not None]
    lowest = max(above, *(year * SERIALS_A_YEAR for year in firsts)) if firsts else above
    highest = (min(lasts) + 1) * SERIALS_A_YEAR if lasts else ABOVE_ALL
    if lasts and below > highest:
        reaching = both(sought.expression, touches(min(lasts)))
        yield _Stretch(above=max(lowest, highest), below=below, expression=reaching)
    if below > lowest and highest > lowest:
        yield _Stretch(above=lowest, below=min(below, highest), expression=sought.expression)


def _near_first(stretches: Iterable[_Stretch], near: int) -> Iterator[_Stretch]:
    """The same ranges, the one that a number lies in as what is above it and what is below."""
    for stretch in stretches:
        if stretch.above < near < stretch.below:
            yield msgspec.structs.replace(stretch, above=near)
            yield msgspec.structs.replace(stretch, below=near)
        else:
            yield stretch


def both(one: Expression | None, other: Expression | None) -> Expression | None:
    """Return what two expressions find together; None asks for nothing."""
    if one is None or other is None:
        return one or other
    return AllOf(parts=(one, other))


def _statement(
    connection: Connection,
    sought: Sought,
    stretch: _Stretch,
    limit: int,
    *,
    upwards: bool = False,
    with_faces: bool = False,
) -> tuple[str, Any]:
    """Return the statement for the newest entries of a stretch, or upwards for the oldest, and its values."""
    clauses, values = days(sought.periods)
    if stretch.expression is not None:
        numbers = range(stretch.above, stretch.below)
        is_dated = index_of(connection).orders_last and holds_all_dated(sought.periods, numbers)
        if is_dated:
            clauses, values = [], []
        selection = Selection(
            expression=stretch.expression,
            docids=numbers,
            is_dated=is_dated,
            limit=limit,
            clauses=tuple(clauses),
            values=tuple(values),
            with_faces=with_faces,
            upwards=upwards,
            ranks=sought.ranks,
        )
        return index_of(connection).statement(connection, selection)
    named = "docid, face" if with_faces else "docid"
    where = " AND ".join((*clauses, "docid >= ?", "docid < ?"))
    sql = f"SELECT {named} FROM {index_of(connection).entries} WHERE {where} ORDER BY docid DESC LIMIT ?"  # noqa: S608 - built from constants
    return sql, (*values, stretch.above, stretch.below, limit)
