"""What is sought, and in which ranges of docids it may stand, the newest first. Pure.

Docids are year-major, so a period is a range of them, and the records that reach beyond its last year lie above, where
the mark of that year tells them from the others. Dates are then compared to the day with those beside the faces.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from hub.catalogue import SERIALS_A_YEAR
from hub.searching.period_clauses import touches
from hub.searching.rarity import Rarity
from protocol.expressions import AllOf, Expression
from protocol.index_rows import YEAR_MAX
from protocol.query_dates import Period
from protocol.records import Record

ABOVE_ALL: Final = (YEAR_MAX + 1) * SERIALS_A_YEAR
"""A docid above all that there are."""

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


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A range of docids, with what has to be asked there."""

    above: int
    below: int
    expression: Expression | None


def stretches(sought: Sought, below: int, above: int = 0) -> Iterator[Stretch]:
    """The ranges of docids in which there may be something, newest first."""
    firsts = [one.first.year for one in sought.periods if one.first is not None]
    lasts = [one.last.year for one in sought.periods if one.last is not None]
    lowest = max(above, *(year * SERIALS_A_YEAR for year in firsts)) if firsts else above
    highest = (min(lasts) + 1) * SERIALS_A_YEAR if lasts else ABOVE_ALL
    if lasts and below > highest:
        reaching = both(sought.expression, touches(min(lasts)))
        yield Stretch(above=max(lowest, highest), below=below, expression=reaching)
    if below > lowest and highest > lowest:
        yield Stretch(above=lowest, below=min(below, highest), expression=sought.expression)


def near_first(stretches: Iterable[Stretch], near: int) -> Iterator[Stretch]:
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
