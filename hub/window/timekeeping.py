"""The hub's own part in the terms of requests: it lets lapse what lapses, and logs how many are due, without names."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from sqlalchemy import Connection

from hub.config import HubConfig
from hub.looking import look_for_ever
from hub.window import deadlines
from hub.window.clocks import Urgency
from hub.window.settings import WindowSettings
from hub.window.working_days import WorkCalendar, official
from protocol.county_time import day_of
from replication.database import Database

LOOK_EVERY_S: Final = 600.0
"""Seconds between two looks: terms are counted in days."""

log = structlog.get_logger(__name__)


class Timekeeper:
    """Looks at the terms; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        terms: WindowSettings,
        calendar: WorkCalendar,
        clock_ms: Callable[[], int],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._terms = terms
        self._calendar = calendar
        self._clock_ms = clock_ms
        self._sleep = sleep
        self._told: tuple[int, int] = (0, 0)

    async def run(self) -> None:
        """Look, for ever."""
        await look_for_ever(self.look, LOOK_EVERY_S, "terms_postponed", sleep=self._sleep)

    async def look(self) -> int:
        """Look once; return how many requests expired."""
        now_ms = self._clock_ms()
        dues = await self._database.read(
            lambda connection: deadlines.due(connection, self._terms, self._calendar, day_of(now_ms))
        )
        counts = deadlines.counts(dues)
        told = (counts[Urgency.DUE_SOON], counts[Urgency.OVERDUE])
        if told != self._told:
            log.info("requests_due", due_soon=told[0], overdue=told[1])
            self._told = told
        if not counts[Urgency.LAPSED]:
            return 0
        expired = await self._database.write(self._expire)
        log.info("requests_expired", count=expired)
        return expired

    def _expire(self, connection: Connection) -> int:
        return deadlines.expire(connection, self._terms, self._calendar, self._clock_ms())


def timekeeper_of(config: HubConfig, database: Database, clock_ms: Callable[[], int]) -> Timekeeper:
    """Return the keeper of a county's terms, by its calendar."""
    return Timekeeper(database, config.window, official(config.alarms.calendar), clock_ms)
