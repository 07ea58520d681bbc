"""A worker of a shared hub: says that it lives, and begins and ends duties as the leases say.

A duty that is given up is finished first: what was pulled is stored and acknowledged, then the lease is released, so
that the next holder goes on without a pause. A duty that was lost is only ended; its transactions could not commit any
more. While the store cannot be reached, a worker pulls nothing beyond the end of its leases by its own clock, which
began before the store's: nobody reads a part whose next holder may have begun.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec
import structlog

from hub.workers.leases import BEAT_S, LEASE_MS, Beaten, LeaseLost, beat, release, store_clock_ms
from protocol.errors import Retryable
from replication.consumer import Message
from replication.database import Database

BEAT_DEADLINE_S = 5.0
"""Seconds that a sign of life may take until it counts as not given."""

GIVE_UP_S = 15.0
"""Seconds that a duty may take to finish before it is cut off."""

PULL_S = 2.0
"""Seconds that a pull request of a part stays open: one that died with a server costs no more than this."""

SLACK_S = 0.5
"""Seconds before a lease's end from which nothing more is pulled."""

log = structlog.get_logger(__name__)


class Held(msgspec.Struct):
    """A duty that this worker has, and the task that does it."""

    fence: int
    task: asyncio.Task[None]
    is_ending: bool = False


DoDuty = Callable[[str, int, Callable[[], float]], Awaitable[None]]
"""Does a duty under a fence until it is cancelled; told how many seconds the lease certainly lasts."""


class Worker:
    """Keeps the duties of one process; ``run`` is its loop."""

    def __init__(
        self,
        beats: Database,
        name: str,
        duties: Sequence[str],
        do: DoDuty,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._beats = beats
        self._name = name
        self._duties = duties
        self._do = do
        self._monotonic = monotonic
        self._held: dict[str, Held] = {}
        self._certain_until = 0.0
        self._stays = True
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def duties(self) -> frozenset[str]:
        """The duties that this worker does now."""
        return frozenset(duty for duty, one in self._held.items() if not one.is_ending)

    def certain_s(self) -> float:
        """Return for how many seconds nobody else can have our duties."""
        return max(0.0, self._certain_until - self._monotonic())

    async def run(self) -> None:
        """Live and work until cancelled; then finish everything and give it up."""
        try:
            while True:
                await self._rest(await self._beat())
        finally:
            self._stays = False
            for duty in tuple(self._held):
                self._end(duty)
            async with asyncio.timeout(GIVE_UP_S + BEAT_DEADLINE_S):
                while self._ending:
                    await asyncio.wait(self._ending)
                await self._beat()

    async def _rest(self, pause_s: float) -> None:
        """Wait for the next sign of life; a defect in a duty ends the program, as in any other of its tasks."""
        working = [one.task for one in self._held.values() if not one.task.done()]
        if not working:
            await asyncio.sleep(pause_s)
            return
        done, _ = await asyncio.wait(working, timeout=pause_s, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            if not task.cancelled():
                task.result()

    async def _beat(self) -> float:
        """Give a sign of life and do what follows from it; return the seconds until the next one."""
        begun_at = self._monotonic()
        held = {duty: one.fence for duty, one in self._held.items()}
        try:
            async with asyncio.timeout(BEAT_DEADLINE_S):
                told = await self._beats.write(
                    lambda found: beat(found, self._name, held, self._duties, store_clock_ms(found), stays=self._stays)
                )
        except (Retryable, TimeoutError) as error:
            reason = error.reason.en if isinstance(error, Retryable) else "no answer in time"
            log.warning("worker_not_heard", reason=reason, certain_s=round(self.certain_s(), 1))
            return min(BEAT_S, 0.5)
        # Counted from before the question: the store's own count began later, so ours ends earlier.
        self._certain_until = begun_at + LEASE_MS / 1000
        self._follow(told, held)
        return told.next_s

    def _follow(self, told: Beaten, told_of: Mapping[str, int]) -> None:
        for duty, one in tuple(self._held.items()):
            if duty in told_of and told.fences.get(duty) != one.fence:
                log.warning("duty_lost", duty=duty, fence=one.fence)
                one.task.cancel()
                del self._held[duty]
        for duty, fence in told.fences.items():
            # Not one that was released while the sign of life was on its way.
            if duty not in told_of and self._stays:
                log.info("duty_taken", duty=duty, fence=fence, worker=self._name)
                self._begin(duty, fence)
        for duty in told.give_up:
            self._end(duty)

    def _begin(self, duty: str, fence: int) -> None:
        async def work() -> None:
            try:
                await self._do(duty, fence, self.certain_s)
            except* LeaseLost:
                # The next sign of life says who has it; until then nothing is done here.
                log.warning("duty_fenced_off", duty=duty, fence=fence)

        self._held[duty] = Held(fence=fence, task=asyncio.create_task(work(), name=duty))

    def _end(self, duty: str) -> None:
        one = self._held.get(duty)
        if one is None or one.is_ending:
            return
        one.is_ending = True
        ending = asyncio.create_task(self._finish(duty, one), name=f"end {duty}")
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def _finish(self, duty: str, one: Held) -> None:
        one.task.cancel()
        await asyncio.wait([one.task], timeout=GIVE_UP_S)
        try:
            async with asyncio.timeout(BEAT_DEADLINE_S):
                await self._beats.write(lambda found: release(found, self._name, duty, one.fence))
        except (Retryable, TimeoutError):
            # It ends by itself.
            log.info("duty_not_released", duty=duty)
        if self._held.get(duty) is one:
            del self._held[duty]
        log.info("duty_given_up", duty=duty, fence=one.fence)


class Pulling(Protocol):
    """A source that can be told how long to wait."""

    @property
    def waiting(self) -> int:
        """Messages that ``fetch`` would return at once."""

    async def fetch(self, limit: int, wait_s: float) -> Sequence[Message]:
        """Return some messages as soon as there are any, or none after so many seconds."""


class LeasedSource:
    """A source that pulls nothing beyond what its lease certainly lasts."""

    def __init__(self, source: Pulling, certain_s: Callable[[], float]) -> None:
        self._source = source
        self._certain_s = certain_s

    @property
    def waiting(self) -> int:
        """Messages that ``fetch`` would return at once."""
        return self._source.waiting

    async def fetch(self, limit: int) -> Sequence[Message]:
        """Return some messages as soon as there are any, or none after a few seconds."""
        left_s = self._certain_s() - SLACK_S
        if left_s <= 0:
            await asyncio.sleep(SLACK_S)
            return ()
        return await self._source.fetch(limit, min(PULL_S, left_s))
