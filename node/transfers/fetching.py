"""Fetching: a township draws the files of a village's package from the hub, which fetched them from the village.

One stretch is under way at a time. A stretch that does not come, or comes damaged, is asked for again; whatever is on
the disk is never asked for a second time. The site's own hours and pace hold here as they do for what it gives
(``carriage_rules``).
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

from node.carriage_rules import CarriageRules
from node.transfers.arriving import Arrival
from protocol import subjects
from protocol.consignments import ConsignedFile, check_list, list_digest
from protocol.errors import BadFile, BadFrame, BadValue, CallTimeout, NotYet, Refused, Retryable
from protocol.file_lists import FileList
from protocol.limits import CONSIGNMENT_FILES_MAX
from protocol.relays import (
    STRETCH_BYTES_MAX,
    Passed,
    PassQuestion,
    PassWord,
    decode_passed,
    encode_asked,
    is_asked,
)
from protocol.sites import Site
from protocol.transfer_folds import Transfer
from protocol.wording import Text
from replication.bus import Bus, Message
from replication.faults import FaultKind
from replication.keys import Identity
from replication.sealed_chunks import unpack_page

ANSWER_S = 60.0
"""Seconds within which a stretch comes over the slowest line: 4 kB/s."""

TRIES = 3
"""Times that a stretch is asked for before the attempt is given up for now."""

Told = Callable[[int, int], None]
"""Hears bytes that are here, and all bytes."""

T = TypeVar("T")


class Fetcher:
    """Draws files from the hub; use it inside ``hearing``."""

    def __init__(self, bus: Bus, site: Site, identity: Identity, rules: CarriageRules) -> None:
        self._bus = bus
        self._site = site
        self._identity = identity
        self._rules = rules
        self._awaited: dict[str, asyncio.Future[Passed]] = {}

    @contextlib.asynccontextmanager
    async def hearing(self) -> AsyncIterator["Fetcher"]:
        """Hear the hub's answers for as long as the context lasts."""
        hearing = await self._bus.subscribe(subjects.held(self._site), self._hear)
        try:
            yield self
        finally:
            await hearing.close()

    def _hear(self, message: Message) -> None:
        if not is_asked(message.data):
            return
        try:
            answer = decode_passed(message.data)
        except BadValue:
            self._bus.note_fault(FaultKind.BAD_MESSAGE, message.subject)
            return
        awaited = self._awaited.get(answer.question)
        if awaited is not None and not awaited.done():
            awaited.set_result(answer)

    async def fetch(self, now: Transfer, into: Path, told: Told) -> FileList:
        """Fetch the package of the present round, what is missing of it; return the list of its files.

        Raises:
            NotYet: outside the hours of this site, or the hub has not got it from the giver yet.
            Retryable: the line or the disk; what came stays.
            BadFile: what comes is damaged each time; the file is named.
            Permanent: the hub has not what the giver submitted.

        """
        files = await self._list(now)
        arrival = Arrival(into, files)
        await asyncio.to_thread(arrival.prepare)
        told(arrival.mark, arrival.total_bytes)
        try:
            while not arrival.is_whole:
                not_before_ms = self._rules.not_before_ms()
                if not_before_ms:
                    raise NotYet(not_before_ms, _CLOSED)
                size_bytes = min(STRETCH_BYTES_MAX, arrival.total_bytes - arrival.mark)
                await self._rules.pacer.let_pass(size_bytes)
                piece = await self._bytes(now, arrival.mark, size_bytes, arrival.wanted)
                await asyncio.to_thread(arrival.feed, piece)
                told(arrival.mark, arrival.total_bytes)
        finally:
            await asyncio.to_thread(arrival.close)
        return files

    async def _list(self, now: Transfer) -> FileList:
        files, other = FileList(), Refused(_OTHER_LIST)
        while True:
            answer, page = await self._ask(self._question(now, position=len(files)), _page, _LIST)
            try:
                files.extend(page)
            except (ValueError, OverflowError) as error:
                raise other from error
            if not page or len(files) >= min(answer.files, CONSIGNMENT_FILES_MAX):
                break
        if await asyncio.to_thread(list_digest, files) != now.list_digest:
            raise other
        await asyncio.to_thread(check_list, files)
        return files

    async def _bytes(self, now: Transfer, offset: int, size_bytes: int, path: str) -> bytes:
        question = self._question(now, offset=offset, size_bytes=size_bytes)
        _, piece = await self._ask(question, bytes, Text(zh=path, en=path))
        if not piece:
            raise Retryable(Text(zh="县馆给出的内容为空", en="the hub gave an empty stretch"))
        return piece

    def _question(self, now: Transfer, *, position: int = -1, offset: int = 0, size_bytes: int = 0) -> PassQuestion:
        return PassQuestion(
            question=secrets.token_hex(8),
            site=self._site.code,
            key=self._identity.public_key,
            transfer=now.transfer_id,
            round=now.round,
            position=position,
            offset=offset,
            size_bytes=size_bytes,
        )

    async def _ask(self, question: PassQuestion, read: Callable[[bytes], T], what: Text) -> tuple[Passed, T]:
        """Return an answer and what is in it; one that was damaged on the way counts as one that did not come."""
        damaged = 0
        for _ in range(TRIES):
            answer = await self._answer(question)
            if answer is None:
                continue
            if answer.word is PassWord.NOT_YET:
                raise NotYet(0, _hub_fetches(answer))
            if answer.word is not PassWord.HERE:
                raise Retryable(_GONE)
            try:
                return answer, read(self._identity.opened(answer.sealed))
            except (BadValue, BadFrame):
                damaged += 1
                self._bus.note_fault(FaultKind.BAD_MESSAGE, subjects.held(self._site))
        if damaged == TRIES:
            raise BadFile(
                Text(zh=f"{what.zh} 多次收到的内容都已损坏", en=f"{what.en} came damaged each time"),
                Text(zh="请与县馆联系，查线路。", en="Ask the county; look at the line."),
            )
        raise CallTimeout(Text(zh="县馆没有回应", en="the hub does not answer"))

    async def _answer(self, question: PassQuestion) -> Passed | None:
        """Ask once; None if nothing came within ``ANSWER_S``."""
        awaited: asyncio.Future[Passed] = asyncio.get_running_loop().create_future()
        self._awaited[question.question] = awaited
        try:
            await self._bus.publish(subjects.fetch(self._site), encode_asked(question))
            async with asyncio.timeout(ANSWER_S):
                return await awaited
        except TimeoutError:
            return None
        finally:
            self._awaited.pop(question.question, None)


def _page(packed: bytes) -> tuple[ConsignedFile, ...]:
    return unpack_page(packed).files


_LIST = Text(zh="文件清单", en="the list of files")
_OTHER_LIST = Text(zh="文件清单与移交单位提交的不符", en="the list of files is not the one submitted")
_CLOSED = Text(zh="不在本站设定的传输时段内", en="outside of the hours that this site has for files")
_GONE = Text(zh="县馆没有可供提取的文件", en="the hub has no files to be drawn")


def _hub_fetches(answer: Passed) -> Text:
    share = answer.done_bytes / answer.total_bytes if answer.total_bytes else 0.0
    return Text(
        zh=f"县馆正在从移交单位提取（{share:.0%}）", en=f"the hub is still fetching from the giver ({share:.0%})"
    )
