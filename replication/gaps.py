"""Closing gaps: when events of a site are missing, it is asked to send them again over the stream.

Asking is repeated with growing pauses until nothing is missing any more; a site that is away is asked when it returns.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from protocol.calls import FetchRange, Outcome, Range
from protocol.errors import Retryable
from protocol.limits import CALL_DEADLINE_S
from replication.asking import Asker, SiteAnswer
from replication.inbox import Gap, Taken

GAP_PATIENCE_S = 1.0
"""Seconds that a gap may close by itself: frames in flight overtake each other."""

GAP_PAUSE_S = 15.0
"""Seconds before a site is asked again for the same events."""

log = structlog.get_logger(__name__)


class GapCloser:
    """Remembers what is missing and asks for it; ``run`` is its loop."""

    def __init__(self, asker: Asker, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._asker = asker
        self._sleep = sleep
        self._open: dict[tuple[str, str], Gap] = {}
        self._noted = asyncio.Event()

    def note(self, taken: Taken) -> None:
        """Take in what a batch of frames showed: which sites miss something, and which no longer do."""
        self._open = {key: gap for key, gap in self._open.items() if gap.site.code not in taken.receipts}
        for gap in taken.gaps:
            self._open[gap.site.code, gap.epoch] = gap
            self._noted.set()

    @property
    def sites(self) -> frozenset[str]:
        """Codes of the sites of which something is missing now."""
        return frozenset(gap.site.code for gap in self._open.values())

    async def run(self) -> None:
        """Ask for what is missing, for ever."""
        while True:
            await self._noted.wait()
            await self._sleep(GAP_PATIENCE_S)
            if await self.step():
                await self._sleep(GAP_PAUSE_S)
            else:
                self._noted.clear()

    async def step(self) -> bool:
        """Ask every site that misses something once; True if there was any."""
        asked = False
        for key, gap in tuple(self._open.items()):
            asked = True
            answer = await self._ask(gap)
            outcome = answer.outcome if answer is not None else Outcome.LATE
            log.info("gap_asked_for", site=gap.site.code, after=gap.after, outcome=outcome.value)
            if answer is not None and _is_vain(gap, answer) and self._open.get(key) == gap:
                del self._open[key]
        return asked

    async def _ask(self, gap: Gap) -> SiteAnswer | None:
        try:
            return await self._asker.ask_one(
                lambda asker, name: FetchRange(asker=asker, question=name, epoch=gap.epoch, after=gap.after),
                gap.site,
                CALL_DEADLINE_S,
            )
        except Retryable:
            return None


def _is_vain(gap: Gap, said: SiteAnswer) -> bool:
    """Tell whether a site has nothing that could close a gap: what waits behind it is of a history that is gone.

    Either the site has another epoch by now, whose first frame ends this gap; or its history ends where the gap begins,
    because it was put back from a backup.
    """
    body = said.answer.body if said.answer is not None else None
    return said.outcome is Outcome.REFUSED or (isinstance(body, Range) and body.up_to <= gap.after)
