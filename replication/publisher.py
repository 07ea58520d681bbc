"""The publisher: carries the outbox to the broker, and lets go of it only when the hub says that it has it.

- Frames go in order with a few in flight. The cursor moves over frames that the broker has acknowledged; it lives in
  memory only, for the outbox is the truth: after a restart everything unconfirmed is simply sent again.
- A receipt of the hub deletes what it covers (promise 3). If receipts stop moving although the broker took everything,
  the broker has lost something: the cursor goes back, and the frames go again under new message ids, because the
  broker would drop the old ids as repeats.
- A receipt also tells when the histories of both ends differ: then ``on_diverged`` starts a new epoch.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

import structlog

from protocol.beats import Receipt, Want
from protocol.errors import Retryable
from protocol.sites import Site
from protocol.subjects import events as events_subject
from replication import outbox
from replication.catch_up import History, catch_up_frame, outbox_start
from replication.database import Database
from replication.outbox import FrameWriter, SealedFrame

WINDOW_FRAMES = 8
"""Frames in flight: hides the round trip of a village link, bounded so that a lost link loses little."""

PUBLISH_DEADLINE_S = 20.0
"""Seconds for one frame's acknowledgement: a full frame at 64 kbit/s with some slack."""

RESEND_AFTER_S = 60.0
"""Seconds without progress in the receipts after which frames that the broker took are sent again."""

PAUSE_S = 2.0
"""Seconds between attempts while the broker refuses or is away; a new connection ends the pause at once."""

log = structlog.get_logger(__name__)


class DurableLink(Protocol):
    """The part of the bus that the publisher needs."""

    @property
    def is_connected(self) -> bool:
        """Whether a publish can be tried now."""

    async def publish_durable(self, subject: str, payload: bytes, message_id: str, deadline_s: float) -> int:
        """Store a message in the stream and return its place there."""


class Publisher:
    """Sends one site's outbox; ``run`` is its loop, ``step`` one turn of it."""

    def __init__(
        self,
        database: Database,
        link: DurableLink,
        writer: FrameWriter,
        site: Site,
        history: History,
        on_diverged: Callable[[Receipt, Want], Awaitable[None]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._link = link
        self._writer = writer
        self._site = site
        self._history = history
        self._on_diverged = on_diverged
        self._monotonic = monotonic
        self._work = asyncio.Event()
        self._work.set()
        self._cursor = 0
        self._attempt = 0
        self._confirmed = 0
        self._progress_at = monotonic()
        self._range_at: float | None = None

    @property
    def published(self) -> int:
        """Latest position that the broker has acknowledged without a hole before it."""
        return self._cursor

    def wake(self) -> None:
        """Say that there is something new to send, or that the link is back."""
        self._work.set()

    async def run(self) -> None:
        """Send what there is, for ever; a lost link only pauses it."""
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                while await self.step():
                    pass
            except Retryable as error:
                log.info("publishing_paused", site=self._site.code, reason=error.reason.en)
                self._work.clear()
                await self._pause()
                self._work.set()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(PAUSE_S):
                await self._work.wait()
        except TimeoutError:
            return

    async def step(self) -> bool:
        """Send the next few frames; True if there may be more.

        Raises:
            LinkDown, CallTimeout: the link is away or slow; what was not acknowledged stays where it is.

        """
        if not self._link.is_connected:
            return False
        cursor = self._cursor
        frames = await self._database.read(lambda c: outbox.frames_after(c, cursor, WINDOW_FRAMES))
        if not frames:
            return False
        sent = await asyncio.gather(*(self._send(frame) for frame in frames), return_exceptions=True)
        for frame, result in zip(frames, sent, strict=True):
            if isinstance(result, BaseException):
                raise result
            # A receipt may have moved the cursor back meanwhile; then this round does not count.
            if self._cursor == cursor:
                cursor = self._cursor = frame.last
        return True

    async def _send(self, frame: SealedFrame) -> None:
        await self._link.publish_durable(
            events_subject(self._site), frame.sealed, self._message_id(frame), PUBLISH_DEADLINE_S
        )

    def _message_id(self, frame: SealedFrame) -> str:
        again = f":{self._attempt}" if self._attempt else ""
        return f"{self._site.code}:{frame.epoch}:{frame.previous}-{frame.last}{again}"

    async def confirm(self, receipt: Receipt) -> None:
        """Take a receipt of the hub: forget what it covers, send again what got lost, notice what diverged."""
        here = await self._database.read(outbox.head)
        if here is None:
            return
        if receipt.epoch != here.epoch:
            await self._confirm_other_epoch(receipt, here.retires)
            return
        known = await self._database.read(lambda c: outbox.digest_at(c, receipt.applied))
        rewound = receipt.applied > here.seq
        differs = receipt.chain and known is not None and receipt.applied > 0 and known != receipt.chain
        if rewound or differs or receipt.want is Want.NEW_EPOCH:
            await self._on_diverged(receipt, Want.NEW_EPOCH)
            self._restart()
            return
        await self._confirm_position(receipt.applied)
        if receipt.want is Want.BASELINE:
            await self._on_diverged(receipt, Want.BASELINE)

    async def _confirm_other_epoch(self, receipt: Receipt, retires: Sequence[str]) -> None:
        if receipt.epoch and receipt.epoch not in retires:
            # The hub follows an epoch that this database has never heard of: it was restored from before that epoch.
            await self._on_diverged(receipt, Want.NEW_EPOCH)
            self._restart()
        else:
            await self._confirm_position(0)

    async def _confirm_position(self, applied: int) -> None:
        start = await self._database.read(outbox_start)
        if start is not None and applied < start.seq:
            await self._catch_up(applied)
        elif applied > self._confirmed:
            self._confirmed = applied
            self._progress_at = self._monotonic()
            self._cursor = max(self._cursor, applied)
            await self._database.write(lambda c: outbox.forget(c, applied))
        elif self._cursor > applied and self._monotonic() - self._progress_at > RESEND_AFTER_S:
            self.resend_from(applied)

    async def _catch_up(self, applied: int) -> None:
        # The hub stands before what it once confirmed: it was put back. Not at every receipt: sending takes a while.
        if self._range_at is None or self._monotonic() - self._range_at > RESEND_AFTER_S:
            log.info("hub_was_put_back", site=self._site.code, position=applied)
            self._confirmed = applied
            await self.send_range(applied)

    def _restart(self) -> None:
        self._cursor = self._confirmed = 0
        self._attempt = 0
        self._progress_at = self._monotonic()
        self.wake()

    def resend_from(self, position: int) -> None:
        """Send again what follows a position, under new message ids."""
        self._attempt += 1
        self._cursor = position
        self._progress_at = self._monotonic()
        self.wake()

    async def send_range(self, after: int) -> int:
        """Send again everything after a position, also what left the outbox; return the position reached.

        Raises:
            LinkDown, CallTimeout: the link failed; the asker asks again.

        """
        self._attempt += 1
        self._range_at = self._monotonic()
        position = after
        while True:
            frame = await self._database.read(
                partial(catch_up_frame, writer=self._writer, history=self._history, after=position)
            )
            if frame is None:
                break
            await self._send(frame)
            position = frame.last
        self.resend_from(position)
        here = await self._database.read(outbox.head)
        return here.seq if here is not None else after
