"""The site's history as its parts see it: where it stands, and who must know when it moves."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from protocol.errors import Retryable
from replication import outbox
from replication.answering import AsOf
from replication.database import Database

LOOK_S = 10.0
"""Seconds between looks for what a command beside the daemon has added: a bundle taken may begin a new epoch."""

log = structlog.get_logger(__name__)


class SiteHistory:
    """Knows the latest position without asking the database, and tells its listeners when there is more.

    ``position`` may lag behind by a moment, never run ahead: an answer promises no more than it knows.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._position: AsOf = ("", 0)
        self._listeners: list[Callable[[], None]] = []
        self._has_moved = asyncio.Event()

    def position(self) -> AsOf:
        """Return epoch and position of the site's latest event."""
        return self._position

    def tell(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever events were added."""
        self._listeners.append(listener)

    def moved(self) -> None:
        """Note that events were added."""
        self._has_moved.set()
        for listener in self._listeners:
            listener()

    async def refresh(self) -> None:
        """Read the position anew."""
        here = await self._database.read(outbox.head)
        if here is not None:
            self._position = (here.epoch, here.seq)

    async def run(self) -> None:
        """Keep the position fresh, for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._has_moved.wait()
            is_told = self._has_moved.is_set()
            self._has_moved.clear()
            before = self._position
            try:
                await self.refresh()
            except Retryable as error:
                log.warning("position_not_read", reason=error.reason.en)
                continue
            if not is_told and self._position != before:
                self.moved()
