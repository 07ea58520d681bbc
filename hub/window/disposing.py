"""The nightly disposal of personal data and of certificates' papers: in batches, none without a table.

Letters whose time is over go as well.
"""

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from sqlalchemy import Connection

from hub.home import HubHome
from hub.looking import look_for_ever
from hub.staff.administration import Actor
from hub.window import disposal, paper_disposal
from hub.window.disposal import Batch
from hub.window.disposal_table import disposal_table, newest_of
from hub.window.dispute_table import dispute_table
from protocol.county_time import day_of
from protocol.errors import Permanent
from replication import letters
from replication.database import Database

LOOK_EVERY_S: Final = 3600.0
"""Seconds between two looks whether a night has come: terms end with a year."""

WHO: Final = Actor(who="hub:disposal")

log = structlog.get_logger(__name__)


class Disposer:
    """Removes what is due once a night; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        home: HubHome,
        clock_ms: Callable[[], int],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._home = home
        self._clock_ms = clock_ms
        self._sleep = sleep
        self._last: datetime.date | None = None

    async def run(self) -> None:
        """Look, for ever."""
        await look_for_ever(self.look, LOOK_EVERY_S, "disposal_postponed", sleep=self._sleep)

    async def look(self) -> int:
        """Remove what is due, once a day; return of how many requests."""
        today = day_of(self._clock_ms())
        if self._last == today:
            return 0
        now_ms = self._clock_ms()
        # Whatever the tables say: nobody is told these any more, and some of them name persons.
        await self._database.write(lambda connection: letters.drop_expired(connection, now_ms))
        disposed = await self._disposed(today)
        self._last = today
        if disposed:
            log.info("personal_data_disposed", requests=disposed)
        return disposed

    async def _disposed(self, today: datetime.date) -> int:
        try:
            rules = await asyncio.to_thread(newest_of, disposal_table(self._home))
            kinds = await asyncio.to_thread(newest_of, dispute_table(self._home))
        except Permanent as error:
            # Without a table nobody knows what may go: nothing does, and the log says why.
            log.warning("disposal_without_table", reason=error.reason.en)
            return 0

        def step(connection: Connection, after: str) -> Batch:
            batch = disposal.due(connection, rules, kinds, today, after)
            disposal.dispose(connection, WHO, batch.due, self._clock_ms())
            return batch

        def papers(connection: Connection, after: str) -> Batch:
            batch = paper_disposal.due(connection, rules, kinds, today, after)
            paper_disposal.dispose(connection, WHO, self._home.certificates, batch.due, self._clock_ms())
            return batch

        return await self._all_of(step) + await self._all_of(papers)

    async def _all_of(self, step: Callable[[Connection, str], Batch]) -> int:
        total, after, is_more = 0, "", True
        while is_more:
            batch = await self._database.write(lambda connection, after=after: step(connection, after))  # type: ignore[misc]
            total, after, is_more = total + len(batch.due), batch.reached, bool(batch.reached)
        return total
