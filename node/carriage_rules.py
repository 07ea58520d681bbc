"""When and how fast files may leave a site: hours of the day and bytes a second, from ``node.toml``.

Other people use the same line by day. What somebody waits for (pages of an approved copy) travels at any hour, and at
the same pace as everything else.
"""

import asyncio
import datetime
import time
import zoneinfo
from collections.abc import Awaitable, Callable

from node.config import NodeConfig
from node.night_window import NightWindow, parse_window


class Pacer:
    """Lets bytes pass at a steady rate; a site that was quiet may begin with one second's worth."""

    def __init__(
        self,
        bytes_a_second: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rate = bytes_a_second
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock()

    async def let_pass(self, size_bytes: int) -> None:
        """Return when so many bytes may be sent; at once where there is no limit."""
        if not self._rate:
            return
        now = self._clock()
        begins = max(self._free_at, now - 1.0)
        self._free_at = begins + size_bytes / self._rate
        if self._free_at > now:
            await self._sleep(self._free_at - now)


class CarriageRules:
    """The rules of one site."""

    def __init__(self, window: NightWindow | None, time_zone: str, pacer: Pacer, now_ms: Callable[[], int]) -> None:
        self.window = window
        self.pacer = pacer
        self._zone = zoneinfo.ZoneInfo(time_zone)
        self._now_ms = now_ms

    def not_before_ms(self) -> int:
        """Return when files may leave next; 0 if they may now."""
        if self.window is None:
            return 0
        now = datetime.datetime.fromtimestamp(self._now_ms() / 1000, self._zone)
        begins = self.window.opens_at(now)
        return int(begins.timestamp() * 1000) if begins is not None else 0


def rules_of(config: NodeConfig, now_ms: Callable[[], int]) -> CarriageRules:
    """Return the rules that a site's settings make."""
    pacer = Pacer(config.carriage.rate_kib_s * 1024)
    return CarriageRules(parse_window(config.carriage.hours), config.rhythm.time_zone, pacer, now_ms)
