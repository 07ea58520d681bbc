"""How many alike records wait for a person: looked for now and then among the newest entries, never while a page waits.

Alike records are found, not stored, so their number is that of the first page of their queue: so many pairs, or so many
and more. It is enough to know whether somebody is needed.
"""

import asyncio
from collections.abc import Callable

import structlog

from hub.decisions import duplicate_rulings
from hub.sites.outlook import AlikePairs
from protocol.errors import DanglianError
from replication.database import Database

PAIRS_COUNTED_MAX = 50
"""Pairs after which no more are looked for."""

LOOK_EVERY_S = 600.0
"""Seconds after which they are looked for again."""

LOOK_S = 30.0
"""Seconds that looking may take, waiting for a reader of the store included; the walk itself stops after
``duplicate_rulings.WALK_S_MAX``."""

log = structlog.get_logger(__name__)


class AlikeLook:
    """The newest count; looking never keeps a page waiting."""

    def __init__(self, database: Database, clock_ms: Callable[[], int]) -> None:
        self._database = database
        self._clock_ms = clock_ms
        self._newest: AlikePairs | None = None
        self._looked_at_ms = 0
        self._looking: asyncio.Task[None] | None = None

    def newest(self) -> AlikePairs | None:
        """Return the newest count, and begin another look if it has grown old; None before the first."""
        is_old = self._clock_ms() - self._looked_at_ms > LOOK_EVERY_S * 1000
        if is_old and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self.look(), name="alike records")
        return self._newest

    def forget(self) -> None:
        """Look again at the next chance: somebody has decided about a pair."""
        self._looked_at_ms = 0

    async def look(self) -> None:
        """Look now; a store that is away is looked at later."""
        self._looked_at_ms = self._clock_ms()
        try:
            async with asyncio.timeout(LOOK_S):
                walk = await self._database.read(
                    lambda connection: duplicate_rulings.walk(connection, None, PAIRS_COUNTED_MAX)
                )
        except (DanglianError, TimeoutError) as error:
            reason = error.reason.en if isinstance(error, DanglianError) else "too slow"
            log.warning("alike_records_not_counted", reason=reason)
            return
        self._newest = AlikePairs(pairs=len(walk.pairs), looked_at=walk.looked_at, is_all=walk.before is None)

    async def close(self) -> None:
        """End a look that is under way."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
