"""Taking in a consignment that a courier brought: the same list, the same checks and the same book as by the line.

What is here already is not read again, and what the disk did not hold can still be fetched by the line.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from uuid import UUID

import msgspec

from hub.draws import draw_book
from hub.draws.draw_book import Drawing, DrawMark
from hub.draws.draw_course import COMMIT_BYTES_MAX, Progress
from hub.draws.draw_endings import conclude
from hub.draws.receiving import Receiver
from protocol import disk_consignments
from protocol.consignments import Consignment, check_list, list_digest
from protocol.disk_consignments import DATA_NAME, LIST_BYTES_MAX, LIST_NAME, SIGNATURE_NAME
from protocol.errors import BadFile, DanglianError, Refused
from protocol.sites import Site, parse_site
from protocol.wording import Text
from replication.consigned_files import ConsignedFolder, FileUnfit
from replication.database import Database
from replication.keys import verified

PIECE_BYTES = 1024 * 1024
"""Bytes read at once."""

_SEE_DISK = Text(zh="请核对移动盘，或请该站重新写出。", en="Look at the disk, or have the site write it again.")


class BroughtConsignment(msgspec.Struct, frozen=True, kw_only=True):
    """A consignment on a disk whose signature holds."""

    site: Site
    consignment: Consignment
    folder: Path


def read_disk(folder: Path, keys_of: Callable[[Site], Collection[str]]) -> BroughtConsignment:
    """Read what a disk says of itself.

    Raises:
        BadFile: the folder holds no consignment, or not all of one.
        Refused: no valid key of the site has signed it.
        BadValue: its list names files that cannot be taken.

    """
    try:
        if (folder / LIST_NAME).stat().st_size > LIST_BYTES_MAX:
            raise BadFile(Text(zh="移送清单过大", en="the list is too large"), _SEE_DISK)
        encoded = (folder / LIST_NAME).read_bytes()
        signature = bytes.fromhex((folder / SIGNATURE_NAME).read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise BadFile(
            Text(zh=f"{folder} 中没有完整的移送", en=f"{folder} holds no whole consignment"), _SEE_DISK
        ) from error
    listed = disk_consignments.decode(encoded)
    site = parse_site(listed.site)
    if listed.node not in keys_of(site) or not verified(listed.node, signature, disk_consignments.signed_part(encoded)):
        raise Refused(
            Text(
                zh="移送清单没有该站有效密钥的签名",
                en="the list does not bear the signature of a valid key of its site",
            ),
            _SEE_DISK,
        )
    check_list(listed.files)
    return BroughtConsignment(
        site=site,
        consignment=Consignment(consignment_id=listed.consignment_id, files=listed.files),
        folder=folder,
    )


async def take_in(
    database: Database, brought: BroughtConsignment, into: Path, clock_ms: Callable[[], int], progress: Progress
) -> None:
    """Copy what is still missing from a disk, verify it, and note it; done again, it changes nothing.

    Raises:
        Retryable: a disk cannot be read or written, or is full; the next attempt goes on.
        BadFiles: some files are not on the disk as listed; all others are here.
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
    brought: BroughtConsignment,
    receiver: Receiver,
    clock_ms: Callable[[], int],
    progress: Progress,
) -> None:
    await asyncio.to_thread(receiver.prepare)
    await asyncio.to_thread(receiver.make_empty)
    consignment_id: UUID = brought.consignment.consignment_id
    folder = ConsignedFolder(brought.folder / DATA_NAME)
    total = receiver.total_bytes
    spans = receiver.spans()
    here = total - sum(end - start for start, end in spans)
    while True:
        steps = _steps(brought.consignment, folder, receiver, spans)
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


def _steps(
    consigned: Consignment, folder: ConsignedFolder, receiver: Receiver, spans: list[tuple[int, int]]
) -> Iterator[int]:
    """Copy piece by piece; yields the bytes of each, 0 for a file that cannot be had."""
    for start, end in spans:
        at = start
        while at < end:
            position, begins, _ = receiver.file_at(at)
            listed, skip = consigned.files[position], at - begins
            try:
                piece = folder.read(listed, skip, min(PIECE_BYTES, listed.size_bytes - skip, end - at))
            except FileUnfit as unfit:
                at = receiver.fail(at, unfit.fault)
                yield 0
                continue
            receiver.feed(at, piece)
            at += len(piece)
            yield len(piece)
