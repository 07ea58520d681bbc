"""Pictures of the holdings on the first page: by year and by kind."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from hub.searching import spread
from hub.searching.spread import Spread
from protocol.errors import DanglianError
from protocol.vocabularies import LIVELIHOOD_KINDS
from protocol.wording import Text
from replication.database import Database

COUNT_EVERY_S: Final = 600
"""Seconds after which the holdings are counted anew when somebody looks."""

COUNT_S: Final = 60.0
"""Seconds that counting may take."""

FIRST_YEAR: Final = 1900
"""Older entries are drawn at this year: a county has few, and they would make the picture flat."""

KINDS_SHOWN: Final = 10
"""Kinds in the picture; the rest stands in one line."""

YEAR_WIDTH: Final = 4
HEIGHT: Final = 80
WIDEST: Final = 200

log = structlog.get_logger(__name__)


class YearBar(msgspec.Struct, frozen=True, kw_only=True):
    """One year as it is drawn."""

    year: int
    x: int
    y: int
    height: int


class KindBar(msgspec.Struct, frozen=True, kw_only=True):
    """One kind as it is drawn."""

    words: Text
    path: str
    count: int
    width: int


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """The pictures of what is held."""

    spread: Spread
    years: tuple[YearBar, ...]
    width: int
    ticks: tuple[YearBar, ...]
    decades: tuple[tuple[str, int], ...]
    """The same in numbers."""
    undated: int
    kinds: tuple[KindBar, ...]
    other_kinds: int
    no_kind: int


class Spreads:
    """The newest count of the holdings; counting never keeps a page waiting."""

    def __init__(self, database: Database, clock_ms: Callable[[], int]) -> None:
        self._database = database
        self._clock_ms = clock_ms
        self._newest: Spread | None = None
        self._counting: asyncio.Task[None] | None = None

    def newest(self) -> Spread | None:
        """Return the newest count, and begin another if it has grown old; None before the first."""
        found = self._newest
        is_old = found is None or self._clock_ms() - found.at_ms > COUNT_EVERY_S * 1000
        if is_old and (self._counting is None or self._counting.done()):
            self._counting = asyncio.create_task(self.count(), name="holdings")
        return found

    async def count(self) -> None:
        """Count now; a store that is away is counted at the next look."""
        now_ms = self._clock_ms()
        try:
            async with asyncio.timeout(COUNT_S):
                self._newest = await self._database.read(lambda connection: spread.read(connection, now_ms))
        except (DanglianError, TimeoutError) as error:
            reason = error.reason.en if isinstance(error, DanglianError) else "too slow"
            log.warning("holdings_not_counted", reason=reason)

    async def close(self) -> None:
        """End a count that is under way."""
        if self._counting is not None:
            self._counting.cancel()
            await asyncio.gather(self._counting, return_exceptions=True)


def holdings_of(found: Spread, this_year: int) -> Holdings:
    """Return the pictures of a count."""
    drawn: Counter[int] = Counter()
    for year, count in found.years.items():
        if year:
            drawn[min(max(year, FIRST_YEAR), this_year)] += count
    most = max(drawn.values(), default=0)
    heights = {year: max(1, count * HEIGHT // most) for year, count in drawn.items()}
    decades: Counter[int] = Counter()
    for year, count in drawn.items():
        decades[year // 10 * 10] += count
    kinds = [(kind, count) for kind, count in found.kinds.items() if kind in LIVELIHOOD_KINDS]
    widest = max((count for _, count in kinds), default=0)
    return Holdings(
        spread=found,
        years=tuple(_bar(year, height) for year, height in sorted(heights.items())),
        width=(this_year - FIRST_YEAR + 1) * YEAR_WIDTH,
        ticks=tuple(_bar(year, 0) for year in range(FIRST_YEAR, this_year + 1, 20)),
        decades=tuple((f"{decade}–{decade + 9}", count) for decade, count in sorted(decades.items(), reverse=True)),
        undated=found.years.get(0, 0),
        kinds=tuple(
            KindBar(
                words=Text(zh=LIVELIHOOD_KINDS[kind].zh, en=LIVELIHOOD_KINDS[kind].en),
                path=f"/catalogue?kind={kind}",
                count=count,
                width=max(1, count * WIDEST // widest),
            )
            for kind, count in kinds[:KINDS_SHOWN]
        ),
        other_kinds=sum(count for _, count in kinds[KINDS_SHOWN:]),
        no_kind=found.total - sum(count for _, count in kinds),
    )


def _bar(year: int, height: int) -> YearBar:
    return YearBar(year=year, x=(year - FIRST_YEAR) * YEAR_WIDTH, y=HEIGHT - height, height=height)
