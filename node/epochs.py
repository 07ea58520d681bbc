"""The site's epochs: when a new one begins, and the baseline that follows.

A new epoch begins with a new database, with one that was put back from a backup, and when the hub shows that two
histories claim the same place (promise 5). The old epochs are named in the first frame, so that the hub gives them up.
"""

import asyncio
import os
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from node import baseline, incarnation, restoration
from node.home import NodeHome
from protocol.beats import Receipt, Want
from protocol.errors import Retryable
from replication import outbox
from replication.database import Database
from replication.outbox import EPOCH_BYTES, FrameWriter
from replication.retry import Backoff, bound_s

RETRY_S = 10.0
"""Seconds before a baseline that the disk had no room for goes on."""

FORK_PAUSE = Backoff(first_s=15.0, ceiling_s=600.0)
"""Seconds between new epochs while histories keep diverging: each describes the whole catalogue again."""

CALM_AFTER_S = 3600.0
"""Seconds without a new epoch after which a divergence counts as the first one."""

log = structlog.get_logger(__name__)


class Epochs:
    """Begins epochs and describes everything again where that is due; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        writer: FrameWriter,
        on_events: Callable[[], None],
        randomness: Callable[[int], bytes] = os.urandom,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._writer = writer
        self._on_events = on_events
        self._randomness = randomness
        self._monotonic = monotonic
        self._forks = 0
        self._forked_at: float | None = None
        self._due = asyncio.Event()
        self._due.set()

    async def begin(self, home: NodeHome) -> None:
        """Start the database's life of this run: the first epoch, or a new one if the database was put back."""

        def put_back(connection: Connection) -> None:
            self._begin_epoch(connection, "", "put back")

        if await incarnation.begin(self._database, home.incarnation, put_back, self._randomness):
            log.warning("database_was_put_back")
        await self._database.write(self._begin_first)

    def _begin_first(self, connection: Connection) -> None:
        if outbox.head(connection) is None:
            former = restoration.former_epoch(connection)
            self._begin_epoch(connection, former, "restored" if former else "first")

    def _begin_epoch(self, connection: Connection, also_retires: str, cause: str) -> None:
        here = outbox.head(connection)
        retires = [also_retires] if here is None else [also_retires, here.epoch, *here.retires]
        epoch = self._randomness(EPOCH_BYTES).hex()
        baseline.begin_epoch(connection, self._writer, epoch, tuple(filter(None, retires)), cause)

    async def diverged(self, receipt: Receipt, want: Want) -> None:
        """Do what a receipt shows to be needed; a repeated receipt finds it done.

        ``NOTHING`` is wanted by a hub that merely stands before what the outbox still has: it is caught up on changes,
        unless it has missed a baseline's end, which changes do not tell, or stands so far back that nobody can tell any
        more whether it has this history.
        """
        if want is Want.NEW_EPOCH and not self._may_fork():
            log.warning("histories_keep_diverging", hub_epoch=receipt.epoch, hub_position=receipt.applied)
            return
        if await self._database.write(lambda connection: self._diverge(connection, receipt, want)):
            self._due.set()
            self._on_events()

    def _may_fork(self) -> bool:
        """Tell whether another epoch may begin: machines with one key must not drive each other round and round."""
        now = self._monotonic()
        since = None if self._forked_at is None else now - self._forked_at
        if since is not None and since < bound_s(FORK_PAUSE, self._forks):
            return False
        self._forks = 0 if since is None or since > CALM_AFTER_S else self._forks + 1
        self._forked_at = now
        return True

    def _diverge(self, connection: Connection, receipt: Receipt, want: Want) -> bool:
        if want is Want.NEW_EPOCH:
            log.warning("histories_diverged", hub_epoch=receipt.epoch, hub_position=receipt.applied)
            self._begin_epoch(connection, receipt.epoch, "diverged")
        elif want is Want.BASELINE:
            if baseline.is_answered(connection, receipt):
                return False
            baseline.begin(connection, self._writer, "asked")
        else:
            if outbox.remembers(connection, receipt.applied) and baseline.is_known(connection, receipt):
                return False
            log.warning("hub_is_too_far_behind", hub_epoch=receipt.epoch, hub_position=receipt.applied)
            self._begin_epoch(connection, receipt.epoch, "hub put back")
        return True

    async def run(self) -> None:
        """Describe everything whenever that is due, step by step, for ever."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                while await self._database.write(lambda connection: baseline.go_on(connection, self._writer)):
                    self._on_events()
            except Retryable as error:
                log.warning("baseline_paused", reason=error.reason.en)
                await asyncio.sleep(RETRY_S)
                self._due.set()
            self._on_events()
