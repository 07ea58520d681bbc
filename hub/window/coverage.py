"""What each site is known to hold: places, fonds, years and kinds, counted from the hub's copy of its catalogue.

Counting reads every entry of a site, so it is done behind the scenes, site by site, whenever a site's copy has moved;
who asks reads the result. It says what was catalogued and has arrived, and nothing of what was not.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, insert, select

from hub.looking import look_for_ever
from hub.sites.board import Mark, marks
from hub.transfers import year_counts
from hub.transfers.year_counts import YearCount
from hub.window.lookup_tables import site_holding, site_holding_mark
from protocol.vocabularies import Level
from replication.database import Database

LOOK_EVERY_S: Final = 20.0
"""Seconds between looks which copies have moved."""

RECOUNT_AFTER_S: Final = 120.0
"""Seconds before a site that keeps moving is counted again."""


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """The entries of one fonds, kind and level at a site."""

    fonds_no: str
    livelihood_kind: str
    """Empty for entries that have none."""
    level: str
    entries: int
    undated: int
    year_from: int | None = None
    year_to: int | None = None


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What a site is known to hold."""

    site: str
    counted_at_ms: int
    holdings: tuple[Holding, ...] = ()

    @property
    def entries(self) -> int:
        """How many entries the copy has."""
        return sum(one.entries for one in self.holdings)

    @property
    def has_volumes_only(self) -> bool:
        """Whether nothing below volumes is described: a title within one cannot be found by its words."""
        levels = {one.level for one in self.holdings}
        return bool(levels) and levels <= {Level.VOLUME.value, Level.FONDS.value, Level.SERIES.value}


class Counter:
    """Counts the copies that have moved; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        clock_ms: Callable[[], int],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._clock_ms = clock_ms
        self._sleep = sleep

    async def run(self) -> None:
        """Count, for ever."""
        await look_for_ever(self.look, LOOK_EVERY_S, "coverage_not_counted", sleep=self._sleep)

    async def look(self) -> int:
        """Count every copy that has moved since it was counted, a site in a transaction; return how many."""
        now_ms = self._clock_ms()
        moved = await self._database.read(lambda connection: moved_sites(connection, now_ms))
        for site, mark in moved.items():
            found = await self._database.read(lambda connection, one=site: counted(connection, one))  # type: ignore[misc]
            years = await self._database.read(lambda connection, one=site: year_counts.counted(connection, one))  # type: ignore[misc]

            def step(
                connection: Connection,
                site: str = site,
                mark: Mark = mark,
                found: list[Holding] = found,
                years: list[YearCount] = years,
            ) -> None:
                keep(connection, site, mark, found, now_ms)
                year_counts.keep(connection, site, years, now_ms)

            await self._database.write(step)
        return len(moved)


def moved_sites(connection: Connection, now_ms: int) -> dict[str, Mark]:
    """Return the sites whose copy stands elsewhere than when it was counted; one that keeps moving, now and then."""
    by_year = year_counts.marked(connection)
    counted_at = {row.site: row for row in connection.execute(select(site_holding_mark)) if row.site in by_year}
    found = {}
    for site, mark in marks(connection).items():
        before = counted_at.get(site)
        if before is None or (
            (before.epoch, before.position) != (mark.epoch, mark.position)
            and (abs(now_ms - before.counted_at_ms) >= RECOUNT_AFTER_S * 1000)
        ):
            found[site] = mark
    return found


_COUNT: Final = (
    "SELECT fonds_no, livelihood_kind, level, count(*),"
    " sum(CASE WHEN date_earliest IS NULL AND date_latest IS NULL THEN 1 ELSE 0 END),"
    " min(substr(coalesce(date_earliest, date_latest), 1, 4)), max(substr(coalesce(date_latest, date_earliest), 1, 4))"
    " FROM entry WHERE site = ? AND body IS NOT NULL GROUP BY fonds_no, livelihood_kind, level"
)


def counted(connection: Connection, site: str) -> list[Holding]:
    """Count what the copy of a site holds."""
    return [
        Holding(
            fonds_no=fonds_no,
            livelihood_kind=kind,
            level=level,
            entries=int(entries),
            undated=int(undated),
            year_from=int(first) if first else None,
            year_to=int(last) if last else None,
        )
        for fonds_no, kind, level, entries, undated, first, last in connection.exec_driver_sql(_COUNT, (site,))
    ]


def keep(connection: Connection, site: str, mark: Mark, holdings: list[Holding], now_ms: int) -> None:
    """Put what was counted in the place of what was counted before."""
    connection.execute(delete(site_holding).where(site_holding.c.site == site))
    connection.execute(delete(site_holding_mark).where(site_holding_mark.c.site == site))
    if holdings:
        connection.execute(insert(site_holding), [{"site": site, **msgspec.structs.asdict(one)} for one in holdings])
    values = {"site": site, "epoch": mark.epoch, "position": mark.position, "counted_at_ms": now_ms}
    connection.execute(insert(site_holding_mark).values(**values))


def coverages(connection: Connection) -> dict[str, Coverage]:
    """Return what every counted site holds."""
    held: dict[str, list[Holding]] = {}
    for row in connection.execute(select(site_holding).order_by(site_holding.c.site, site_holding.c.fonds_no)):
        held.setdefault(row.site, []).append(msgspec.convert(row, Holding, from_attributes=True))
    return {
        row.site: Coverage(site=row.site, counted_at_ms=row.counted_at_ms, holdings=tuple(held.get(row.site, ())))
        for row in connection.execute(select(site_holding_mark))
    }
