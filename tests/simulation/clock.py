"""Time that passes only when nobody has anything to do.

``SimulatedLoop`` does what asyncio's own loop does, without sockets and threads: ready callbacks run in their order,
and when none is left, the time of the next timer has come; of timers that are due at the same time, the one set first
runs first. Nothing sleeps, and the same schedule runs the same way every time.
"""

import asyncio
import contextvars
import heapq
from collections import deque
from collections.abc import Callable
from typing import Any


class TimeStandsStill(Exception):
    """Everybody waits for somebody else: no callback is ready and no timer is set."""


_Callback = Callable[..., object]


class _Call:
    """Something to be called, soon or at a time: as much of asyncio's handles as tasks and timeouts use."""

    __slots__ = ("_at_s", "args", "callback", "context")

    def __init__(
        self,
        at_s: float,
        callback: _Callback,
        args: tuple[object, ...],
        context: contextvars.Context | None,
    ) -> None:
        self._at_s = at_s
        self.callback: _Callback | None = callback
        self.args = args
        self.context = contextvars.copy_context() if context is None else context

    def cancel(self) -> None:
        """Call nothing, whenever it is due."""
        self.callback = None
        self.args = ()

    def cancelled(self) -> bool:
        """Tell whether it was cancelled."""
        return self.callback is None

    def when(self) -> float:
        """Return the simulated time that it was set to."""
        return self._at_s


class SimulatedLoop(asyncio.BaseEventLoop):
    """An event loop on simulated time, which starts at 0 seconds."""

    # A schedule goes round it some hundred times: asyncio's own handles and heap cost more than what is simulated.

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._calls: deque[_Call] = deque()
        self._timers: list[tuple[float, int, _Call]] = []
        """A heap; the numbers say which of two was set first."""
        self._timers_set = 0
        self.set_exception_handler(self._note)
        self.unexpected: list[str] = []
        """What tasks raised that nobody waited for."""

    def time(self) -> float:
        """Return the simulated time in seconds."""
        return self._now_s

    def get_debug(self) -> bool:
        """Tell that nobody debugs."""
        return False

    def call_soon(  # type: ignore[override]
        self, callback: _Callback, *args: object, context: contextvars.Context | None = None
    ) -> _Call:
        """Have something called after what is ready now."""
        call = _Call(self._now_s, callback, args, context)
        self._calls.append(call)
        return call

    def call_at(  # type: ignore[override]
        self, when: float, callback: _Callback, *args: object, context: contextvars.Context | None = None
    ) -> _Call:
        """Have something called at a time."""
        call = _Call(when, callback, args, context)
        self._timers_set += 1
        heapq.heappush(self._timers, (when, self._timers_set, call))
        return call

    def call_later(  # type: ignore[override]
        self, delay: float, callback: _Callback, *args: object, context: contextvars.Context | None = None
    ) -> _Call:
        """Have something called after some seconds."""
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def _run_once(self) -> None:
        """Call what is ready, and before that what the time has come for; with nothing ready, the time moves on."""
        calls, timers = self._calls, self._timers
        if not calls and not self._stopping:  # type: ignore[attr-defined]
            self._skip_to_next_timer()
        while timers and timers[0][0] <= self._now_s:
            calls.append(heapq.heappop(timers)[2])
        # What these bring about comes after them, as in any loop.
        for _ in range(len(calls)):
            call = calls.popleft()
            if call.callback is not None:
                self._make(call, call.callback)

    def _make(self, call: _Call, callback: _Callback) -> None:
        try:
            call.context.run(callback, *call.args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - as asyncio's own: whatever it is, the handler is told
            self.call_exception_handler({"message": f"exception in callback {callback}", "exception": error})

    def _skip_to_next_timer(self) -> None:
        timers = self._timers
        while timers and timers[0][2].callback is None:
            heapq.heappop(timers)
        if not timers:
            raise TimeStandsStill
        self._now_s = max(self._now_s, timers[0][0])

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
