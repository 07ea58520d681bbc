"""The consumer: pulls frames from the stream into the inbox.

Reading and preparing the next batch overlaps with writing the present one. A message is acknowledged only after what it
carried is on disk; one that could not be stored comes again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from protocol.errors import BadValue, Retryable
from protocol.sites import Site
from protocol.subjects import site_of
from replication.inbox import Inbox, ReadFrames, Taken

FETCH_FRAMES = 16
"""Frames pulled at once: up to 8,000 events in one transaction, a few megabytes of memory."""

PAUSE_S = 1.0
"""Seconds before a batch that could not be stored is tried again."""

log = structlog.get_logger(__name__)


class Message(Protocol):
    """One message of the stream."""

    @property
    def subject(self) -> str:
        """Where it was published."""

    @property
    def data(self) -> bytes:
        """What it carries."""

    async def ack(self) -> None:
        """Tell the broker that it is stored here."""


class Source(Protocol):
    """Where messages come from: a durable pull consumer."""

    @property
    def waiting(self) -> int:
        """Messages that ``fetch`` would return at once."""

    async def fetch(self, limit: int) -> Sequence[Message]:
        """Return some messages as soon as there are any, or none after a few seconds."""


class Consumer:
    """Feeds an inbox from a source; ``run`` is its loop."""

    def __init__(
        self,
        source: Source,
        inbox: Inbox,
        on_taken: Callable[[Taken], Awaitable[None]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._inbox = inbox
        self._on_taken = on_taken
        self._monotonic = monotonic
        self._idle_since = monotonic()

    async def run(self) -> None:
        """Fetch, read, apply, acknowledge, for ever."""
        storing: asyncio.Task[None] | None = None
        try:
            while True:
                messages = list(await self._source.fetch(FETCH_FRAMES))
                if not messages:
                    continue
                arrived_at = self._monotonic()
                frames = await self._read(messages)
                # What came meanwhile joins: a site sends the rows of one transaction in two bursts, and each
                # transaction here costs an fsync and leaves a segment in the index. Nobody waits for more to come.
                while self._source.waiting and len(messages) < FETCH_FRAMES:
                    more = await self._source.fetch(FETCH_FRAMES - len(messages))
                    messages.extend(more)
                    joined = await self._read(more)
                    frames.accepted.extend(joined.accepted)
                    frames.refused.extend(joined.refused)
                if storing is not None:
                    await storing
                storing = asyncio.create_task(self._store(frames, messages, arrived_at), name="store")
        finally:
            if storing is not None:
                # What is being stored is on disk before the connection closes.
                await asyncio.wait([storing])

    async def _read(self, messages: Sequence[Message]) -> ReadFrames:
        """Read frame by frame and let the writer and the calls have their turn in between."""
        frames = ReadFrames(accepted=[], refused=[])
        for message in messages:
            site = _site_of(message)
            if site is not None:
                part = self._inbox.read([(site, message.data)])
                frames.accepted.extend(part.accepted)
                frames.refused.extend(part.refused)
            await asyncio.sleep(0)
        return frames

    async def _store(self, frames: ReadFrames, messages: Sequence[Message], arrived_at: float) -> None:
        taken = await self._taken(frames)
        for message in messages:
            await message.ack()
        # Batches overlap: what this one took is counted from when the one before was done.
        begun_at, self._idle_since = max(arrived_at, self._idle_since), self._monotonic()
        taken.took_s = self._idle_since - begun_at
        await self._on_taken(taken)

    async def _taken(self, frames: ReadFrames) -> Taken:
        while True:
            try:
                return await self._inbox.take(frames)
            except Retryable as error:
                log.warning("storing_paused", reason=error.reason.en)
                await asyncio.sleep(PAUSE_S)


def _site_of(message: Message) -> Site | None:
    try:
        return site_of(message.subject)
    except BadValue:
        # The stream's subjects are bound by the broker's permissions: this can only be a mistake of an operator.
        log.warning("foreign_subject", subject=message.subject)
        return None
