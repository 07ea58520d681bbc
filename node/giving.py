"""Giving: the site answers the hub that fetches what was offered; see ``protocol.draws``.

Files are read where they lie, a range at a time, and nothing is kept: memory is the ranges that are being read. The
hub decides how many it wants at once; the site's own rules decide when and how fast they leave.
"""

import asyncio
import bisect
import os
from pathlib import Path

import structlog

from node.carriage_rules import CarriageRules
from node.consigning import ListStretch, Offer, offered, stretch_at, stretch_from
from protocol import subjects
from protocol.consignments import FileFault, starts_of
from protocol.draws import (
    KEY_BYTES,
    SESSION_BYTES,
    DrawQuestion,
    DrawWord,
    DrawWordKind,
    ListPage,
    OpenDraw,
    Opening,
    ReadChunk,
    ReadList,
    Sealed,
    decode_question,
    encode_opening,
    encode_word,
    opening_json,
    signed_part,
)
from protocol.errors import BadValue, Retryable
from protocol.limits import CHUNK_BYTES_MAX, CHUNKS_WAITING_MAX, LIST_PAGE_FILES_MAX
from protocol.sites import Site
from protocol.wording import Text
from replication.allocation import keep_pieces
from replication.bus import Bus, Message
from replication.consigned_files import ConsignedFolder, FileUnfit
from replication.database import Database
from replication.faults import FaultKind
from replication.keys import Identity, sealed_for
from replication.sealed_chunks import ChunkSeal, pack_page

DRAWS_MAX = 8
"""Draws that are open at once; whoever lost his opens it again."""

STRETCH_FILES = 2_000
"""Lines of a list that an open draw keeps at hand."""

READERS = 2
"""Ranges that are read at the same time: one is sealed while the other is read."""

_NO_HUB_KEY = Text(
    zh="本站配置中没有枢纽公钥（hub.key），无法加密",
    en="this site's settings name no key of the hub: nothing can be sealed",
)

log = structlog.get_logger(__name__)


class _Stretch:
    """Some lines of a list, with the places where their files begin."""

    def __init__(self, lines: ListStretch) -> None:
        self.first = lines.first
        self.files = lines.files
        self.starts = [lines.start, *(start + lines.start for start in starts_of(lines.files)[1:])]

    def holds(self, offset: int) -> bool:
        """Tell whether a place in the row of bytes lies in one of these files."""
        return self.starts[0] <= offset < self.starts[-1]


class _Draw:
    """One open draw."""

    def __init__(self, offer: Offer, session: str, key: bytes, site: str) -> None:
        self.offer = offer
        self.session = session
        self.seal = ChunkSeal(key, site, offer.consignment_id, session)
        self.folder = ConsignedFolder(Path(offer.root))
        self.stretches: list[_Stretch] = []
        """The last ones that were read from."""

    def read(self, stretch: _Stretch, offset: int, size_bytes: int) -> bytes:
        """Return the sealed range, shorter where the lines at hand end or a file cannot be read.

        Raises:
            FileUnfit: the file in which the range begins cannot be read as listed.

        """
        position = bisect.bisect_right(stretch.starts, offset) - 1
        end = min(offset + size_bytes, stretch.starts[-1])
        parts: list[bytes] = []
        at = offset
        while at < end:
            listed, start = stretch.files[position], stretch.starts[position]
            wanted = min(end, start + listed.size_bytes) - at
            if wanted:
                try:
                    parts.append(self.folder.read(listed, at - start, wanted))
                except FileUnfit:
                    if not parts:
                        raise
                    break
            at += wanted
            position += 1
        plain = parts[0] if len(parts) == 1 else b"".join(parts)
        # A range is a megabyte: no more of them is held at once than must be.
        del parts
        return self.seal.sealed(Sealed.CHUNK, offset, plain)


