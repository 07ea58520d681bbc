"""One open draw at the hub: the questions to the site, and its sealed answers, opened."""

import asyncio
import collections
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Collection
from uuid import UUID

import msgspec

from protocol import subjects
from protocol.consignments import ConsignedFile, check_list, list_digest
from protocol.draws import (
    CHUNK_MAGIC,
    OPENING_MAGIC,
    ChunkHead,
    DrawWord,
    DrawWordKind,
    OpenDraw,
    Opening,
    ReadChunk,
    ReadList,
    Sealed,
    decode_opening,
    decode_word,
    encode_question,
    read_head,
)
from protocol.errors import BadFrame, BadValue, CallTimeout, DanglianError, NotYet, Refused, Retryable
from protocol.file_lists import FileList
from protocol.limits import CONSIGNMENT_FILES_MAX
from protocol.sites import Site
from protocol.wording import Text
from replication.allocation import keep_pieces
from replication.bus import Bus, Message, Subscription
from replication.faults import FaultKind
from replication.keys import Identity, verified
from replication.sealed_chunks import ChunkSeal, unpack_page

PAGE_S = 15.0
"""Seconds that a site may take to send a page of its list."""

ASKED_TIMES = 3
"""Times that a page is asked for before the site counts as silent."""

OPENINGS_S = (3.0, 12.0, 30.0)
"""Seconds after which a site is asked once more what it offers: one that has just come up heard nothing at first."""

HEARD_MAX = 1_024
"""Answers of one draw that wait for their turn: more than can be under way at once."""


