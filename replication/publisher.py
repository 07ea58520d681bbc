"""The publisher: carries the outbox to the broker, and lets go of it only when the hub says that it has it.

- Frames go in order with a few in flight. The cursor moves over frames that the broker has acknowledged; it lives in
  memory only, for the outbox is the truth: after a restart everything unconfirmed is simply sent again.
- A receipt of the hub deletes what it covers (promise 3). If receipts stop moving although the broker took everything,
  the broker has lost something: the cursor goes back, and the frames go again under new message ids, because the
  broker would drop the old ids as repeats.
- No more than a window of frames is under way between the broker's acknowledgement and the hub's receipt: a site with
  a million rows to tell leaves room in the stream for one that has a single change. The hub may ask for a smaller one.
- What was sent on a new connection, or again, is a probe of a few frames until a receipt covers some of it: a whole
  county that comes back from an outage does not fill the stream before anybody could share it out, and a hub that is
  gone for weeks finds a few frames of each site, however often its PCs were switched on.
- If the hub stands before what the outbox still holds, catch-up frames go first (``catch_up``).
- A receipt also tells when the histories of both ends differ: then ``on_diverged`` starts a new epoch.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
import structlog
from sqlalchemy import Connection

from protocol.beats import Receipt, Want
from protocol.errors import BadFrame, CallTimeout, Refused, Retryable
from protocol.limits import UNCONFIRMED_FRAMES_MAX
from protocol.sites import Site
from protocol.subjects import events as events_subject
from replication import outbox
from replication.catch_up import History, catch_up_frames
from replication.database import Database
from replication.outbox import Extent, FrameWriter, Position, SealedFrame

WINDOW_FRAMES = 8
"""Frames in flight: hides the round trip of a village link, bounded so that a lost link loses little."""

PUBLISH_DEADLINE_S = 20.0
"""Seconds for one frame's acknowledgement: a full frame at 64 kbit/s with some slack."""

REPEAT_AFTER_S = 3.0
"""Seconds without an acknowledgement after which a frame is published once more under its id, which the broker keeps
once: in a cluster the server that was about to acknowledge it may have died. Longer on a line that is always slower."""

SLOWER = 4.0
"""How many times the usual wait for an acknowledgement is unusual."""

PROBE_FRAMES = 2
"""Frames that may be under way before a receipt proves that the hub takes what this connection sends."""

RESEND_AFTER_S = 60.0
"""Seconds without progress in the receipts after which frames that the broker took are sent again."""

RESEND_AFTER_MAX_S = 3600.0
"""Seconds that this grows to, doubling, while nothing helps: a hub that stands still for weeks is told once an hour."""

BELIEVE_AFTER_S = 20.0
"""Seconds over which the hub must say that it stands before what the outbox begins at until that is believed: a receipt
that was overtaken on its way says so too. Less than a heartbeat, so the second receipt of a quiet site is believed."""

PAUSE_S = 2.0
"""Seconds between attempts while the broker refuses or is away; a new connection ends the pause at once."""

log = structlog.get_logger(__name__)

OnDiverged = Callable[[Receipt, Want], Awaitable[None]]
"""Does what a receipt shows to be needed: ``NEW_EPOCH``, a ``BASELINE``, or with ``NOTHING``: see whether a receiver
that stands there can be caught up on changes alone, and start a new epoch if it cannot."""


class DurableLink(Protocol):
    """The part of the bus that the publisher needs."""

    @property
    def is_connected(self) -> bool:
        """Whether a publish can be tried now."""

    async def publish_durable(self, subject: str, payload: bytes, message_id: str, deadline_s: float) -> int:
        """Store a message in the stream and return its place there."""


