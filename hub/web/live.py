"""What moves: one outlook of the county for everybody who looks, read anew every few seconds, and a pulse of changes.

A hundred open pages cost the store as much as one. Who waits for news is woken when a newer outlook is there.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

import msgspec
import structlog

from hub.sites import outlook
from hub.sites.board import SiteState
from hub.sites.outlook import AlikePairs, Outlook
from protocol.errors import DanglianError
from replication.database import Database

LOOK_EVERY_S = 1.5
"""Seconds between two outlooks while somebody looks: with its reading, the delay of the live pages is under 2 s."""

REST_EVERY_S = 15.0
"""The same while nobody looks, for the pulse."""

OUTLOOK_S = 30.0
"""Seconds that reading an outlook may take."""

MINUTES = 60
"""Minutes of the pulse."""

log = structlog.get_logger(__name__)


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """Changes that were applied in one minute."""

    minute: int
    changes: int


class Pulse:
    """Changes applied by minute, counted from how far each site's history is applied."""

    def __init__(self, now_ms: int) -> None:
        self.since_ms = now_ms
        self._before: Mapping[str, tuple[str, int]] | None = None
        self._minutes: deque[Beat] = deque(maxlen=MINUTES)

    def note(self, sites: tuple[SiteState, ...], now_ms: int) -> None:
        """Count what was applied since the last look; a new epoch counts from its beginning."""
        now = {one.site: (one.epoch, one.applied) for one in sites}
        moved = 0
        if self._before is not None:
            moved = sum(_moved(self._before.get(site, (epoch, 0)), epoch, at) for site, (epoch, at) in now.items())
        self._before = now
        minute = now_ms // 60_000
        if self._minutes and self._minutes[-1].minute == minute:
            moved += self._minutes.pop().changes
        self._minutes.append(Beat(minute=minute, changes=moved))

    def beats(self, now_ms: int) -> list[Beat]:
        """Return the last minutes, empty ones too."""
        counted = {one.minute: one.changes for one in self._minutes}
        last = now_ms // 60_000
        return [Beat(minute=one, changes=counted.get(one, 0)) for one in range(last - MINUTES + 1, last + 1)]


def _moved(before: tuple[str, int], epoch: str, applied: int) -> int:
    return max(0, applied - before[1]) if before[0] == epoch else applied


class Live:
    """The newest outlook, for whoever looks."""

    def __init__(
        self, database: Database, clock_ms: Callable[[], int], alike: Callable[[], AlikePairs | None] = lambda: None
    ) -> None:
        self._database = database
        self._clock_ms = clock_ms
        self._alike = alike
        self._newest: Outlook | None = None
        self._readings = 0
        self._reading = asyncio.Lock()
        self._news = asyncio.Condition()
        self._wanted = asyncio.Event()
        self._watchers = 0
        self.pulse = Pulse(clock_ms())

    async def run(self) -> None:
        """Look, for ever; a store that is away is looked for again."""
        while True:
            try:
                await self.read()
            except (DanglianError, TimeoutError) as error:
                reason = error.reason.en if isinstance(error, DanglianError) else "too slow"
                log.warning("outlook_postponed", reason=reason)
            self._wanted.clear()
            if self._watchers:
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            try:
                async with asyncio.timeout(REST_EVERY_S):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    async def now(self) -> Outlook:
        """Return an outlook that is no older than ``LOOK_EVERY_S``.

        Raises:
            Retryable: the store cannot be read now.

        """
        newest = self._newest
        if newest is not None and 0 <= self._clock_ms() - newest.at_ms < LOOK_EVERY_S * 1000:
            return newest
        return await self.read(unless_after=self._readings)

    async def newer(self, than_ms: int, patience_s: float) -> Outlook | None:
        """Wait for an outlook newer than a moment; None if none comes in time."""
        self._watchers += 1
        self._wanted.set()
        try:
            async with asyncio.timeout(patience_s), self._news:
                await self._news.wait_for(lambda: self._newest is not None and self._newest.at_ms > than_ms)
            return self._newest
        except TimeoutError:
            return None
        finally:
            self._watchers -= 1

    async def read(self, unless_after: int | None = None) -> Outlook:
        """Read an outlook; with ``unless_after``, that of a reader who came first after so many readings is taken."""
        async with self._reading:
            if unless_after is not None and self._newest is not None and self._readings > unless_after:
                return self._newest
            now_ms = self._clock_ms()
            async with asyncio.timeout(OUTLOOK_S):
                found = await self._database.read(lambda connection: outlook.read(connection, now_ms))
            found = msgspec.structs.replace(found, alike=self._alike())
            self._newest = found
            self._readings += 1
            self.pulse.note(found.sites, now_ms)
        async with self._news:
            self._news.notify_all()
        return found
