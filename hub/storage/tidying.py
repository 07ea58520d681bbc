"""Tidying the full-text index while nothing arrives.

Each write leaves a segment of its own in the index. Merging segments within the writes of a load costs a quarter as
much again as writing them, and merges most terms several times; so it is left until the load is over, when many
segments are merged at once, in steps so small that whatever arrives in between hardly waits.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy import Connection, Double, cast, func, select

from hub.storage.text_index import index_of
from protocol.errors import Retryable
from replication.database import Database
from replication.tables import watermark

LOOK_EVERY_S = 5.0
"""Seconds between looks whether anything was applied; a load is over when nothing was from one look to the next."""

PAUSE_S = 0.05
"""Seconds between two steps, for whatever else is to be written."""

log = structlog.get_logger(__name__)


class Tidier:
    """Merges the index when there is nothing else to do; ``run`` is its loop."""

    def __init__(self, database: Database, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._database = database
        self._sleep = sleep
        self._applied = 0.0

    async def run(self) -> None:
        """Look and tidy, for ever."""
        while True:
            await self._sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except Retryable as error:
                log.warning("tidying_postponed", reason=error.reason.en)

    async def look(self) -> int:
        """Merge as long as nothing arrives; return the steps that were made."""
        steps = 0
        while await self._is_quiet() and await self._database.write(merge):
            steps += 1
            await self._sleep(PAUSE_S)
        return steps

    async def _is_quiet(self) -> bool:
        before, self._applied = self._applied, await self._database.read(applied)
        return before == self._applied


def applied(connection: Connection) -> float:
    """Return a number that moves whenever frames of some site are applied."""
    total: float = connection.execute(
        select(func.coalesce(func.sum(cast(watermark.c.position, Double)), 0.0))
    ).scalar_one()
    return total


def merge(connection: Connection) -> bool:
    """Merge a little; False if there was nothing to merge."""
    return index_of(connection).merge(connection)
