"""Drawing the package of a transfer in, with a note of how much of it has come: for pages, commands, and a restart."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection

from protocol.consignments import ConsignedFile
from protocol.file_lists import FileList
from protocol.sites import Site, parse_site
from protocol.transfer_folds import Transfer
from replication import transfer_rounds
from replication.database import Database

PROGRESS_S = 1.0
"""Seconds between two notes of how much of a package has come."""

Told = Callable[[int, int], None]
"""Hears bytes that are here, and all bytes."""


class Drawing(Protocol):
    """What fetches files from a site (``hub.draws.drawing.Drawer``)."""

    async def listed(self, site: Site, consignment_id: UUID) -> FileList:
        """Return the list of what a site has offered."""

    async def draw_to_the_end(
        self, site: Site, consignment_id: UUID, files: Sequence[ConsignedFile], into: Path, progress: Told
    ) -> None:
        """Fetch the files, however long it takes."""


async def drawn(
    database: Database,
    drawer: Drawing,
    now: Transfer,
    files: FileList,
    into: Path,
    clock_ms: Callable[[], int],
) -> None:
    """Fetch the files of the present round, however long it takes.

    Raises:
        Permanent: as ``Drawing.draw_to_the_end``.

    """
    site = parse_site(now.giver.site if now.giver is not None else "")
    so_far = 0

    def progress(done_bytes: int, _all_bytes: int) -> None:
        nonlocal so_far
        so_far = done_bytes

    def note(connection: Connection, done_bytes: int) -> None:
        transfer_rounds.note_progress(connection, now.transfer_id, now.round, done_bytes, clock_ms())

    async def tell() -> None:
        told = -1
        while True:
            if so_far != told:
                told = so_far
                await database.write(partial(note, done_bytes=told))
            await asyncio.sleep(PROGRESS_S)

    telling = asyncio.create_task(tell())
    try:
        if now.consignment is not None:
            await drawer.draw_to_the_end(site, now.consignment, files, into, progress)
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    await database.write(partial(note, done_bytes=files.size_bytes))
