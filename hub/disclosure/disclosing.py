"""Keeping what harvesters are told up to date, behind the applying of events and out of its way.

A site's entries are gone through when its history has moved; a site where nothing happens costs nothing. Reading and
writing go in small steps, so that whoever waits for the store hardly does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from sqlalchemy import Connection

from hub.disclosure import disclosures
from hub.disclosure.disclosures import Mark
from hub.looking import look_for_ever
from replication.database import Database

LOOK_EVERY_S: Final = 60.0
"""Seconds between two looks whether some site has moved: what is new reaches harvesters so much later."""

STEP_ENTRIES: Final = 1_000
"""Entries of one step: some milliseconds."""

PAUSE_S: Final = 0.01
"""Seconds between two steps, for whatever else is to be done."""

WHOLE_EVERY_MS: Final = 24 * 3600 * 1000
"""Milliseconds after which a site is gone through even if it did not move: a repair changes entries too."""

log = structlog.get_logger(__name__)


class Discloser:
    """Goes through the sites that moved; ``run`` is its loop."""

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
        """Look and bring up to date, for ever."""
        await look_for_ever(self.look, LOOK_EVERY_S, "disclosing_postponed", sleep=self._sleep)

    async def look(self) -> int:
        """Bring every site up to date that moved; return how many entries are told anew."""
        stale_ms = self._clock_ms() - WHOLE_EVERY_MS
        news = 0
        for mark in await self._database.read(lambda connection: disclosures.moved_sites(connection, stale_ms)):
            told = await self._go_through(mark)
            news += told
            log.info("site_disclosed", site=mark.site, told=told)
        return news

    async def _go_through(self, mark: Mark) -> int:
        site, fonds, news = mark.site, set[str](), 0
        place: tuple[str, bytes] | None = None
        while True:
            seen, told = await self._database.read(
                lambda connection, behind=place: _step(connection, site, behind)  # type: ignore[misc]
            )
            news += await self._tell(site, disclosures.changed(seen, told))
            fonds |= {one.fonds_no for one in seen if one.is_public}
            if len(seen) < STEP_ENTRIES:
                break
            place = (seen[-1].fonds_no, seen[-1].record_id)
            await self._sleep(PAUSE_S)
        news += await self._bury(site)
        now_ms = self._clock_ms()
        await self._database.write(
            lambda connection: disclosures.note_compared(connection, mark, sorted(fonds), now_ms)
        )
        return news

    async def _bury(self, site: str) -> int:
        """Tell as deleted what is gone from the catalogue altogether."""
        after: bytes | None = b""
        news = 0
        while after is not None:
            gone, after = await self._database.read(
                lambda connection, behind=after: disclosures.gone_behind(connection, site, behind, STEP_ENTRIES)  # type: ignore[misc]
            )
            news += await self._tell(site, gone)
            await self._sleep(PAUSE_S)
        return news

    async def _tell(self, site: str, news: list[disclosures.Told]) -> int:
        if news:
            # One moment for all of them, taken when they become visible: a harvester that asks from there misses none.
            await self._database.write(lambda connection: disclosures.tell(connection, site, news, self._clock_ms()))
        return len(news)


def _step(
    connection: Connection, site: str, behind: tuple[str, bytes] | None
) -> tuple[list[disclosures.Seen], list[disclosures.Told]]:
    seen = disclosures.entries_behind(connection, site, behind, STEP_ENTRIES)
    return seen, disclosures.told_of(connection, site, [one.record_id for one in seen])