class _Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the outbox says to a receipt."""

    held: Extent
    contradicts: bool


def _standing(connection: Connection, receipt: Receipt) -> _Standing | None:
    held = outbox.extent(connection)
    if held is None:
        return None
    same_epoch = receipt.epoch == held.end.epoch
    contradicts = same_epoch and outbox.contradicts(connection, held, receipt.applied, receipt.chain)
    return _Standing(held=held, contradicts=contradicts)


class Publisher:
    """Sends one site's outbox; ``run`` is its loop, ``step`` one turn of it."""

    def __init__(
        self,
        database: Database,
        link: DurableLink,
        writer: FrameWriter,
        site: Site,
        history: History,
        on_diverged: OnDiverged,
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
        self._unconfirmed: deque[int] = deque()
        """Where the frames end that the broker has and no receipt covers yet."""
        self._sent_epoch = ""
        """The epoch of those frames."""
        self._window = UNCONFIRMED_FRAMES_MAX
        self._is_proven = False
        """A receipt has covered frames that were sent since the link came up, or since the last sending again."""
        self._resend_after_s = RESEND_AFTER_S
        self._is_behind = False
        self._round = 0
        self._attempt = 0
        self._confirmed = 0
        self._progress_at = monotonic()
        self._fall_back_at: float | None = None
        self._usual_s = 0.0
        """Seconds that an acknowledgement has taken of late; 0 until there was one."""

    @property
    def published(self) -> int:
        """Latest position that the broker has acknowledged without a hole before it."""
        return self._cursor

    def wake(self) -> None:
        """Say that there is something new to send."""
        self._work.set()

    def reconnected(self) -> None:
        """Say that the link is back: whether anybody takes what it carries has to be seen anew."""
        self._unconfirmed.clear()
        self._is_proven = False
        self.wake()

    async def run(self) -> None:
        """Send what there is, for ever; a lost link, or a broker that refuses, only pauses it."""
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                while await self.step():
                    pass
            except Retryable as error:
                log.info("publishing_paused", site=self._site.code, reason=error.reason.en)
            except (Refused, BadFrame) as error:
                # The county has to put its broker right; until then the site is searched and read as ever.
                log.warning("publishing_refused", site=self._site.code, reason=error.reason.en)
            else:
                continue
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
        window = self._window if self._is_proven else min(self._window, PROBE_FRAMES)
        room = min(WINDOW_FRAMES, window - len(self._unconfirmed))
        if room <= 0 or not self._link.is_connected:
            return False
        cursor, sending = self._cursor, self._round
        if self._is_behind:
            frames = await self._database.read(lambda c: self._missed(c, cursor, room))
            if not frames and self._round == sending:
                self._is_behind = False
                return True
        else:
            frames = await self._database.read(lambda c: outbox.frames_after(c, cursor, room))
        if not frames:
            return False
        sent = await asyncio.gather(*(self._send(frame) for frame in frames), return_exceptions=True)
        for frame, result in zip(frames, sent, strict=True):
            if isinstance(result, BaseException):
                raise result
            # A receipt may have moved the cursor meanwhile; then this round does not count.
            if self._round == sending:
                self._cursor = frame.last
                self._sent_epoch = frame.epoch
                self._unconfirmed.append(frame.last)
        return True

    def _missed(self, connection: Connection, after: int, limit: int) -> list[SealedFrame]:
        return catch_up_frames(connection, self._writer, self._history, after, limit)

    async def _send(self, frame: SealedFrame) -> None:
        subject, name, left_s = events_subject(self._site), self._message_id(frame), PUBLISH_DEADLINE_S
        while True:
            # Before the first acknowledgement nobody knows the line: a slow one must not be given everything twice.
            patience_s = min(left_s, max(REPEAT_AFTER_S, SLOWER * self._usual_s) if self._usual_s else left_s)
            begun_at = self._monotonic()
            try:
                await self._link.publish_durable(subject, frame.sealed, name, patience_s)
            except CallTimeout:
                left_s -= patience_s
                if left_s <= 0:
                    raise
            else:
                self._usual_s = max(self._monotonic() - begun_at, self._usual_s / 2)
                return

    def _message_id(self, frame: SealedFrame) -> str:
        again = f":{self._attempt}" if self._attempt else ""
        return f"{self._site.code}:{frame.epoch}:{frame.previous}-{frame.last}{again}"

    def make_room(self, receipt: Receipt) -> None:
        """Go on sending by what a receipt covers, before anybody has time to write it down.

        An import and its index keep the store busy for most of a second at a time; meanwhile the hub would have nothing
        to do. A receipt that is further than what was sent, or of another epoch, has to be understood first.
        """
        self._window = min(receipt.window_frames or UNCONFIRMED_FRAMES_MAX, UNCONFIRMED_FRAMES_MAX)
        if receipt.epoch == self._sent_epoch and receipt.applied <= self._cursor:
            self._cover(receipt.applied)

    def _cover(self, applied: int) -> None:
        while self._unconfirmed and self._unconfirmed[0] <= applied:
            self._unconfirmed.popleft()
            self._is_proven = True
            self._work.set()

    async def confirm(self, receipt: Receipt) -> None:
        """Take a receipt of the hub: forget what it covers, send again what got lost, notice what diverged."""
        self.make_room(receipt)
        try:
            await self._take(receipt)
        except Retryable as error:
            # A receipt is repeated state: the next one says the same, and then there is room again.
            log.info("receipt_put_off", site=self._site.code, reason=error.reason.en)

    async def _take(self, receipt: Receipt) -> None:
        standing = await self._database.read(lambda c: _standing(c, receipt))
        if standing is None:
            return
        if receipt.epoch == standing.held.end.epoch:
            if standing.contradicts or receipt.want is Want.NEW_EPOCH:
                await self._diverge(receipt, Want.NEW_EPOCH)
                return
            await self._take_position(receipt, standing.held.start)
            if receipt.want is Want.BASELINE:
                await self._on_diverged(receipt, Want.BASELINE)
        elif receipt.epoch and receipt.epoch not in standing.held.end.retires:
            # The hub follows an epoch that this database has never heard of: it was restored from before that epoch.
            await self._diverge(receipt, Want.NEW_EPOCH)
        else:
            await self._take_position(msgspec.structs.replace(receipt, applied=0), standing.held.start)

    async def _take_position(self, receipt: Receipt, start: Position) -> None:
        applied, now = receipt.applied, self._monotonic()
        self._cover(applied)
        if applied < start.seq:
            await self._take_behind(receipt)
            return
        self._fall_back_at = None
        if applied > start.seq:
            self._cursor = max(self._cursor, applied)
            await self._database.write(lambda c: outbox.forget(c, applied))
        if applied > self._confirmed:
            self._confirmed = applied
            self._progress_at = now
            self._resend_after_s = RESEND_AFTER_S
        elif self._cursor > applied and now - self._progress_at > self._resend_after_s:
            self._resend_after_s = min(2 * self._resend_after_s, RESEND_AFTER_MAX_S)
            self.resend_from(applied)

    async def _take_behind(self, receipt: Receipt) -> None:
        """Take a receipt from before the outbox's beginning: the hub was put back, or the receipt was overtaken."""
        now = self._monotonic()
        if self._fall_back_at is None:
            self._fall_back_at = now + BELIEVE_AFTER_S
        elif receipt.applied > self._confirmed:
            self._fall_back_at = now + RESEND_AFTER_S
        elif now >= self._fall_back_at:
            log.info("hub_is_behind", site=self._site.code, hub_epoch=receipt.epoch, hub_position=receipt.applied)
            if await self._diverge(receipt, Want.NOTHING):
                return
            self._fall_back_at = now + RESEND_AFTER_S
            self._is_behind = True
            self.resend_from(receipt.applied)
        self._confirmed = receipt.applied

    async def _diverge(self, receipt: Receipt, want: Want) -> bool:
        """Have done what is needed; True if that began a new epoch, which is then sent from its start."""
        before = await self._database.read(outbox.head)
        await self._on_diverged(receipt, want)
        after = await self._database.read(outbox.head)
        if before == after or (before is not None and after is not None and before.epoch == after.epoch):
            return False
        self._fall_back_at = None
        self._confirmed = 0
        self._is_behind = False
        self.resend_from(0)
        return True

    def resend_from(self, position: int) -> None:
        """Send again what follows a position, under new message ids."""
        self._attempt += 1
        self._round += 1
        self._unconfirmed.clear()
        self._is_proven = False
        self._cursor = position
        self._progress_at = self._monotonic()
        self.wake()

    async def send_range(self, after: int) -> int:
        """Have everything after a position sent again that the outbox holds; return the position it will reach.

        The loop does the sending: whoever asked need not wait for it. What left the outbox is caught up on when
        receipts show that the hub stands there and, by the digest, that it has this history; a question shows neither.
        """
        held = await self._database.read(outbox.extent)
        if held is None:
            return after
        if after >= held.start.seq:
            self.resend_from(after)
        return held.end.seq
