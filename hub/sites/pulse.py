"""The pulse of the county: signs of life are noted in batches and answered with receipts.

Two hundred sites that all import beat often; one transaction a second notes whatever came, the latest of each site.

Receipts also share out the stream: the sites that send at the same time may each have so many frames under way that a
change of any other site waits for a few seconds of the hub's work at most. How much work that is, the hub learns from
what it applies; who sends, from that and from the backlogs that beats announce.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec
import structlog
from sqlalchemy import Connection

from protocol.beats import Beat, Receipt
from protocol.errors import Retryable
from protocol.limits import FRAME_EVENTS_MAX, HEARTBEAT_S, UNCONFIRMED_FRAMES_MAX
from replication.beats import send_receipt
from replication.bus import Bus
from replication.database import Database
from replication.inbox import Taken, receipt_of
from replication.watermarks import marks_of

FLUSH_S = 1.0
"""Seconds over which signs of life are collected before they are written."""

FRAMES_SHARED = 128
"""Frames that all sites together should have waiting in the stream at most: 64,000 changes."""

WAITING_S = 2.0
"""Seconds of the hub's work that should be waiting in the stream: two fifths of what another's change may wait (5 s);
the rest is for what is in hand, for a machine that is suddenly busy, and for a site that has just begun."""

PACE_WEIGHT = 0.2
"""Share of the latest batch in what is known of the hub's pace: a dozen batches, a few seconds, forget an old one."""

WINDOW_FRAMES_MIN = 2
"""Frames that a site may have under way however many send: one is applied while the next is on its way."""

SENDING_S = 5.0
"""Seconds for which a site counts as sending after something of it was applied."""

ANNOUNCED_S = HEARTBEAT_S
"""Seconds for which a site counts as sending after a beat that tells of a backlog: until its next one."""

NoteBeats = Callable[[Connection, Sequence[Beat], int], None]

log = structlog.get_logger(__name__)


class Pulse:
    """Notes beats and sends receipts; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        note: NoteBeats,
        clock_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._bus = bus
        self._note = note
        self._clock_ms = clock_ms
        self._monotonic = monotonic
        self._sending: dict[str, float] = {}
        """The sites that send, and until when they count as such."""
        self._event_s = 0.0
        """Seconds that applying one event takes; 0 until enough were applied."""
        self._heard: dict[str, Beat] = {}
        self._arrived = asyncio.Event()

    async def hear(self, beat: Beat) -> None:
        """Take a sign of life; it is noted and answered within ``FLUSH_S``."""
        self._heard[beat.site] = beat
        if beat.outbox_frames > WINDOW_FRAMES_MIN and not beat.stopping:
            self._sends([beat.site], ANNOUNCED_S)
        elif beat.site in self._sending:
            self._sending[beat.site] = min(self._sending[beat.site], self._monotonic() + SENDING_S)
        self._arrived.set()

    async def run(self) -> None:
        """Note and answer, for ever."""
        while True:
            await self._arrived.wait()
            await asyncio.sleep(FLUSH_S)
            await self.step()

    async def step(self) -> None:
        """Note what was heard, and tell each of those sites how far it is applied."""
        self._arrived.clear()
        beats, self._heard = list(self._heard.values()), {}
        now_ms = self._clock_ms()

        def note(connection: Connection) -> list[Receipt]:
            self._note(connection, beats, now_ms)
            marks = marks_of(connection, [beat.site for beat in beats])
            return [receipt_of(mark, now_ms) for mark in marks.values()]

        try:
            receipts = await self._database.write(note)
        except Retryable as error:
            # A beat is repeated state: the next one is noted instead.
            log.warning("beats_not_noted", reason=error.reason.en, sites=len(beats))
            return
        await self._send(receipts)

    async def confirm(self, taken: Taken) -> None:
        """Tell the sites of a batch of frames how far they are applied now."""
        self._sends(taken.receipts, SENDING_S)
        if taken.applied_events >= FRAME_EVENTS_MAX:
            latest_s = taken.took_s / taken.applied_events
            self._event_s += (latest_s - self._event_s) * (PACE_WEIGHT if self._event_s else 1.0)
        await self._send(list(taken.receipts.values()))

    def _sends(self, sites: Iterable[str], span_s: float) -> None:
        until = self._monotonic() + span_s
        for site in sites:
            self._sending[site] = max(until, self._sending.get(site, until))

    async def _send(self, receipts: Sequence[Receipt]) -> None:
        now = self._monotonic()
        self._sending = {site: until for site, until in self._sending.items() if until > now}
        window = window_frames(len(self._sending), frames_shared(self._event_s))
        for receipt in receipts:
            try:
                await send_receipt(self._bus, msgspec.structs.replace(receipt, window_frames=window))
            except Retryable as error:
                # Away, or it takes no more bytes: every beat brings the same receipt again.
                log.info("receipts_put_off", reason=error.reason.en, sites=len(receipts))
                return


def frames_shared(event_s: float) -> int:
    """Return how many full frames this hub applies in ``WAITING_S`` at its pace, within what the stream may hold."""
    if event_s <= 0:
        return FRAMES_SHARED
    return max(WINDOW_FRAMES_MIN, min(FRAMES_SHARED, int(WAITING_S / (event_s * FRAME_EVENTS_MAX))))


def window_frames(sending: int, shared: int = FRAMES_SHARED) -> int:
    """Return how many frames each site may have under way while so many send."""
    return max(WINDOW_FRAMES_MIN, min(UNCONFIRMED_FRAMES_MAX, shared // max(1, sending)))
