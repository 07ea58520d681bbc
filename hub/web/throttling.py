"""How often one address may ask: a bucket of requests that fills again with time, so that a burst is no fault."""

from collections.abc import Callable

ADDRESSES_MAX = 5_000
"""Addresses that are remembered; the one that asked longest ago is forgotten first."""

REQUESTS_BURST = 300
"""Requests of one address at once: a page is some, a reader who pages quickly dozens."""

REQUESTS_A_MINUTE = 600
"""Requests of one address in the long run; an office behind one address is many people."""

ATTEMPTS_BURST = 20
"""Attempts to sign in, or to use a link, of one address at once."""

ATTEMPTS_A_MINUTE = 20
"""Attempts of one address in the long run: each costs 64 MiB and a tenth of a second."""


class Throttle:
    """A bucket of ``burst`` for each address, filled with ``a_minute`` a minute."""

    def __init__(self, burst: int, a_minute: int, clock_ms: Callable[[], int]) -> None:
        self._burst = float(burst)
        self._a_ms = a_minute / 60_000
        self._clock_ms = clock_ms
        self._left: dict[str, tuple[float, int]] = {}

    def wait_s(self, address: str) -> int:
        """Take one request of an address out; return 0 if it may go on, else how many seconds it should wait."""
        now_ms = self._clock_ms()
        left, at_ms = self._left.pop(address, (self._burst, now_ms))
        left = min(self._burst, left + max(0, now_ms - at_ms) * self._a_ms)
        is_free = left >= 1
        self._left[address] = (left - 1 if is_free else left, now_ms)
        if len(self._left) > ADDRESSES_MAX:
            del self._left[next(iter(self._left))]
        return 0 if is_free else max(1, round((1 - left) / self._a_ms / 1000))
