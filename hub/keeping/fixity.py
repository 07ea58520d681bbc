"""Fixity: every held file is read and summed again and again, and put back from a copy where it is spoilt.

The work is spread evenly: at each look so many of the files that were looked at longest ago as the days that are left
for a whole round demand. So a load of a hundred thousand files that came on one day is not read on one day, and a hub
that was off catches up by itself. Between two files it rests as long as it worked.
"""

import asyncio
import contextlib
import hashlib
import math
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import structlog
from sqlalchemy import Connection

from hub.backup.backup_targets import Presence, presence_of
from hub.backup.bags import chunks_of, sync_folder
from hub.draws.receiving import FILE_MODE, FOLDER_MODE, unwritable
from hub.keeping import fixity_orders, held_files
from hub.keeping.held_files import HeldFile, HeldState
from hub.keeping.keeping_settings import HoldingCopy
from hub.looking import look_for_ever
from protocol.errors import Retryable
from replication.database import Database

LOOK_EVERY_S = 300.0
"""Seconds between two looks at what is due."""

ORDERS_EVERY_S = 10.0
"""Seconds between two looks whether somebody wants everything read now."""

DAY_S = 86_400.0

BATCH_MAX = 5_000
"""Files of one look at most: a hub that was off for months catches up over days."""

REST = 1.0
"""Seconds of rest for every second of reading: half the disk stays with those who work."""

log = structlog.get_logger(__name__)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """How one file was found, and from which copy it was put back, if it was."""

    held: HeldFile
    state: HeldState
    repaired_from: str = ""


def state_of(held: HeldFile, root: Path) -> HeldState:
    """Read a file from the disk itself and say how it is."""
    path = held.under(root)
    sha = hashlib.sha256()
    try:
        if path.stat().st_size != held.size_bytes:
            return HeldState.DAMAGED
        for chunk in chunks_of(path):
            sha.update(chunk)
    except FileNotFoundError:
        return HeldState.MISSING
    except OSError:
        # The disk does not give it: as good as lost, and a copy may be written in its place.
        return HeldState.DAMAGED
    return HeldState.SOUND if sha.hexdigest() == held.sha256 else HeldState.DAMAGED


def copied(held: HeldFile, source: Path, target: Path) -> bool:
    """Copy one file from one folder of holdings to another, if its bytes are right; False if they are not.

    Raises:
        Retryable: the target cannot be written, or is full.

    """
    final = held.under(target)
    part = final.with_name(f".{hashlib.sha256(held.path.encode()).hexdigest()[:16]}.part")
    sha = hashlib.sha256()
    try:
        final.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        with part.open("wb") as file:
            with contextlib.suppress(FileNotFoundError):
                for chunk in chunks_of(held.under(source)):
                    sha.update(chunk)
                    file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if sha.hexdigest() != held.sha256:
            part.unlink()
            return False
        part.chmod(FILE_MODE)
        part.replace(final)
        sync_folder(final.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise unwritable(error, target) from error
    return True


def repaired_from(held: HeldFile, root: Path, copies: Sequence[HoldingCopy], county: str) -> str:
    """Put a file back from the first copy that is there and sound; return its name, "" if there is none.

    Raises:
        Retryable: the holdings cannot be written.

    """
    for one in copies:
        if presence_of(one.as_target, county) is Presence.PRESENT and copied(held, Path(one.path), root):
            return one.name
    return ""


def examined(held: HeldFile, root: Path, copies: Sequence[HoldingCopy], county: str) -> Found:
    """Read one file, and put it back from a copy if it is spoilt.

    Raises:
        Retryable: the holdings cannot be written.

    """
    state = state_of(held, root)
    if state is HeldState.SOUND:
        return Found(held=held, state=state)
    source = repaired_from(held, root, copies, county)
    return Found(held=held, state=HeldState.SOUND if source else state, repaired_from=source)


class Fixity:
    """Examines held files in the background; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        root: Path,
        copies: Sequence[HoldingCopy],
        county: str,
        days: float,
        clock_ms: Callable[[], int],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._root = root
        self._copies = copies
        self._county = county
        self._days = days
        self._clock_ms = clock_ms
        self._sleep = sleep

    async def run(self) -> None:
        """Examine what is due, for ever."""
        await look_for_ever(self.look, LOOK_EVERY_S, "fixity_postponed", sleep=self._until_ordered)

    async def _until_ordered(self, seconds: float) -> None:
        """Rest, but not while somebody waits for all files to be read."""
        for _ in range(max(1, round(seconds / ORDERS_EVERY_S))):
            await self._sleep(ORDERS_EVERY_S)
            try:
                if await self._database.read(fixity_orders.standing) is not None:
                    return
            except Retryable as error:
                log.warning("fixity_postponed", reason=error.reason.en)

    async def look(self) -> list[Found]:
        """Examine this look's share of the files; return how each was found.

        Raises:
            Retryable: the store or the disk cannot be used now; what was examined is noted.

        """
        now_ms = self._clock_ms()
        due = await self._database.read(lambda connection: self._due(connection, now_ms))
        found = [await self._examine(held) for held in due]
        await self._close_order()
        return found

    async def _close_order(self) -> None:
        standing = await self._database.read(fixity_orders.standing)
        if standing is not None:
            now_ms = self._clock_ms()
            await self._database.write(lambda connection: fixity_orders.close(connection, standing, now_ms))

    def _due(self, connection: Connection, now_ms: int) -> list[HeldFile]:
        total = held_files.tally(connection).files
        share = math.ceil(total * LOOK_EVERY_S / (self._days * DAY_S))
        ordered = fixity_orders.standing(connection)
        wanted = max(share, BATCH_MAX // 10) if ordered is None else BATCH_MAX
        chosen = held_files.oldest(connection, min(BATCH_MAX, wanted))
        overdue_ms = max(now_ms - int(self._days * DAY_S * 1000), 0 if ordered is None else ordered.ordered_at_ms)
        return [one for number, one in enumerate(chosen) if number < share or one.looked_at_ms < overdue_ms]

    async def _examine(self, held: HeldFile) -> Found:
        began = time.monotonic()
        found = await asyncio.to_thread(examined, held, self._root, self._copies, self._county)
        now_ms = self._clock_ms()
        await self._database.write(
            lambda connection: held_files.note_look(connection, held, found.state, now_ms, found.repaired_from)
        )
        if found.state is not HeldState.SOUND or found.repaired_from:
            log.warning(
                "held_file_spoilt", site=held.site, bundle=held.bundle, state=found.state, repaired=found.repaired_from
            )
        await self._sleep((time.monotonic() - began) * REST)
        return found
