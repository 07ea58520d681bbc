"""Passing on: the receiver of a transfer between two sites draws its files from the hub, stretch by stretch.

The receiver asks and the hub answers, so the pace is the receiver's, and nothing is remembered here about how far it
is: the next question says so. Every answer is sealed for the key of the installation that asked.
"""

import asyncio
import bisect
from collections.abc import Callable, Collection
from pathlib import Path
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import Connection

from hub.transfers.witnessing import place_of
from protocol import subjects
from protocol.draws import ListPage
from protocol.errors import BadValue, DanglianError
from protocol.file_lists import FileList
from protocol.limits import LIST_PAGE_FILES_MAX
from protocol.relays import Passed, PassQuestion, PassWord, decode_asked, encode_passed, is_asked
from protocol.sites import parse_site
from protocol.transfers import TransferState
from replication import transfer_rounds
from replication.bus import Bus, Message
from replication.consigned_files import ConsignedFolder, FileUnfit
from replication.database import Database
from replication.faults import FaultKind
from replication.keys import sealed_for
from replication.sealed_chunks import pack_page
from replication.transfer_arrivals import Way, comes_by, waits_for_disk
from replication.transfer_log import WITNESS, role_of, transfer_of
from replication.transfer_packages import list_of, read_list

QUESTIONS_WAITING_MAX = 64
"""Questions that wait; who was not heard asks again."""

AT_ONCE = 2
"""Stretches that are read at the same time."""

log = structlog.get_logger(__name__)

KeysOf = Callable[[Connection, str], Collection[str]]


class _Package(msgspec.Struct, frozen=True):
    """A package that is here whole."""

    folder: ConsignedFolder
    files: FileList


class PassDesk:
    """Answers the receivers; ``run`` is its loop."""

    def __init__(self, database: Database, bus: Bus, root: Path, keys_of: KeysOf) -> None:
        self._database = database
        self._bus = bus
        self._root = root
        self._keys_of = keys_of
        self._waiting: asyncio.Queue[PassQuestion] = asyncio.Queue(QUESTIONS_WAITING_MAX)
        self._latest: tuple[tuple[UUID, int], _Package] | None = None

    async def run(self) -> None:
        """Answer until cancelled."""
        hearing = await self._bus.subscribe(subjects.FETCH_SUBJECTS, self._hear)
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(AT_ONCE):
                    tasks.create_task(self._work(), name=f"passing {number}")
        finally:
            await hearing.close()

    def _hear(self, message: Message) -> None:
        if not is_asked(message.data):
            return
        try:
            asked = decode_asked(message.data)
            if subjects.site_of(message.subject).code != asked.site:
                self._bus.note_fault(FaultKind.FOREIGN_MESSAGE, message.subject)
                return
            self._waiting.put_nowait(asked)
        except BadValue:
            self._bus.note_fault(FaultKind.BAD_MESSAGE, message.subject)
        except asyncio.QueueFull:
            self._bus.note_fault(FaultKind.MESSAGES_DROPPED, message.subject)

    async def _work(self) -> None:
        while True:
            asked = await self._waiting.get()
            try:
                answer = await self.answer(asked)
                await self._bus.publish(subjects.held(parse_site(asked.site)), encode_passed(answer))
            except DanglianError as error:
                # The link went, or the store is busy: whoever asked asks again.
                log.info("passing_not_answered", reason=error.reason.en)

    async def answer(self, asked: PassQuestion) -> Passed:
        """Return what is to be said to a question.

        Who asks although a courier was announced has no disk, or one that lacks files: the line carries them then.
        """
        word = await self._database.read(lambda c: self._word(c, asked))
        if word.word is PassWord.NOT_YET:
            await self._database.write(lambda c: _by_line(c, asked.transfer))
        if word.word is not PassWord.HERE:
            return word
        try:
            return await asyncio.to_thread(self._read, asked)
        except (OSError, FileUnfit):
            # It was removed meanwhile, because the receiver has it all.
            return Passed(question=asked.question, word=PassWord.GONE)

    def _word(self, connection: Connection, asked: PassQuestion) -> Passed:
        now = transfer_of(connection, asked.transfer)
        is_theirs = (
            now is not None
            and role_of(connection, asked.transfer) == WITNESS
            and (now.receiver_site, now.round, now.state) == (asked.site, asked.round, TransferState.SUBMITTED)
            and asked.key in self._keys_of(connection, asked.site)
        )
        if not is_theirs:
            return Passed(question=asked.question, word=PassWord.GONE)
        if list_of(place_of(self._root, asked.transfer, asked.round)).is_file():
            return Passed(question=asked.question, word=PassWord.HERE)
        work = transfer_rounds.round_of(connection, asked.transfer, asked.round)
        return Passed(
            question=asked.question,
            word=PassWord.NOT_YET,
            done_bytes=work.done_bytes if work else 0,
            total_bytes=work.total_bytes if work else 0,
        )

    def _read(self, asked: PassQuestion) -> Passed:
        package = self._package(asked)
        if asked.position >= 0:
            some = package.files[asked.position : asked.position + LIST_PAGE_FILES_MAX]
            plain = pack_page(ListPage(files=some))
        else:
            plain = _stretch(package, asked.offset, asked.size_bytes)
        return Passed(
            question=asked.question,
            word=PassWord.HERE,
            total_bytes=package.files.size_bytes,
            files=len(package.files),
            sealed=sealed_for(asked.key, plain),
        )

    def _package(self, asked: PassQuestion) -> _Package:
        key, latest = (asked.transfer, asked.round), self._latest
        if latest is not None and latest[0] == key:
            return latest[1]
        place = place_of(self._root, asked.transfer, asked.round)
        files = read_list(place)
        if files is None:
            raise FileNotFoundError(list_of(place))
        package = _Package(ConsignedFolder(place), files)
        self._latest = key, package
        return package


def _by_line(connection: Connection, transfer_id: UUID) -> None:
    now = transfer_of(connection, transfer_id)
    if now is not None and waits_for_disk(connection, now):
        comes_by(connection, now, Way.LINE)


def _stretch(package: _Package, offset: int, size_bytes: int) -> bytes:
    """Return a stretch of the row of all bytes, as far as there are any."""
    starts = package.files.starts
    end = min(offset + size_bytes, starts[-1])
    position = bisect.bisect_right(starts, offset) - 1
    parts: list[bytes] = []
    at = offset
    while at < end:
        listed, start = package.files[position], starts[position]
        wanted = min(end, start + listed.size_bytes) - at
        if wanted > 0:
            parts.append(package.folder.read(listed, at - start, wanted))
            at += wanted
        position += 1
    return b"".join(parts)
