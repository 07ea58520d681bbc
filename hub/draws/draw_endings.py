"""How a draw ends once everything has come that could: done, or with the files named that did not come."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog

from hub.draws import draw_book
from hub.draws.draw_book import FaultyFile
from hub.draws.receiving import Receiver
from protocol.consignments import FAULT_WORDS, ConsignedFile, FileFault
from protocol.errors import BadFiles, Retryable
from protocol.sites import Site
from protocol.wording import Count, Text
from replication.database import Database

_FAULTS_TOLD = 10

log = structlog.get_logger(__name__)


async def conclude(
    database: Database, site: Site, consignment_id: UUID, files: Sequence[ConsignedFile], receiver: Receiver
) -> None:
    """Note the end of a draw.

    Raises:
        BadFiles: some files are not as listed where they were to be read.
        Retryable: some files merely could not be read now.

    """
    faulty = receiver.faulty
    if not faulty:
        await asyncio.to_thread(receiver.clear)
        await database.write(lambda connection: draw_book.note_state(connection, site, consignment_id, None))
        log.info("draw_done", site=site.code, consignment=str(consignment_id), files=len(files))
        return
    error = faults_error(faulty, files)
    await database.write(lambda connection: draw_book.note_faulty(connection, site, consignment_id, error.reason))
    log.info("draw_faulty", site=site.code, consignment=str(consignment_id), faulty=len(faulty))
    raise error


def faults_error(faulty: Sequence[FaultyFile], files: Sequence[ConsignedFile]) -> BadFiles | Retryable:
    """Return the error of files that did not come: worth another attempt only if they can merely not be read now."""
    told = [(files[one.position].path, FAULT_WORDS[one.fault]) for one in faulty[:_FAULTS_TOLD]]
    reason = Text(
        zh=f"{len(faulty)} 个文件未能取到：" + "；".join(f"{path} {words.zh}" for path, words in told),
        en=f"{Count(len(faulty)):file|files} did not come: " + "; ".join(f"{path} {words.en}" for path, words in told),
    )
    if all(one.fault is FileFault.UNREADABLE for one in faulty):
        return Retryable(
            reason,
            Text(
                zh="请该站关闭正在使用这些文件的程序；稍后会自动再取。",
                en="Have the site close whatever uses these files; they are fetched again by themselves.",
            ),
        )
    return BadFiles(
        tuple((files[one.position].path, one.fault.value) for one in faulty),
        reason,
        Text(
            zh="其余文件均已收到。请该站恢复这些文件后再取，或整理新的移交包。",
            en="All other files are here. Have the site put these back and fetch again, or make a new package.",
        ),
    )
