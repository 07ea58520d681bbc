"""Taking in a consignment that a courier brought: the same list, the same checks and the same book as by the line.

What is here already is not read again, and what was not brought can still be fetched by the line.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol
from uuid import UUID

import msgspec

from hub.draws import draw_book
from hub.draws.draw_book import Drawing, DrawMark
from hub.draws.draw_course import COMMIT_BYTES_MAX, Progress
from hub.draws.draw_endings import conclude
from hub.draws.receiving import Receiver
from protocol.consignments import ConsignedFile, Consignment, list_digest
from protocol.errors import DanglianError
from protocol.sites import Site
from replication.consigned_files import FileUnfit
from replication.database import Database

PIECE_BYTES = 1024 * 1024
"""Bytes read at once."""


class Source(Protocol):
    """Where the files of a consignment are read from: the folder of a disk, or pieces that sticks brought."""

    def read(self, listed: ConsignedFile, skip: int, size_bytes: int) -> bytes:
        """Return a range of one file; raises ``FileUnfit``."""


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """A consignment that somebody carried here."""

    site: Site
    consignment: Consignment
    source: Source


async def take_in(
    database: Database, brought: Brought, into: Path, clock_ms: Callable[[], int], progress: Progress
) -> None:
    """Copy what is still missing from where it was brought, verify it, and note it; done again, it changes nothing.

    Raises:
        Retryable: a disk cannot be read or written, or is full; the next attempt goes on.
        BadFiles: some files were not brought as listed; all others are here.
        Refused: another list is known under this id.

    """
    site, consigned = brought.site, brought.consignment
    now_ms = clock_ms()
    wanted = Drawing(
        site=site.code,
        consignment_id=consigned.consignment_id,
        list_digest=await asyncio.to_thread(list_digest, consigned.files),
        place=str(into),
        files=len(consigned.files),
        size_bytes=consigned.size_bytes,
        began_at_ms=now_ms,
        moved_at_ms=now_ms,
    )
    line = await database.write(lambda connection: draw_book.begin(connection, wanted))
    receiver = Receiver(into, consigned.files, line.progress)
    try:
        await _copy(database, brought, receiver, clock_ms, progress)
    except DanglianError as error:
        await database.write(
            lambda connection, why=error: draw_book.note_state(connection, site, consigned.consignment_id, why)  # type: ignore[misc]
        )
        raise
    finally:
        await asyncio.to_thread(receiver.close)
    await conclude(database, site, consigned.consignment_id, consigned.files, receiver)


async def _copy(
    database: Database,
    brought: Brought,
    receiver: Receiver,
    clock_ms: Callable[[], int],
    progress: Progress,
) -> None:
    await asyncio.to_thread(receiver.prepare)
    await asyncio.to_thread(receiver.make_empty)
    consignment_id: UUID = brought.consignment.consignment_id
    total = receiver.total_bytes
    spans = receiver.spans()
    here = total - sum(end - start for start, end in spans)
    while True:
        steps = _steps(brought, receiver, spans)
        while (copied := await asyncio.to_thread(_some, steps)) is not None:
            mark: DrawMark = await asyncio.to_thread(receiver.snapshot())
            now_ms = clock_ms()
            await database.write(
                lambda connection, at=mark, moved=now_ms: draw_book.note_progress(  # type: ignore[misc]
                    connection, brought.site, consignment_id, at, 0, moved
                )
            )
            here += copied
            progress(min(here, total), total)
        if not (spans := receiver.spans_again()):
            return


def _some(steps: Iterator[int]) -> int | None:
    """Copy until it is worth a commit; None when everything was copied before."""
    copied, moved = 0, False
    for size in steps:
        copied, moved = copied + size, True
        if copied >= COMMIT_BYTES_MAX:
            break
    return copied if moved else None


def _steps(brought: Brought, receiver: Receiver, spans: list[tuple[int, int]]) -> Iterator[int]:
    """Copy piece by piece; yields the bytes of each, 0 for a file that cannot be had."""
    for start, end in spans:
        at = start
        while at < end:
            position, begins, _ = receiver.file_at(at)
            listed, skip = brought.consignment.files[position], at - begins
            try:
                piece = brought.source.read(listed, skip, min(PIECE_BYTES, listed.size_bytes - skip, end - at))
            except FileUnfit as unfit:
                at = receiver.fail(at, unfit.fault)
                yield 0
                continue
            receiver.feed(at, piece)
            at += len(piece)
            yield len(piece)