class Arrived(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message of an open draw: a sealed one with its head, or a word."""

    head: ChunkHead | None = None
    frame: bytes = b""
    word: DrawWord | None = None


class DrawSession:
    """An open draw: asks, and hands out what arrives in the order of arrival."""

    def __init__(self, desk: "DrawDesk", site: Site, opening: Opening, seal: ChunkSeal) -> None:
        self.opening = opening
        self.site = site
        self.seal = seal
        self.arrivals: collections.deque[Arrived] = collections.deque()
        self.news = asyncio.Event()
        """Set when something has arrived; whoever waits clears it."""
        self._desk = desk

    async def ask(self, offset: int, size_bytes: int) -> None:
        """Ask for a range of the row of bytes.

        Raises:
            LinkDown, CallTimeout: the question could not be sent.

        """
        question = ReadChunk(drawer=self._desk.name, session=self.opening.session, offset=offset, size_bytes=size_bytes)
        await self._desk.bus.publish(subjects.draw(self.site), encode_question(question))

    async def files(self) -> FileList:
        """Fetch the whole list, page by page.

        Raises:
            Retryable: the site does not answer.
            Refused: the list is not the one that the site signed, or cannot be taken.

        """
        if self.opening.files > CONSIGNMENT_FILES_MAX:
            raise _bad_list()
        files = FileList()
        try:
            while len(files) < self.opening.files:
                page = await self._page(len(files))
                if not page:
                    break
                files.extend(page)
        except (ValueError, OverflowError) as error:
            raise _bad_list() from error
        if await asyncio.to_thread(list_digest, files) != self.opening.list_digest:
            raise _bad_list()
        try:
            await asyncio.to_thread(check_list, files)
        except BadValue as error:
            raise Refused(error.reason, error.hint) from error
        return files

    async def _page(self, position: int) -> tuple[ConsignedFile, ...]:
        question = ReadList(drawer=self._desk.name, session=self.opening.session, position=position)
        last: Retryable = silent()
        for _ in range(ASKED_TIMES):
            await self._desk.bus.publish(subjects.draw(self.site), encode_question(question))
            try:
                async with asyncio.timeout(PAGE_S):
                    return await self._come(position)
            except TimeoutError:
                last = silent()
            except BadFrame:
                self._desk.bus.note_fault(FaultKind.BAD_MESSAGE, self.site.code)
                last = damaged()
        raise last

    async def _come(self, position: int) -> tuple[ConsignedFile, ...]:
        """Wait for a page of the list; what else comes belongs to questions of before."""
        while True:
            arrived = await self._next()
            if arrived.word is not None:
                raise said(arrived.word)
            head = arrived.head
            if head is not None and (head.kind, head.offset) == (Sealed.PAGE, position):
                return unpack_page(self.seal.opened(head, arrived.frame)).files

    async def _next(self) -> Arrived:
        while not self.arrivals:
            self.news.clear()
            await self.news.wait()
        return self.arrivals.popleft()

    def hear(self, arrived: Arrived) -> bool:
        """Take what has arrived; False if too much waits already."""
        if len(self.arrivals) >= HEARD_MAX:
            return False
        self.arrivals.append(arrived)
        self.news.set()
        return True


class DrawDesk:
    """Hears all answers to one drawer, and gives each to the draw that it belongs to."""

    def __init__(self, bus: Bus, identity: Identity, keys_of: Callable[[Site], Collection[str]], name: str) -> None:
        self.bus = bus
        self.name = name
        self._identity = identity
        self._keys_of = keys_of
        self._subscription: Subscription | None = None
        self._open_draws = 0
        self._turning = asyncio.Lock()
        self._sessions: dict[str, DrawSession] = {}
        self._openings: dict[str, tuple[Site, asyncio.Future[Message]]] = {}

    @contextlib.asynccontextmanager
    async def session(self, site: Site, consignment_id: UUID) -> AsyncIterator[DrawSession]:
        """Open a draw at a site.

        Raises:
            Retryable: the site does not answer, or gives nothing now.
            Refused: it offers no such thing, or is not who it says.

        """
        keep_pieces()
        async with self._hearing():
            opening, key = await self._open(site, consignment_id)
            seal = ChunkSeal(key, site.code, consignment_id, opening.session)
            session = self._sessions[opening.session] = DrawSession(self, site, opening, seal)
            try:
                yield session
            finally:
                del self._sessions[opening.session]

    @contextlib.asynccontextmanager
    async def _hearing(self) -> AsyncIterator[None]:
        """Hear answers while some draw is open."""
        async with self._turning:
            if self._subscription is None:
                self._subscription = await self.bus.subscribe(subjects.drawn_to(self.name), self._hear)
            self._open_draws += 1
        try:
            yield
        finally:
            async with self._turning:
                self._open_draws -= 1
                if not self._open_draws:
                    await self._subscription.close()
                    self._subscription = None

    async def _open(self, site: Site, consignment_id: UUID) -> tuple[Opening, bytes]:
        question = OpenDraw(drawer=self.name, question=secrets.token_hex(8), consignment_id=consignment_id)
        for within_s in OPENINGS_S:
            answer = asyncio.get_running_loop().create_future()
            self._openings[question.question] = site, answer
            try:
                await self.bus.publish(subjects.draw(site), encode_question(question))
                async with asyncio.timeout(within_s):
                    return self._read_opening(site, consignment_id, question, await answer)
            except TimeoutError:
                continue
            finally:
                del self._openings[question.question]
        raise silent()

    def _read_opening(
        self, site: Site, consignment_id: UUID, question: OpenDraw, message: Message
    ) -> tuple[Opening, bytes]:
        if not message.data.startswith(OPENING_MAGIC):
            raise said(decode_word(message.data))
        opening, signature, signed = decode_opening(message.data)
        is_ours = (opening.site, opening.consignment_id, opening.question) == (
            site.code,
            consignment_id,
            question.question,
        )
        is_known = opening.node in self._keys_of(site) and verified(opening.node, signature, signed)
        if not is_ours or not is_known:
            raise Refused(
                Text(
                    zh=f"{site.code} 的答复没有该站有效密钥的签名",
                    en=f"the answer of {site.code} does not bear the signature of a valid key of that site",
                ),
                Text(
                    zh="请核对该站的安装是否已被吊销或更换（danglian-hub nodes）。",
                    en="See whether its installation was revoked or replaced (danglian-hub nodes).",
                ),
            )
        try:
            return opening, self._identity.opened(bytes.fromhex(opening.sealed_key))
        except ValueError as error:
            raise BadFrame(Text(zh="移送密钥无法解读", en="unreadable key of a draw")) from error

    def _hear(self, message: Message) -> None:
        try:
            site = subjects.site_of(message.subject)
            if message.data.startswith(OPENING_MAGIC):
                self._hear_opening(site, message, decode_opening(message.data)[0].question)
            elif message.data.startswith(CHUNK_MAGIC):
                head = read_head(message.data)
                self._hear_piece(site, head.session, Arrived(head=head, frame=message.data))
            else:
                word = decode_word(message.data)
                if word.question:
                    self._hear_opening(site, message, word.question)
                else:
                    self._hear_piece(site, word.session, Arrived(word=word))
        except (BadFrame, BadValue):
            self.bus.note_fault(FaultKind.BAD_MESSAGE, message.subject)

    def _hear_opening(self, site: Site, message: Message, question: str) -> None:
        asked = self._openings.get(question)
        if asked is not None and asked[0] == site and not asked[1].done():
            asked[1].set_result(message)

    def _hear_piece(self, site: Site, session: str, arrived: Arrived) -> None:
        # What belongs to a draw that is over is dropped: it was asked for again, or is no longer wanted.
        draw = self._sessions.get(session)
        if draw is None or draw.site != site:
            return
        if not draw.hear(arrived):
            self.bus.note_fault(FaultKind.MESSAGES_DROPPED, site.code)


def said(word: DrawWord) -> DanglianError:
    """Return the error for a site's word that ends a draw."""
    if word.kind == DrawWordKind.NOT_NOW:
        return NotYet(
            word.not_before_ms,
            Text(
                zh=f"该站只在 {word.hours} 传送文件，{word.hours[:5]} 之前不传",
                en=f"the site sends files at {word.hours} only: not before {word.hours[:5]}",
            ),
            Text(
                zh="到时会自动继续；急用时可请该站把文件写到移动盘送来。",
                en="It goes on by itself then. If it is urgent, have the site write the files to a disk.",
            ),
        )
    if word.kind == DrawWordKind.GONE:
        return Retryable(
            Text(zh="该站的程序重新启动过", en="the site's program was started again"),
            Text(zh="会自动重新开始并从断点继续。", en="It begins again by itself and goes on from where it stopped."),
        )
    if word.kind == DrawWordKind.UNKNOWN:
        return Refused(
            Text(zh="该站没有（或已撤回）这批文件", en="the site offers no such files, or took them back"),
            Text(zh="请与该站核对移交包的编号。", en="Compare the package's id with the site."),
        )
    reason = word.reason or Text(zh="该站拒绝传送", en="the site refuses")
    return Refused(reason)


def silent() -> CallTimeout:
    """Return the error of a site that does not answer."""
    return CallTimeout(
        Text(zh="该站没有应答", en="the site does not answer"),
        Text(zh="该站联网后会从断点继续。", en="It goes on from where it stopped once the site is heard again."),
    )


def damaged() -> Retryable:
    """Return the error of an answer that was damaged on the way."""
    return Retryable(
        Text(zh="传来的一块数据已损坏", en="a piece was damaged on the way"),
        Text(zh="会自动重新取。", en="It is fetched again by itself."),
    )


def _bad_list() -> Refused:
    return Refused(
        Text(zh="该站的文件清单与其签名不符", en="the site's list of files is not the one that it signed"),
        Text(
            zh="请该站重新整理移交包，以新的编号提供。",
            en="Have the site put the package together again, with a new id.",
        ),
    )
