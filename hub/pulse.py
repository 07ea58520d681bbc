"""The pulse of the county: signs of life are noted in batches and answered with receipts.

Two hundred sites that all import beat often; one transaction a second notes whatever came, the latest of each site.

Receipts also share out the stream: the sites that send at the same time may each have so many frames under way that a
change of any other site waits for a few seconds of the hub's work at most.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec
import structlog
from sqlalchemy import Connection

from protocol.beats import Beat, Receipt
from protocol.errors import Retryable
from protocol.limits import UNCONFIRMED_FRAMES_MAX
from replication.beats import send_receipt
from replication.bus import Bus
from replication.database import Database
from replication.inbox import Taken, receipt_of
from replication.watermarks import marks_of

FLUSH_S = 1.0
"""Seconds over which signs of life are collected before they are written."""

FRAMES_SHARED = 128
"""Frames that all sites together should have waiting in the stream: 64,000 changes, four seconds of the hub's work."""

WINDOW_FRAMES_MIN = 2
"""Frames that a site may have under way however many send: one is applied while the next is on its way."""

SENDING_S = 5.0
"""Seconds for which a site counts as sending after something of it was applied."""

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
        self._heard: dict[str, Beat] = {}
        self._arrived = asyncio.Event()

    async def hear(self, beat: Beat) -> None:
        """Take a sign of life; it is noted and answered within ``FLUSH_S``."""
        self._heard[beat.site] = beat
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
        now = self._monotonic()
        self._sending.update(dict.fromkeys(taken.receipts, now + SENDING_S))
        self._sending = {site: until for site, until in self._sending.items() if until > now}
        await self._send(list(taken.receipts.values()))

    async def _send(self, receipts: Sequence[Receipt]) -> None:
        window = window_frames(len(self._sending))
        for receipt in receipts:
            try:
                await send_receipt(self._bus, msgspec.structs.replace(receipt, window_frames=window))
            except Retryable as error:
                # Away, or it takes no more bytes: every beat brings the same receipt again.
                log.info("receipts_put_off", reason=error.reason.en, sites=len(receipts))
                return


def window_frames(sending: int) -> int:
    """Return how many frames each site may have under way while so many send."""
    return max(WINDOW_FRAMES_MIN, min(UNCONFIRMED_FRAMES_MAX, FRAMES_SHARED // max(1, sending)))
