"""Walking along what an expression finds, newest first: the next entries, and what is counted of many."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from hub.catalogue import SERIALS_A_YEAR, with_access
from hub.searching.ordering import shared_terms, wider
from hub.searching.period_clauses import days, holds_all_dated
from hub.searching.rarity import Rarity
from hub.searching.sought import ABOVE_ALL, Check, Sought, Span, Stretch, near_first, stretches
from hub.searching.time_budgets import Cut, TimeBudget
from hub.storage.faces import Face, face_of
from hub.storage.selections import Selection
from hub.storage.text_index import index_of
from protocol.codec import decode_record
from protocol.errors import BadValue
from protocol.expressions import Expression
from protocol.records import Record
from protocol.vocabularies import AccessStatus
from replication.dialects import among, rows_of

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

BEST_MAX: Final = 1_000
"""Entries that are told in the order of their ranks where they were ranked while they were counted."""

RANKS_MAX: Final = 10
"""Ranks that entries are told by one digit each."""

_RANKED: Final = "string_agg(CAST(entry.rank AS text), ''), string_agg(CAST(entry.docid AS text), ',')"

KNOWN_MAX: Final = 20
"""Entries of which all are named at once where so few are found: a page of them needs no walk along any rank."""


class Faces(msgspec.Struct, kw_only=True):
    """What was counted: how many entries, of which years, and with which faces."""

    total: int = 0
    lowest: int = 0
    """Docid of the last one that was counted."""
    near: int = 0
    """Docid of the last one of the first ``COUNTED_AT_ONCE``; 0 if there are not so many."""
    is_whole: bool = False
    """Whether everything there is was counted."""
    docids: Sequence[int] | None = None
    """All of them, newest first, if there are at most ``KNOWN_MAX``; None for more, or where that was not seen."""
    is_upper_bound: bool = False
    """Whether more was counted than is meant."""
    years: Counter[int] = msgspec.field(default_factory=Counter)
    """0 for entries of no year."""
    best: list[tuple[int, int]] = msgspec.field(default_factory=list)
    """Rank and docid of those that come first, if they were ranked."""
    faces: list[Face] = msgspec.field(default_factory=list)
    """One for each entry: counted by their parts at last, which takes a third of counting them first."""


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
    is_few = limit > CHECKED_MAX and _is_few(connection, sought, TOTAL_MAX)
    for stretch in stretches(sought, span.below, span.above):
        wish = limit - len(found)
        if wish <= 0:
            break
        try:
            # Of few entries most are wanted here, and skipping along the lists takes half the time upwards.
            part = None if is_few else _downwards(connection, sought, stretch, wish, budget, has_end=not span.above)
            parts = _upwards(connection, sought, stretch, span.near, wish, budget) if part is None else (part,)
            for one in parts:
                found += one
        except Cut:
            budget.was_cut = True
            break
    return found


def _downwards(
    connection: Connection, sought: Sought, stretch: Stretch, wish: int, budget: TimeBudget, *, has_end: bool
) -> list[int] | None:
    """Return the newest entries of a range; None if the index might look on, far below it, for one more."""
    sql, values = _statement(connection, sought, stretch, wish)
    try:
        with index_of(connection).bounded(connection, budget.left_s, stretch.expression, is_glimpse=not has_end):
            return [row[0] for row in rows_of(connection, sql, values)]
    except Cut:
        if has_end:
            raise
        return None


def _upwards(
    connection: Connection, sought: Sought, stretch: Stretch, near: int, wish: int, budget: TimeBudget
) -> Iterator[list[int]]:
    """Yield the same of a range that has at most so many entries as are ranked together, those near the top first."""
    for part in near_first([stretch], near):
        sql, values = _statement(connection, sought, part, TOTAL_MAX + 1, upwards=True)
        # Ten thousand numbers are put in order by the store in a tenth of the time that it takes to hand them over.
        newest = f"SELECT docid FROM ({sql}) AS found ORDER BY docid DESC LIMIT ?"  # noqa: S608 - built from constants
        with index_of(connection).bounded(connection, budget.left_s, part.expression):
            found = [row[0] for row in rows_of(connection, newest, (*values, wish))]
        yield found
        wish -= len(found)
        if wish <= 0:
            break


def _passing(connection: Connection, numbers: Sequence[int], check: Check) -> list[tuple[int, Face]]:
    """Return those entries that pass a check, with their faces, in the order given."""
    if not numbers:
        return []
    marks = ", ".join("?" * len(numbers))
    rows = rows_of(
        connection,
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
    return _told(connection, sought, budget, limit, "count(*), min(entry.docid)")


def faces_of(connection: Connection, sought: Sought, budget: TimeBudget, limit: int = TOTAL_MAX) -> Faces:
    """Count the newest entries, up to a limit, by year and by face; the total is of up to one more."""
    wanted = f"count(*), min(entry.docid), {index_of(connection).years_and_faces}"
    return _told(connection, sought, budget, limit, wanted)


def _told(connection: Connection, sought: Sought, budget: TimeBudget, limit: int, wanted: str) -> Faces:
    if sought.check is not None:
        return _checked(connection, sought, budget, limit)
    known = _known(connection, sought, budget, min(KNOWN_MAX, limit))
    if known is None:
        return _counted(connection, sought, budget, limit, wanted)
    counted = Faces(is_whole=True, docids=known)
    if known:
        _add_these(connection, counted, known, wanted)
    return counted


def _add_these(connection: Connection, counted: Faces, numbers: Sequence[int], wanted: str) -> None:
    """Add entries that were found, and so need not be found again."""
    named, values = among(connection, numbers)
    sql = f"SELECT {wanted} FROM {index_of(connection).entries} WHERE docid {named}"  # noqa: S608 - constants
    _add(connection, counted, rows_of(connection, sql, values)[0])


def _checked(connection: Connection, sought: Sought, budget: TimeBudget, limit: int) -> Faces:
    """Count what passes the check; where that would be too much to look at, what the index finds, as an upper bound."""
    found = _indexed(connection, sought, Span(below=ABOVE_ALL), CHECKED_MAX + 1, budget)
    if len(found) > CHECKED_MAX:
        wanted = f"count(*), min(entry.docid), {index_of(connection).years_and_faces}"
        bound = Faces(is_upper_bound=True, near=found[-1])
        _add_these(connection, bound, found, wanted)
        return _counted(connection, msgspec.structs.replace(sought, check=None), budget, limit, wanted, bound)
    counted = Faces(is_whole=not budget.was_cut)
    passed: list[int] = []
    for first in range(0, len(found), CHECKED_AT_ONCE):
        if budget.is_spent:
            budget.was_cut, counted.is_whole = True, False
            break
        part = found[first : first + CHECKED_AT_ONCE]
        for docid, face in _passing(connection, part, sought.check or _anything):
            counted.total += 1
            counted.years[docid // SERIALS_A_YEAR] += 1
            counted.faces.append(face)
            passed.append(docid)
    counted.docids = passed if counted.is_whole and len(passed) <= KNOWN_MAX else None
    return counted


def _is_few(connection: Connection, sought: Sought, entries: int) -> bool:
    """Tell whether it is known, and soon seen, that no more than so many entries are found."""
    return (sought.rarity or Rarity(connection)).is_few(shared_terms(sought.expression), entries)


def _known(connection: Connection, sought: Sought, budget: TimeBudget, most: int) -> list[int] | None:
    """Return all that is found, newest first; None if it is more than so many, or may take long to be seen."""
    if not _is_few(connection, sought, TOTAL_MAX):
        return None
    found: list[int] = []
    for stretch in stretches(sought, ABOVE_ALL):
        sql, values = _statement(connection, sought, stretch, most + 1 - len(found), upwards=True)
        try:
            with index_of(connection).bounded(connection, budget.left_s, stretch.expression):
                found += [row[0] for row in rows_of(connection, sql, values)]
        except Cut:
            budget.was_cut = True
            return None
        if len(found) > most:
            return None
    return sorted(found, reverse=True)


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
    for stretch in stretches(sought, below):
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
    stretch: Stretch,
    budget: TimeBudget,
    limit: int,
    wanted: str,
    counted: Faces,
) -> None:
    """Count in one range; raises ``Cut`` when time is over."""
    rarity = sought.rarity or Rarity(connection)
    # Skipping along a list costs FTS5 half as much upwards: what is all counted is counted so.
    is_few = rarity.is_few(shared_terms(stretch.expression), limit - counted.total)
    wide = None if is_few else wider(rarity, stretch.expression)
    while counted.total <= limit:
        is_whole = is_few or counted.near or index_of(connection).orders_last
        wish = min(limit + 1 if is_whole else COUNTED_AT_ONCE, limit + 1 - counted.total)
        # A costly phrase is compared upwards as well, where what is found without it lies.
        upwards = is_few or wide is not None
        above = _floor(connection, stretch, wide, wish, budget) if wide is not None else stretch.above
        part = msgspec.structs.replace(stretch, above=above)
        sql, values = _statement(connection, sought, part, wish, upwards=upwards, with_faces="face" in wanted)
        is_ranked = sought.ranks is not None and part.expression is not None
        told = f"{_RANKED}, {wanted}" if is_ranked else wanted
        with index_of(connection).bounded(connection, budget.left_s, part.expression):
            (row,) = rows_of(connection, f"SELECT {told} FROM ({sql}) AS entry", values)  # noqa: S608 - constants
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


def _floor(connection: Connection, stretch: Stretch, wide: Expression, wish: int, budget: TimeBudget) -> int:
    """Return the lowest of the newest entries of a range that may be meant: no more of them than one wishes for."""
    may_be = msgspec.structs.replace(stretch, expression=wide)
    sql, values = _statement(connection, Sought(), may_be, wish)
    with index_of(connection).bounded(connection, budget.left_s, wide):
        query = f"SELECT count(*), min(docid) FROM ({sql}) AS entry"  # noqa: S608 - constants
        ((number, lowest),) = rows_of(connection, query, values)
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


def _statement(
    connection: Connection,
    sought: Sought,
    stretch: Stretch,
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
