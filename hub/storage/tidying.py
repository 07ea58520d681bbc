"""Tidying the full-text index: while nothing arrives, and of a long load before the index does it by itself.

Each write leaves a segment of its own in the index. Merging segments within the writes of a load costs a quarter as
much again as writing them, and merges most terms several times; so it is left until the load is over, when many
segments are merged at once, in steps so small that whatever arrives in between hardly waits.

A load that does not end must not pile them up: the write that makes one too many would merge them all, and whatever
comes meanwhile, a page or a change of another site, waits 0.15 s behind a load of single frames, and longer behind one
of many. Well before that they are merged here, in the same small steps.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from sqlalchemy import Connection, Double, cast, func, select

from hub.storage.text_index import index_of, segments_of
from protocol.errors import Retryable
from replication.database import Database
from replication.precedence import Precedence
from replication.tables import watermark

LOOK_EVERY_S = 5.0
"""Seconds between looks whether anything was applied; a load is over when nothing was from one look to the next."""

MERGE_PAGES = 400
"""Pages of the index that one step writes: some 10 ms in which nothing else can be written."""

PAUSE_S = 0.05
"""Seconds between two steps, for whatever else is to be written."""

SEGMENTS_MAX = 32
"""Segments from which on they are merged although a load goes on: half of those that the index puts up with."""

SEGMENTS_BESIDE_PEOPLE = 8
"""The same while people ask: each segment is visited for each word of each question. Merging so few takes every row
along several times, which a load without people is spared."""

LOOK_EVERY_WRITES = 4
"""Batches after which their number is asked for during a load."""

PAGES_BESIDE_PEOPLE = 100
"""Pages of a step while people ask: some 4 ms, which whoever asks in the middle of it waits for."""

PAUSE_BESIDE_S = 0.004
"""Seconds between two steps of a load, in which the load goes on: what 5,000 rows a second leave is merged as fast as
it comes, four or five times over. With 20 ms there were 20 segments at the median, and 12 so."""

TURN_S = 0.5
"""Seconds that a step of a load waits for pages that are being made; then the load is the greater evil."""

log = structlog.get_logger(__name__)


class Tidier:
    """Merges the index; ``run`` is its loop for when there is nothing else to do, ``run_beside`` that for loads."""

    def __init__(
        self,
        database: Database,
        *,
        precedence: Precedence | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._precedence = precedence or Precedence()
        self._sleep = sleep
        self._applied = 0.0
        self._writes = 0
        self._due = asyncio.Event()

    def note(self) -> None:
        """Note that a batch was applied, which may have left a segment."""
        self._writes += 1
        if self._writes >= LOOK_EVERY_WRITES:
            self._due.set()

    async def run(self) -> None:
        """Look and tidy, for ever."""
        while True:
            await self._sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except Retryable as error:
                log.warning("tidying_postponed", reason=error.reason.en)

    async def run_beside(self) -> None:
        """Keep the segments of loads few, for ever."""
        while True:
            await self._due.wait()
            self._due.clear()
            self._writes = 0
            try:
                await self.keep_up()
            except Retryable as error:
                log.warning("tidying_postponed", reason=error.reason.en)
                await self._sleep(LOOK_EVERY_S)

    async def keep_up(self) -> int:
        """Merge until there are no more segments than a load may leave; return the steps that were made."""
        steps = 0
        while await self._database.read(segments_of) >= self._segments_max:
            await self._precedence.until_nobody_waits(TURN_S)
            pages = MERGE_PAGES if self._precedence.is_quiet else PAGES_BESIDE_PEOPLE
            if not await self._database.write(partial(merge, pages=pages)):
                break
            steps += 1
            await self._sleep(PAUSE_BESIDE_S)
        return steps

    @property
    def _segments_max(self) -> int:
        return SEGMENTS_MAX if self._precedence.is_quiet else SEGMENTS_BESIDE_PEOPLE

    async def look(self) -> int:
        """Merge as long as nothing arrives; return the steps that were made."""
        steps = 0
        while await self._is_quiet() and await self._database.write(partial(merge, pages=MERGE_PAGES)):
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


def merge(connection: Connection, pages: int = MERGE_PAGES) -> bool:
    """Merge a little, which writes so many pages at most; False if there was nothing to merge."""
    return index_of(connection).merge(connection, pages)
