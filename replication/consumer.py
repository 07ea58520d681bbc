"""The consumer: pulls frames from the stream into the inbox.

Reading and preparing the next batch overlaps with writing the present one. A message is acknowledged only after what it
carried is on disk; one that could not be stored comes again.

The stream's order is who came first; of what was pulled, a site that has little to tell goes first (``Ready``), so
that one change does not wait for what two dozen sites bring back from an outage. A machine that is slow stores less at
once, so that nobody waits long for the writer; and whoever waits for a page goes before all frames
(``replication.precedence``).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

import structlog

from protocol.errors import BadValue, Retryable
from protocol.sites import Site
from protocol.subjects import site_of
from replication.inbox import Inbox, ReadFrames, Taken
from replication.precedence import GaveWay, GoOn, Precedence, undisturbed

FETCH_FRAMES = 16
"""Frames pulled at once: up to 8,000 events in one transaction, a few megabytes of memory."""

READY_FRAMES_MAX = 192
"""Frames that are pulled and wait here at most: two of nearly every site of a county that comes back at once."""

READY_BYTES_MAX = 16 * 1024 * 1024
"""Bytes from which on no more are pulled."""

LITTLE_BYTES = 16 * 1024
"""Bytes of a site's waiting frames up to which it has little to tell: some dozens of changes."""

STORED_S = 0.5
"""Seconds that one transaction should take at most. A clerk's step and the page behind it are a transaction each, and
each may come behind one of these: together they must not wait for half of the 2 s that a step may take. A machine that
nobody slows down stores 16 frames in less."""

STORED_FRAMES_MIN = 2
"""Frames stored at once, however slow the machine is."""

PACE_WEIGHT = 0.3
"""Share of the latest batch in what is known of this machine's pace."""

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