class Giver:
    """Answers draws; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        site: Site,
        identity: Identity,
        hub_key: str,
        rules: CarriageRules,
    ) -> None:
        self._database = database
        self._bus = bus
        self._site = site
        self._identity = identity
        self._hub_key = hub_key
        self._rules = rules
        self._draws: dict[str, _Draw] = {}
        self._waiting: asyncio.Queue[DrawQuestion] = asyncio.Queue(CHUNKS_WAITING_MAX)

    async def run(self) -> None:
        """Answer until cancelled."""
        hearing = await self._bus.subscribe(subjects.draw(self._site), self._hear)
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(READERS):
                    tasks.create_task(self._work(), name=f"giving {number}")
        finally:
            await hearing.close()

    def _hear(self, message: Message) -> None:
        try:
            self._waiting.put_nowait(decode_question(message.data))
        except BadValue:
            self._bus.note_fault(FaultKind.BAD_MESSAGE, message.subject)
        except asyncio.QueueFull:
            # Whoever asked sees that nothing comes, and asks again for less.
            self._bus.note_fault(FaultKind.MESSAGES_DROPPED, message.subject)

    async def _work(self) -> None:
        while True:
            question = await self._waiting.get()
            try:
                subject = subjects.drawn(self._site, question.drawer)
                await self._bus.publish(subject, await self._answer(question))
            except BadValue:
                self._bus.note_fault(FaultKind.BAD_MESSAGE, subjects.draw(self._site))
            except Retryable as error:
                # The link went with the question, or the store is busy: the hub asks again.
                log.info("draw_not_answered", reason=error.reason.en)

    async def _answer(self, question: DrawQuestion) -> bytes:
        if isinstance(question, OpenDraw):
            return await self._open(question)
        draw = self._draws.get(question.session)
        offset = question.offset if isinstance(question, ReadChunk) else 0
        if draw is None:
            return _word(DrawWordKind.GONE, question.session, offset)
        if isinstance(question, ReadList):
            return await self._page(draw, question.position)
        return await self._chunk(draw, question.offset, min(question.size_bytes, CHUNK_BYTES_MAX))

    async def _open(self, question: OpenDraw) -> bytes:
        offer = await self._database.read(lambda connection: offered(connection, question.consignment_id))
        if offer is None:
            return encode_word(DrawWord(kind=DrawWordKind.UNKNOWN, question=question.question))
        if not self._hub_key:
            return encode_word(DrawWord(kind=DrawWordKind.REFUSED, question=question.question, reason=_NO_HUB_KEY))
        # Not before: a site that never gives anything keeps its memory small.
        keep_pieces()
        key, session = os.urandom(KEY_BYTES), os.urandom(SESSION_BYTES).hex()
        while len(self._draws) >= DRAWS_MAX:
            del self._draws[next(iter(self._draws))]
        self._draws[session] = _Draw(offer, session, key, self._site.code)
        encoded = opening_json(
            Opening(
                question=question.question,
                site=self._site.code,
                node=self._identity.public_key,
                consignment_id=offer.consignment_id,
                session=session,
                sealed_key=sealed_for(self._hub_key, key).hex(),
                files=offer.files,
                size_bytes=offer.size_bytes,
                list_digest=offer.list_digest,
            )
        )
        log.info("draw_opened", consignment=str(offer.consignment_id), files=offer.files, bytes=offer.size_bytes)
        return encode_opening(self._identity.sign(signed_part(encoded)), encoded)

    async def _page(self, draw: _Draw, position: int) -> bytes:
        key = draw.offer.consignment_id
        lines = await self._database.read(
            lambda connection: stretch_from(connection, key, position, LIST_PAGE_FILES_MAX)
        )
        page = ListPage(files=lines.files if lines is not None else ())
        return await asyncio.to_thread(lambda: draw.seal.sealed(Sealed.PAGE, position, pack_page(page)))

    async def _chunk(self, draw: _Draw, offset: int, size_bytes: int) -> bytes:
        if not draw.offer.any_hour and (begins_ms := self._rules.not_before_ms()):
            return _not_now(draw, offset, begins_ms, self._rules)
        stretch = await self._stretch(draw, offset)
        if stretch is None:
            return _word(DrawWordKind.UNKNOWN, draw.session, offset)
        await self._rules.pacer.let_pass(size_bytes)
        try:
            return await asyncio.to_thread(draw.read, stretch, offset, size_bytes)
        except FileUnfit as unfit:
            return _file_word(draw, stretch, offset, unfit.fault)

    async def _stretch(self, draw: _Draw, offset: int) -> _Stretch | None:
        """Return the lines around a place; None if the offer was taken back, or the place is none."""
        held = next((one for one in draw.stretches if one.holds(offset)), None)
        if held is not None:
            return held
        key = draw.offer.consignment_id
        lines = await self._database.read(lambda connection: stretch_at(connection, key, offset, STRETCH_FILES))
        if lines is None:
            return None
        read = _Stretch(lines)
        draw.stretches = [*draw.stretches[1 - READERS :], read]
        return read if read.holds(offset) else None


def _word(kind: DrawWordKind, session: str, offset: int) -> bytes:
    return encode_word(DrawWord(kind=kind, session=session, offset=offset))


def _not_now(draw: _Draw, offset: int, begins_ms: int, rules: CarriageRules) -> bytes:
    hours = rules.window.written if rules.window is not None else ""
    return encode_word(
        DrawWord(kind=DrawWordKind.NOT_NOW, session=draw.session, offset=offset, not_before_ms=begins_ms, hours=hours)
    )


def _file_word(draw: _Draw, stretch: _Stretch, offset: int, fault: FileFault) -> bytes:
    number = bisect.bisect_right(stretch.starts, offset) - 1
    return encode_word(
        DrawWord(
            kind=DrawWordKind.FILE,
            session=draw.session,
            offset=offset,
            position=stretch.first + number,
            fault=fault,
        )
    )
