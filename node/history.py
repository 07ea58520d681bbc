"""The site's history as its parts see it: where it stands, and who must know when it moves."""

import asyncio
from collections.abc import Callable

from replication import outbox
from replication.answering import AsOf
from replication.database import Database


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
            await self._has_moved.wait()
            self._has_moved.clear()
            await self.refresh()
