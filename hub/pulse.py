"""The pulse of the county: signs of life are noted in batches and answered with receipts.

Two hundred sites that all import beat often; one transaction a second notes whatever came, the latest of each site.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import Connection

from protocol.beats import Beat, Receipt
from protocol.errors import Retryable
from replication.beats import send_receipt
from replication.bus import Bus
from replication.database import Database
from replication.inbox import Taken, receipt_of
from replication.watermarks import marks_of

FLUSH_S = 1.0
"""Seconds over which signs of life are collected before they are written."""

NoteBeats = Callable[[Connection, Sequence[Beat], int], None]

log = structlog.get_logger(__name__)


class Pulse:
    """Notes beats and sends receipts; ``run`` is its loop."""

    def __init__(self, database: Database, bus: Bus, note: NoteBeats, clock_ms: Callable[[], int]) -> None:
        self._database = database
        self._bus = bus
        self._note = note
        self._clock_ms = clock_ms
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
        await self._send(list(taken.receipts.values()))

    async def _send(self, receipts: Sequence[Receipt]) -> None:
        for receipt in receipts:
            try:
                await send_receipt(self._bus, receipt)
            except Retryable as error:
                # Away, or it takes no more bytes: every beat brings the same receipt again.
                log.info("receipts_put_off", reason=error.reason.en, sites=len(receipts))
                return
