"""Fixity of what a township keeps for others: every file is read and summed within 90 days, by itself, at night.

An accession is gone over from its first file to its last; how far is remembered, so that a PC that is switched off goes
on where it was. It is due again 60 days after its last look began, and read by night then; where that did not come to
pass, because nobody leaves the PC on, it is read by day once 75 days are over. What is not as it came goes into the
book of faults, and with the next sign of life to the county, which opens an alarm.
"""

import asyncio
import datetime
import time
import zoneinfo
from collections.abc import Awaitable, Callable
from itertools import islice
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection

from node.night_window import NightWindow
from node.transfers import kept
from node.transfers.kept import FileLook, KeptPackage
from protocol.errors import Retryable
from replication.database import Database

FIXITY_DAYS: Final = 60
"""Days after which an accession is gone over again."""

BY_DAY_DAYS: Final = 75
"""Days after which it is gone over by day too: the rule is 90."""

NIGHT: Final = NightWindow(opens=20 * 60, closes=6 * 60, written="20:00-06:00")
"""Hours in which nobody works at the PC."""

LOOK_EVERY_S: Final = 600.0
"""Seconds between two looks whether something is due."""

FILES_AT_ONCE: Final = 1_000
"""Files that are read between two notes of how far it is."""

BYTES_AT_ONCE: Final = 64 * 1024 * 1024
"""Bytes after which it notes how far it is, if those come first."""

READING_BYTES_S: Final = 10 * 1024 * 1024
"""Bytes read in a second at most: a tenth of what an old disk gives; 40 GB take a little more than an hour."""

DAY_MS: Final = 86_400_000

log = structlog.get_logger(__name__)


class KeptFixity:
    """Goes over what is kept; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        root: Path,
        time_zone: str,
        clock_ms: Callable[[], int],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._root = root
        self._zone = zoneinfo.ZoneInfo(time_zone)
        self._clock_ms = clock_ms
        self._sleep = sleep

    async def run(self) -> None:
        """Read what is due, for ever."""
        while True:
            try:
                while await self.look():
                    continue
            except Retryable as error:
                log.warning("kept_fixity_put_off", reason=error.reason.en)
            await self._sleep(LOOK_EVERY_S)

    async def look(self) -> bool:
        """Read some files of the accession whose turn it is; False if nothing is to be read now.

        Raises:
            Retryable: the store is busy or full; what was read is read again.

        """
        one = await self._database.read(self._due)
        if one is None:
            return False
        now_ms = self._clock_ms()
        if not one.look_line:
            await self._database.write(lambda c: kept.begin_look(c, one.accession, now_ms))
        began = time.monotonic()
        some = await asyncio.to_thread(_some, self._root, one)
        await self._database.write(lambda c: self._note(c, one, some))
        if faulty := sum(not look.is_sound for look in some):
            log.error("kept_files_changed", accession=one.accession, site=one.site, files=faulty)
        wanted_s = sum(look.size_bytes for look in some) / READING_BYTES_S
        await self._sleep(max(0.0, wanted_s - (time.monotonic() - began)))
        return True

    def _due(self, connection: Connection) -> KeptPackage | None:
        now_ms = self._clock_ms()
        is_night = NIGHT.opens_at(datetime.datetime.fromtimestamp(now_ms / 1000, self._zone)) is None
        due = [
            one
            for one in kept.packages(connection)
            if (one.look_line or max(one.kept_at_ms, one.look_began_at_ms) <= now_ms - FIXITY_DAYS * DAY_MS)
            and (is_night or max(one.kept_at_ms, one.verified_at_ms) <= now_ms - BY_DAY_DAYS * DAY_MS)
        ]
        # What was begun is gone on with first; then what was begun longest ago.
        return min(due, key=lambda one: (not one.look_line, one.look_began_at_ms, one.accession), default=None)

    def _note(self, connection: Connection, one: KeptPackage, some: list[FileLook]) -> None:
        line, now_ms = one.look_line + len(some), self._clock_ms()
        kept.note_looked(connection, one.accession, line, some, now_ms)
        if line >= one.files or not some:
            faulty = kept.end_look(connection, one.accession, now_ms)
            log.info("kept_verified", accession=one.accession, files=one.files, faulty=faulty)


def _some(root: Path, one: KeptPackage) -> list[FileLook]:
    found: list[FileLook] = []
    for look in islice(kept.looked_at(root, one, one.look_line), FILES_AT_ONCE):
        found.append(look)
        if sum(seen.size_bytes for seen in found) >= BYTES_AT_ONCE:
            break
    return found
