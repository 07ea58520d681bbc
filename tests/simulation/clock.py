"""Time that passes only when nobody has anything to do.

``SimulatedLoop`` is asyncio's own loop without sockets: ready callbacks run in their order, and when none is left, the
time of the next timer has come. Nothing sleeps, and the same schedule runs the same way every time.
"""

import asyncio
from collections.abc import Sequence
from typing import Any


class TimeStandsStill(Exception):
    """Everybody waits for somebody else: no callback is ready and no timer is set."""


class _Idle:
    """Stands in for the selector: instead of waiting for sockets it moves the time to the next timer."""

    def __init__(self, loop: "SimulatedLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> Sequence[object]:
        if timeout is None:
            raise TimeStandsStill
        if timeout > 0:
            self._loop.skip_to_next_timer()
        return ()


class SimulatedLoop(asyncio.BaseEventLoop):
    """An event loop on simulated time, which starts at 0 seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._selector = _Idle(self)
        self.set_exception_handler(self._note)
        self.unexpected: list[str] = []
        """What tasks raised that nobody waited for."""

    def time(self) -> float:
        """Return the simulated time in seconds."""
        return self._now_s

    def skip_to_next_timer(self) -> None:
        """Let the time pass until the next timer is due."""
        self._now_s = max(self._now_s, self._scheduled[0]._when)  # type: ignore[attr-defined]

    def _process_events(self, event_list: Sequence[object]) -> None:
        """There are no sockets."""

    def _write_to_self(self) -> None:
        """There are no other threads."""

    def _note(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            self.unexpected.append(f"{context['message']}: {error!r}")


class Clock:
    """The wall clock of one machine: wrong by days, and set to another time now and then."""

    def __init__(self, loop: SimulatedLoop, offset_ms: int = 0) -> None:
        self._loop = loop
        self.offset_ms = offset_ms

    def __call__(self) -> int:
        """Return milliseconds since 1970, as this machine believes."""
        return 1_790_000_000_000 + self.offset_ms + int(self._loop.time() * 1000)
