"""Copies: what receipts say about who has confirmed what, and the pruning of what everybody has passed."""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from sqlalchemy import Connection

from node import baseline, retractions
from node.restoration import forget_kept_back
from node.retractions import HUB
from protocol.beats import Receipt
from protocol.errors import Retryable
from replication import outbox
from replication.database import Database

PRUNE_EVERY_S = 6 * 3600.0
"""Seconds between two looks for tombstones whose time is over."""

HEARD_EVERY_MS = 3_600_000
"""Milliseconds after which a copy that stands still is noted as heard of again."""

PUT_BACK_AFTER_MS = 20_000
"""Milliseconds over which a copy must say that it stands further back before that is believed: a receipt that was
overtaken on its way says so too."""

log = structlog.get_logger(__name__)


class Copies:
    """Takes in receipts; ``run`` prunes."""

    def __init__(self, database: Database, clock_ms: Callable[[], int]) -> None:
        self._database = database
        self._clock_ms = clock_ms
        self._known = ("", 0)
        self._noted_at_ms = 0
        self._behind_since_ms: int | None = None

    async def confirm(self, receipt: Receipt) -> None:
        """Note what a receipt of the hub confirms; one that says nothing new costs nothing."""
        now_ms = self._clock_ms()
        if not self._is_news(receipt, now_ms):
            return
        try:
            confirmed = await self._database.write(partial(_confirmed, receipt=receipt, now_ms=now_ms))
        except Retryable as error:
            # A receipt is repeated state: the next one says the same.
            log.info("confirmation_put_off", reason=error.reason.en)
            return
        self._known, self._noted_at_ms, self._behind_since_ms = (receipt.epoch, receipt.applied), now_ms, None
        if confirmed:
            log.info("retractions_confirmed", count=confirmed, applied=receipt.applied)

    def _is_news(self, receipt: Receipt, now_ms: int) -> bool:
        epoch, applied = self._known
        if receipt.epoch != epoch:
            return bool(receipt.epoch)
        if receipt.applied < applied:
            if self._behind_since_ms is None:
                self._behind_since_ms = now_ms
            return now_ms - self._behind_since_ms >= PUT_BACK_AFTER_MS
        self._behind_since_ms = None
        return receipt.applied > applied or now_ms - self._noted_at_ms >= HEARD_EVERY_MS

    async def run(self) -> None:
        """Prune now and then, for ever."""
        await self._database.write(partial(retractions.adopt, now_ms=self._clock_ms()))
        while True:
            try:
                while gone := await self._database.write(partial(retractions.prune, now_ms=self._clock_ms())):
                    log.info("tombstones_pruned", count=gone)
                if gone := await self._database.write(partial(forget_kept_back, now_ms=self._clock_ms())):
                    log.info("tombstones_pruned", count=gone)
            except Retryable as error:
                log.warning("pruning_put_off", reason=error.reason.en)
            await asyncio.sleep(PRUNE_EVERY_S)


def _confirmed(connection: Connection, receipt: Receipt, now_ms: int) -> int:
    here = outbox.head(connection)
    if here is None or here.epoch != receipt.epoch:
        return 0
    latest = baseline.progress(connection)
    is_whole = latest is not None and latest.epoch == receipt.epoch and latest.is_done
    ended_at = latest.ended_at if latest is not None and is_whole else None
    return retractions.confirm(connection, HUB, receipt, ended_at, now_ms)
