"""Pauses between attempts: they grow to a ceiling, are spread by full jitter, and start over when something works.

Full jitter means that a pause is anything between nothing and its present bound: when a broker returns, two hundred
sites do not knock at the same moment.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """How pauses grow: the bound doubles with each failure, from ``first_s`` up to ``ceiling_s``."""

    first_s: float
    ceiling_s: float


def bound_s(backoff: Backoff, failures: int) -> float:
    """Return the longest pause, in seconds, after this many failures in a row."""
    # The exponent is cut first: a link that is down for weeks must not make a number that no float can hold.
    return float(min(backoff.ceiling_s, backoff.first_s * 2 ** min(failures, 60)))


class Pause:
    """The pauses of one loop that tries again and again.

    - ``wait`` pauses once and counts a failure; a ``wake`` event ends the pause early.
    - ``reset`` forgets the failures: call it when an attempt has worked.
    """

    def __init__(
        self,
        backoff: Backoff,
        *,
        chance: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._backoff = backoff
        self._chance = chance
        self._sleep = sleep
        self._failures = 0

    @property
    def failures(self) -> int:
        """Failures in a row so far."""
        return self._failures

    def reset(self) -> None:
        """Start over with short pauses."""
        self._failures = 0

    def next_s(self) -> float:
        """Count a failure and return the seconds to pause for it."""
        bound = bound_s(self._backoff, self._failures)
        self._failures += 1
        return bound * self._chance()

    async def wait(self, wake: asyncio.Event | None = None) -> None:
        """Pause once; with ``wake``, no longer than until that event is set."""
        waiting: set[asyncio.Future[Any]] = {asyncio.ensure_future(self._sleep(self.next_s()))}
        if wake is not None:
            waiting.add(asyncio.ensure_future(wake.wait()))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for future in waiting:
                future.cancel()
