"""A bound on things that are under way at once, taken in lots: first come, first served."""

import asyncio
from collections import deque


class Allowance:
    """So many units for everybody; ``take`` waits for its lot, ``give`` returns units, also one by one.

    - A lot larger than all units waits until nothing else is out, and then goes.
    - Who waits longest is served first, so a large lot is not starved by small ones.
    """

    def __init__(self, units: int) -> None:
        self._units = units
        self._out = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def out(self) -> int:
        """Units that are taken now."""
        return self._out

    async def take(self, lot: int) -> None:
        """Wait until ``lot`` units are free, and take them."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((lot, turn))
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # Served in the very moment of giving up.
                self.give(lot)
            else:
                self._waiting.remove((lot, turn))
                self._serve()
            raise

    def give(self, units: int) -> None:
        """Return units, and let those go whose turn it is."""
        self._out -= units
        self._serve()

    def _serve(self) -> None:
        while self._waiting and (self._out == 0 or self._out + self._waiting[0][0] <= self._units):
            lot, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._out += lot
                turn.set_result(None)