class Ready:
    """What was pulled and waits to be read; messages of one site keep their order."""

    def __init__(self, frames_max: int) -> None:
        self._frames_max = frames_max
        self._messages: list[Message] = []
        self._bytes = 0
        self.arrived = asyncio.Event()
        self.has_room = asyncio.Event()
        self.has_room.set()

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, messages: Sequence[Message]) -> None:
        """Take in what was pulled."""
        self._messages += messages
        self._note()

    def take(self, limit: int) -> list[Message]:
        """Return the next messages: for up to half of them, those of sites that have little waiting go first."""
        waiting: dict[str, int] = {}
        for one in self._messages:
            waiting[one.subject] = waiting.get(one.subject, 0) + len(one.data)
        first = [one for one in self._messages if waiting[one.subject] <= LITTLE_BYTES][: max(1, limit // 2)]
        early = {id(one) for one in first}
        rest = [one for one in self._messages if id(one) not in early]
        room = limit - len(first)
        self._messages = rest[room:]
        self._note()
        return first + rest[:room]

    def _note(self) -> None:
        self._bytes = sum(len(one.data) for one in self._messages)
        is_full = len(self._messages) >= self._frames_max or self._bytes >= READY_BYTES_MAX
        (self.has_room.clear if is_full else self.has_room.set)()
        (self.arrived.set if self._messages else self.arrived.clear)()


class Consumer:
    """Feeds an inbox from a source; ``run`` is its loop."""

    def __init__(
        self,
        source: Source,
        inbox: Inbox,
        on_taken: Callable[[Taken], Awaitable[None]],
        monotonic: Callable[[], float] = time.monotonic,
        *,
        ready_max: int = READY_FRAMES_MAX,
        precedence: Precedence | None = None,
    ) -> None:
        self._source = source
        self._inbox = inbox
        self._on_taken = on_taken
        self._monotonic = monotonic
        self._idle_since = monotonic()
        self._ready = Ready(ready_max)
        self._precedence = precedence or Precedence(monotonic)
        self._frame_s = 0.0
        """Seconds that one frame takes here; 0 until something was stored."""

    async def run(self) -> None:
        """Fetch, read, apply, acknowledge, for ever."""
        storing: asyncio.Task[None] | None = None
        pulling = asyncio.create_task(self._pull(), name="pull")
        try:
            while True:
                await self._until_ready(pulling)
                arrived_at = self._monotonic()
                batch: list[_Arrival] = []
                # What came meanwhile joins: a site sends the rows of one transaction in two bursts, and each
                # transaction here costs an fsync and leaves a segment in the index. Nobody waits for more to come.
                while self._ready and len(batch) < self._at_once:
                    batch += await self._read(self._ready.take(self._at_once - len(batch)))
                if storing is not None:
                    await storing
                await self._precedence.give_way()
                storing = asyncio.create_task(self._store(batch, arrived_at), name="store")
                if not self._precedence.is_quiet:
                    # Reading beside it would take a third of Python's lock from whoever asks; and only what is done
                    # can be paid for with a rest.
                    await storing
        finally:
            pulling.cancel()
            # What is being stored is on disk before the connection closes.
            await asyncio.wait([task for task in (pulling, storing) if task is not None])

    async def _pull(self) -> None:
        """Pull as long as there is room, for ever."""
        while True:
            await self._ready.has_room.wait()
            self._ready.add(await self._source.fetch(FETCH_FRAMES))

    async def _until_ready(self, pulling: asyncio.Task[None]) -> None:
        """Wait until something was pulled; raises what ended the pulling."""
        if self._ready:
            return
        arrived = asyncio.create_task(self._ready.arrived.wait(), name="arrived")
        try:
            await asyncio.wait([arrived, pulling], return_when=asyncio.FIRST_COMPLETED)
        finally:
            arrived.cancel()
        if pulling.done():
            pulling.result()

    @property
    def _at_once(self) -> int:
        """Frames of one transaction, at this machine's pace and beside those who wait for pages."""
        if self._frame_s <= 0:
            return self._precedence.at_once(FETCH_FRAMES)
        at_pace = max(STORED_FRAMES_MIN, min(FETCH_FRAMES, int(STORED_S / self._frame_s)))
        return self._precedence.at_once(at_pace)

    async def _read(self, messages: Sequence[Message]) -> list["_Arrival"]:
        """Read frame by frame and let the writer, the calls and the pages have their turn in between."""
        batch = []
        for message in messages:
            await self._precedence.give_way()
            found = ReadFrames(accepted=[], refused=[])
            site = _site_of(message)
            if site is not None:
                for _ in self._inbox.reading(found, site, message.data):
                    await self._precedence.look()
            batch.append(_Arrival(message, found))
        return batch

    async def _store(self, batch: Sequence["_Arrival"], arrived_at: float) -> None:
        """Store a batch; what somebody waits for while it is being stored goes first, and it begins anew in parts."""
        may_give_way = True
        while batch:
            lot = batch[: self._precedence.at_once(len(batch)) if may_give_way else 1]
            try:
                taken = await self._taken(lot, self._precedence.go_on if may_give_way else undisturbed)
            except GaveWay:
                # Once: however many come, nothing is begun a third time.
                may_give_way = False
                await self._precedence.give_way()
                continue
            may_give_way = True
            batch = batch[len(lot) :]
            for arrival in lot:
                await arrival.message.ack()
            self._note_pace(taken, len(lot), arrived_at)
            await self._on_taken(taken)
            if batch:
                await self._precedence.give_way()

    def _note_pace(self, taken: Taken, frames: int, arrived_at: float) -> None:
        # Batches overlap: what this one took is counted from when the one before was done.
        begun_at, self._idle_since = max(arrived_at, self._idle_since), self._monotonic()
        taken.took_s = self._idle_since - begun_at
        latest_s = taken.took_s / frames
        self._frame_s += (latest_s - self._frame_s) * (PACE_WEIGHT if self._frame_s else 1.0)

    async def _taken(self, lot: Sequence["_Arrival"], go_on: GoOn) -> Taken:
        frames = ReadFrames(
            accepted=[frame for arrival in lot for frame in arrival.frames.accepted],
            refused=[frame for arrival in lot for frame in arrival.frames.refused],
        )
        while True:
            try:
                return await self._inbox.take(frames, go_on)
            except GaveWay:
                raise
            except Retryable as error:
                log.warning("storing_paused", reason=error.reason.en)
                await asyncio.sleep(PAUSE_S)


class _Arrival(NamedTuple):
    """A message, and what was read of it."""

    message: Message
    frames: ReadFrames


def _site_of(message: Message) -> Site | None:
    try:
        return site_of(message.subject)
    except BadValue:
        # The stream's subjects are bound by the broker's permissions: this can only be a mistake of an operator.
        log.warning("foreign_subject", subject=message.subject)
        return None
