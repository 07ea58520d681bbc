"""What was counted for the first page of a search, kept in memory for the pages behind it.

Counting ten thousand hits with their facets is half of what a page of results costs, and while somebody turns pages it
says the same again. Total and facets of the pages behind the first are therefore those of the first: of the moment at
which the search began, and of who began it. Whoever asks anew, or comes later than ``TALLY_S``, is counted for anew.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from hub.searching.search import Query, Tally

TALLIES_MAX: Final = 500
"""Searches whose tally is kept, some 30 kB each: more than a county's people turn pages of at once."""

TALLY_S: Final = 600.0
"""Seconds that a tally stands: long enough to read some pages."""


class Tallies:
    """The tally of a search, by who asked and what."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._kept: OrderedDict[tuple[str, Query], tuple[int, Tally]] = OrderedDict()

    def keep(self, login: str, query: Query, tally: Tally) -> None:
        """Keep what was counted for the first page of a search."""
        key = _key(login, query)
        self._kept[key] = (self._clock_ms(), tally)
        self._kept.move_to_end(key)
        if len(self._kept) > TALLIES_MAX:
            self._kept.popitem(last=False)

    def of(self, login: str, query: Query) -> Tally | None:
        """Return what was counted for the first page of a search; None if this must be counted."""
        if not query.cursor:
            return None
        at_ms, tally = self._kept.get(_key(login, query), (0, None))
        return tally if 0 <= self._clock_ms() - at_ms < TALLY_S * 1000 else None


def _key(login: str, query: Query) -> tuple[str, Query]:
    return login, msgspec.structs.replace(query, cursor="")
