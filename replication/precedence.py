"""Precedence: who waits for a page goes before the frames that wait in the stream.

Applying and answering share one processor and Python's lock. Whether a catalogue of 250,000 rows is searchable after
one minute or after three, hardly anybody sees; a page that takes two seconds, everybody at the county's desks does. So
the applying stands still while a page is being made, but for a share of the time only: however many people click, what
the sites have to tell goes on.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

from protocol.errors import Retryable
from protocol.wording import Text

REST_SHARE: Final = 7.0
"""Seconds of rest, at most, for a second of work while somebody waits: an eighth of the speed is always left."""

WORKED_S_MAX: Final = 0.14
"""Seconds of work that are paid for with one rest: whatever was before, nothing rests for longer than a second."""

FOLLOWED_S: Final = 0.1
"""Seconds for which the next part of a page is waited for that is sure to be asked for: what a redirect leads to, the
stream of a page that is still asking. A browser takes some tens of milliseconds for that."""

EXPECTED_S: Final = 3.0
"""Seconds after a page in which the next is expected; as long, little is stored at once."""

LOOK_S: Final = 0.002
"""Seconds before each piece of work in which whoever came during the last one is noticed, while pages are expected: a
request is read from its socket, routed and only then known to be one for a page."""

LOOKS: Final = 3
"""Turns of the loop that do the same in the middle of such a piece: the bytes are read in the first, a task for them
begins in the next."""

FRAMES_BESIDE_PEOPLE: Final = 2
"""Frames of one transaction while pages are expected. Of more, more work is done twice where somebody comes, and the
end of the transaction, which waits for nobody, is longer; each leaves a segment in the index."""


ROWS_AT_ONCE: Final = 256
"""Rows that are written between two looks whether somebody waits: some 2 ms."""

Row = TypeVar("Row")

GoOn = Callable[[], None]
"""Called between two steps of a transaction; raises ``GaveWay`` where it had better be ended."""


class GaveWay(Retryable):
    """A transaction was ended for somebody who waits for a page, and left nothing behind: do it again behind them."""


def undisturbed() -> None:
    """Go on, whoever waits."""


def in_lots(rows: Sequence[Row], go_on: GoOn) -> Iterator[Sequence[Row]]:
    """Return rows in lots that are written within some milliseconds, and ask before each whether to go on."""
    for first in range(0, len(rows), ROWS_AT_ONCE):
        go_on()
        yield rows[first : first + ROWS_AT_ONCE]


class Precedence:
    """Knows whether somebody waits for a page; shared by those who make pages and those who apply frames."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._waiting = 0
        self._nobody = asyncio.Event()
        self._nobody.set()
        self._resumed_at = monotonic()
        self._owed_s = 0.0
        """Seconds of rest that are owed to whoever waits next, for work that was not paid for."""
        self._expected_until = monotonic()

    @contextmanager
    def given(self) -> Iterator[None]:
        """Have the applying give way meanwhile."""
        self._come()
        try:
            yield
        finally:
            self._leave()

    def hold(self, seconds: float) -> None:
        """Have the applying give way for so long, whatever becomes of who waits."""
        self._come()
        asyncio.get_running_loop().call_later(seconds, self._leave)

    def _come(self) -> None:
        self._waiting += 1
        self._nobody.clear()

    def _leave(self) -> None:
        self._waiting -= 1
        self._expected_until = self._monotonic() + EXPECTED_S
        if not self._waiting:
            self._nobody.set()

    @property
    def is_quiet(self) -> bool:
        """True if nobody waits and no page is expected."""
        return self._nobody.is_set() and self._monotonic() >= self._expected_until

    def at_once(self, frames: int) -> int:
        """Return how many frames to store in one transaction of so many that could be."""
        return frames if self.is_quiet else min(frames, FRAMES_BESIDE_PEOPLE)

    async def give_way(self) -> None:
        """Let everybody else have a turn; while somebody waits for a page, rest for a share of what was worked.

        To be awaited right before each piece of work: who came during the last one is not to wait for the next.
        """
        worked_s = min(self._monotonic() - self._resumed_at, WORKED_S_MAX)
        # Also for work while nobody waited: who comes then finds a rest that is longer than a page takes, and not one
        # that a small frame has just paid for.
        self._owed_s = min(self._owed_s + worked_s * REST_SHARE, WORKED_S_MAX * REST_SHARE)
        if self._nobody.is_set():
            await asyncio.sleep(0 if self.is_quiet else LOOK_S)
        if not self._nobody.is_set():
            await self._rest()
        self._resumed_at = self._monotonic()

    def go_on(self) -> None:
        """Go on unless somebody waits; may be called in any thread.

        Raises:
            GaveWay: somebody waits.

        """
        if not self._nobody.is_set():
            raise GaveWay(_GAVE_WAY)

    async def look(self) -> None:
        """In the middle of a piece of work, give way to whoever came during the last part of it."""
        for _ in range(1 if self.is_quiet else LOOKS):
            await asyncio.sleep(0)
        if not self._nobody.is_set():
            await self.give_way()

    async def until_nobody_waits(self, within_s: float) -> None:
        """Wait for the pages that are being made, at most so long: for small work that is not the applying."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._nobody.wait()

    async def _rest(self) -> None:
        begun = self._monotonic()
        try:
            async with asyncio.timeout(self._owed_s):
                await self._nobody.wait()
        except TimeoutError:
            self._owed_s = 0.0
        else:
            self._owed_s = max(0.0, self._owed_s - (self._monotonic() - begun))


_GAVE_WAY = Text(zh="已让等待页面的人先行。", en="somebody who waits for a page goes first")
