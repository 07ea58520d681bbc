"""Comparing in the background: so that "in sync" on the board is proved soon after each change, and stays proved.

A site that is online and wholly applied, but was not compared at its present position, is compared. One that turns out
to differ is asked for a baseline, which repairs whatever went wrong (promise 4); then it is left in peace for a while.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from sqlalchemy import Connection

from hub.board import Facts, Word, compared_here, gathered, word_of
from hub.comparisons import Sameness
from hub.verification import Verdict, verify
from protocol.beats import Want
from protocol.errors import Retryable
from protocol.sites import parse_site
from replication.asking import Asker
from replication.database import Database
from replication.watermarks import set_want

COMPARE_EVERY_S = 5.0
"""Seconds between looks for sites to compare."""

SITES_AT_ONCE = 32
"""Sites compared in one go: their answers are small, but each sums up its whole catalogue for it."""

AGAIN_AFTER_MS = 60_000
"""Milliseconds before a site that could not be compared, or differed, is tried again."""

REPAIR_AFTER_MS = 3_600_000
"""Milliseconds between two baselines asked of one site: what this version cannot read differs until it is upgraded."""

log = structlog.get_logger(__name__)


class Comparer:
    """Compares what needs comparing; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        asker: Asker,
        now_ms: Callable[[], int],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._asker = asker
        self._now_ms = now_ms
        self._sleep = sleep
        self._tried_at_ms: dict[str, int] = {}
        self._repaired_at_ms: dict[str, int] = {}

    async def run(self) -> None:
        """Compare, for ever."""
        while True:
            try:
                await self.step()
            except Retryable as error:
                log.warning("comparison_postponed", reason=error.reason.en)
            await self._sleep(COMPARE_EVERY_S)

    async def step(self) -> list[Verdict]:
        """Compare the sites that need it now, and ask those that differ to describe everything again."""
        facts = await self._database.read(lambda connection: gathered(connection, with_counts=False))
        chosen = to_compare(facts, self._now_ms(), self._tried_at_ms)[:SITES_AT_ONCE]
        verdicts: list[Verdict] = []
        async for verdict in verify(self._database, self._asker, [parse_site(one) for one in chosen], self._now_ms):
            verdicts.append(verdict)
            if verdict.state is Sameness.EQUAL:
                self._tried_at_ms.pop(verdict.site, None)
            else:
                self._tried_at_ms[verdict.site] = self._now_ms()
            if verdict.state is Sameness.DIFFERENT:
                await self._repair(verdict)
        return verdicts

    async def _repair(self, verdict: Verdict) -> None:
        log.warning("site_differs", site=verdict.site, seq=verdict.seq, differing=verdict.differing)
        now_ms = self._now_ms()
        if now_ms - self._repaired_at_ms.get(verdict.site, 0) < REPAIR_AFTER_MS:
            return
        self._repaired_at_ms[verdict.site] = now_ms

        def ask(connection: Connection) -> None:
            set_want(connection, verdict.site, Want.BASELINE)

        await self._database.write(ask)


def to_compare(facts: list[Facts], now_ms: int, tried_at_ms: Mapping[str, int]) -> list[str]:
    """Return the sites that are online and applied but not compared where they stand; longest waiting first."""
    due = [
        one.site
        for one in facts
        if word_of(one, now_ms) in (Word.NOT_COMPARED, Word.HELD)
        and compared_here(one) is None
        and now_ms - tried_at_ms.get(one.site, 0) >= AGAIN_AFTER_MS
    ]
    return sorted(due, key=lambda site: tried_at_ms.get(site, 0))
