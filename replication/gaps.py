"""Closing gaps: when events of a site are missing, it is asked to send them again over the stream.

Each site has its own pauses: one that was just asked keeps nobody else waiting. Asking is repeated until nothing is
missing any more, but not while what was asked for keeps coming: each question has the site begin again from the front.
"""

import asyncio
import time
from collections.abc import Callable

import msgspec
import structlog

from protocol.calls import FetchRange, Outcome, Range
from protocol.errors import Retryable
from protocol.limits import CALL_DEADLINE_S
from replication.asking import Asker, SiteAnswer
from replication.inbox import Gap, Taken

GAP_PATIENCE_S = 1.0
"""Seconds that a gap may close by itself: frames in flight overtake each other."""

GAP_PAUSE_S = 15.0
"""Seconds after a question, or after the last frame of the site that followed it, before a site is asked again."""

GAP_PAUSE_MAX_S = 60.0
"""Seconds that frames which fill nothing may put the next question off: what was asked for may wait in the stream
behind them, or it was lost and the site goes on telling news."""

GAPS_ASKED_AT_ONCE = 16
"""Gaps asked about side by side: some that get no answer cost the others a deadline and no more."""

_GRAIN_S = 0.01
"""Seconds that a timer may be early by."""

log = structlog.get_logger(__name__)


class _Wait(msgspec.Struct):
    """What is missing, and when it may be asked for."""

    gap: Gap
    due_at: float
    helped_at: float | None = None
    """When it was asked for, or when something last filled a part of it after that; None before the first question."""
    is_open: bool = True
    """False while nothing is missing: of what was asked for, more may be on its way behind other frames."""

    def seen(self, gap: Gap, now: float) -> None:
        """Take in that the site was heard, and what it misses now."""
        moved, self.gap, self.is_open = gap.after > self.gap.after, gap, True
        if self.helped_at is None:
            self.due_at = now + GAP_PATIENCE_S if moved else self.due_at
            return
        self.helped_at = now if moved else self.helped_at
        self.due_at = max(self.due_at, min(now + GAP_PAUSE_S, self.helped_at + GAP_PAUSE_MAX_S))

    def closed(self, now: float) -> bool:
        """Take in that nothing is missing now; True if it may be forgotten."""
        self.is_open = False
        return self.helped_at is None or now >= self.due_at


class GapCloser:
    """Remembers what is missing and asks for it; ``run`` is its loop."""

    def __init__(self, asker: Asker, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._asker = asker
        self._monotonic = monotonic
        self._waits: dict[tuple[str, str], _Wait] = {}
        self._noted = asyncio.Event()

    def note(self, taken: Taken) -> None:
        """Take in what a batch of frames showed: which sites miss something, and which no longer do."""
        now = self._monotonic()
        missing = {(gap.site.code, gap.epoch): gap for gap in taken.gaps}
        for key, wait in tuple(self._waits.items()):
            if key not in missing and key[0] in taken.receipts and wait.closed(now):
                del self._waits[key]
        for key, gap in missing.items():
            self._waits.setdefault(key, _Wait(gap=gap, due_at=now + GAP_PATIENCE_S)).seen(gap, now)
            self._noted.set()

    @property
    def sites(self) -> frozenset[str]:
        """Codes of the sites of which something is missing now."""
        return frozenset(key[0] for key, _ in self._open())

    def _open(self) -> list[tuple[tuple[str, str], _Wait]]:
        return [(key, wait) for key, wait in self._waits.items() if wait.is_open]

    async def run(self) -> None:
        """Ask for what is missing, for ever."""
        while True:
            self._noted.clear()
            first = min((wait.due_at for _, wait in self._open()), default=None)
            try:
                async with asyncio.timeout(None if first is None else max(0.0, first - self._monotonic())):
                    await self._noted.wait()
            except TimeoutError:
                await self.step()

    async def step(self) -> int:
        """Ask the sites whose time has come, once each; return how many gaps were asked about."""
        now = self._monotonic()
        due = sorted((wait.due_at, key) for key, wait in self._open() if wait.due_at <= now + _GRAIN_S)
        async with asyncio.TaskGroup() as tasks:
            for _, key in due[:GAPS_ASKED_AT_ONCE]:
                wait = self._waits[key]
                wait.due_at, wait.helped_at = now + GAP_PAUSE_S, now
                tasks.create_task(self._close(key, wait.gap), name="gap")
        return len(due[:GAPS_ASKED_AT_ONCE])

    async def _close(self, key: tuple[str, str], gap: Gap) -> None:
        answer = await self._ask(gap)
        outcome = answer.outcome if answer is not None else Outcome.LATE
        log.info("gap_asked_for", site=gap.site.code, after=gap.after, outcome=outcome.value)
        wait = self._waits.get(key)
        if answer is not None and _is_vain(gap, answer) and wait is not None and wait.gap == gap:
            del self._waits[key]

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
