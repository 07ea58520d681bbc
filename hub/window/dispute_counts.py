"""The report of disputes 纠纷分析: kinds, places and outcomes by number, in which nobody can be recognised.

A count of one or two says who it was to anybody who knows the village, so such counts are withheld. The total stands
beside them, so others are withheld with them until the total does not give them away: one alone would be what is left
of it, and several that are alike would be seen by their sum. Kinds are not crossed with places: the sums of rows and
columns give away too much.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from hub.window.mediation import Case

SMALL: Final = 3
"""Cases: a count below it is withheld."""


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How many cases have some value."""

    value: str
    cases: int | None
    """None: withheld, so that nobody is recognised."""


class DisputeReport(msgspec.Struct, frozen=True, kw_only=True):
    """The report; every list goes from the most to the fewest, with what is withheld at its end.

    A list that cannot be shown without giving somebody away is empty.
    """

    cases: int | None
    """None where there are so few that even their number is withheld."""
    kinds: tuple[Count, ...] = ()
    places: tuple[Count, ...] = ()
    results: tuple[Count, ...] = ()


def report(cases: Sequence[Case]) -> DisputeReport:
    """Return the report of some cases."""
    if 0 < len(cases) < SMALL:
        return DisputeReport(cases=None)
    return DisputeReport(
        cases=len(cases),
        kinds=_line(cases, lambda case: case.kind),
        places=_line(cases, lambda case: case.place or "—"),
        results=_line(cases, lambda case: case.result.value),
    )


def shown(counts: Counter[str]) -> dict[str, int | None] | None:
    """Return what may be shown of a line of counts beside its total; None if nothing may.

    The counts are all above zero; what is withheld stands as None.
    """
    hidden = {value for value, count in counts.items() if count < SMALL}
    while hidden and len({counts[value] for value in hidden}) == 1:
        others = {counts[value] for value in counts if value not in hidden}
        if not others:
            return None
        # All of the next count, or the choice among them would tell who knows how it is made.
        hidden |= {value for value, count in counts.items() if count == min(others)}
    return {value: None if value in hidden else count for value, count in counts.items()}


def _line(cases: Sequence[Case], value_of: Callable[[Case], str]) -> tuple[Count, ...]:
    counts = shown(Counter(map(value_of, cases))) or {}
    ordered = sorted(counts.items(), key=lambda one: (one[1] is None, -(one[1] or 0), one[0]))
    return tuple(Count(value=value, cases=count) for value, count in ordered)
