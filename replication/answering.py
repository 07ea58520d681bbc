"""Answering calls: every question that can be read gets an answer in time, also if it is a no.

- The handler of the subscription only puts the question into a bounded queue; a few tasks work on it.
- A question is worked on for as long as its asker waits, counted from its arrival.
- A handler that fails answers that it failed, in both languages; the next question finds everything as before.
- A reply that is too large loses its last hits and keeps the exact total; another large answer becomes a refusal.
"""

import asyncio
import bisect
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog

from protocol import codec, subjects
from protocol.calls import Answer, Body, Correspondence, Found, Hits, Outcome, QuestionHead, Refusal, question_digest
from protocol.errors import BadValue, DanglianError, Permanent, Retryable, UnknownKind
from protocol.limits import (
    CALL_DEADLINE_S,
    LETTERS_BYTES_MAX,
    QUESTIONS_AT_ONCE_MAX,
    QUESTIONS_WAITING_MAX,
    RECORD_REPLY_BYTES_MAX,
    REPLY_BYTES_MAX,
)
from protocol.sites import Site
from protocol.wording import Text
from replication.bus import Bus, Message
from replication.faults import FaultKind, place_of

AsOf = tuple[str, int]
"""Epoch and position of the site's catalogue."""

Said = tuple[Outcome, Body | None] | tuple[Outcome, Body | None, AsOf]
"""What a handler returns; with a position where its words hold at exactly that one, as those about digests do."""

Handler = Callable[[Any], Awaitable[Said]]
"""Answers one kind of question; ``Any`` because each handler takes its own kind."""

_NOT_OFFERED = Text(zh="本站不提供这种查询。", en="this site does not offer that call")
_TOO_SLOW = Text(zh="本站未能在时限内完成查询。", en="this site could not finish in time")
_DEFECT = Text(zh="本站程序出错，已记录。", en="the program at this site failed; it is recorded there")
_TOO_LARGE = Text(zh="答复超过长度上限。", en="the answer is larger than a reply may be")

log = structlog.get_logger(__name__)


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How much a site does at once for those who ask."""

    deadline_s: float = CALL_DEADLINE_S
    at_once: int = QUESTIONS_AT_ONCE_MAX
    waiting_max: int = QUESTIONS_WAITING_MAX


async def answer_calls(
    bus: Bus,
    site: Site,
    position: Callable[[], AsOf],
    handlers: Mapping[type[QuestionHead], Handler],
    pace: Pace | None = None,
) -> None:
    """Answer the calls to a site, and those to every site, until cancelled.

    Args:
        bus: where calls come from and answers go to.
        site: whose name the answers carry.
        position: the site's epoch and latest position; read before the handler starts, so it never promises too much.
        handlers: what answers each kind of question.
        pace: how much is done at once.

    """
    desk = _Desk(bus, site, position, handlers, pace or Pace())
    hearing = [await bus.subscribe(subject, desk.hear) for subject in (subjects.ask_every(site), subjects.ASK_ALL)]
    try:
        async with asyncio.TaskGroup() as workers:
            for number in range(desk.pace.at_once):
                workers.create_task(desk.work(), name=f"answering {site.code} {number}")
    finally:
        for subscription in hearing:
            await subscription.close()


class _Desk:
    """The questions that wait at one site, and the work on them."""

    def __init__(
        self,
        bus: Bus,
        site: Site,
        position: Callable[[], AsOf],
        handlers: Mapping[type[QuestionHead], Handler],
        pace: Pace,
    ) -> None:
        self.pace = pace
        self._bus = bus
        self._site = site
        self._position = position
        self._handlers = handlers
        self._waiting: asyncio.Queue[tuple[Message, float]] = asyncio.Queue(pace.waiting_max)

    def hear(self, message: Message) -> None:
        """Queue a question; if there are too many, the oldest gives way."""
        if self._waiting.full():
            self._drop(self._waiting.get_nowait()[0])
        self._waiting.put_nowait((message, time.perf_counter()))

    async def work(self) -> None:
        """Answer one question after the other."""
        while True:
            message, heard_at = await self._waiting.get()
            if time.perf_counter() - heard_at > self.pace.deadline_s:
                self._drop(message)
                continue
            await self._answer(message, heard_at)

    def _drop(self, message: Message) -> None:
        self._bus.note_fault(FaultKind.MESSAGES_DROPPED, message.subject)

    async def _answer(self, message: Message, heard_at: float) -> None:
        try:
            subject = subjects.reply(self._site, *codec.asker_of(message.data))
        except BadValue:
            # Without the asker's name there is nobody to say it to; there the site is late, and here it is counted.
            self._bus.note_fault(FaultKind.BAD_MESSAGE, message.subject)
            return
        before = self._position()
        outcome, body, *exactly = await self._said(message.data, heard_at)
        epoch, seq = exactly[0] if exactly else before
        answer = Answer(
            site=self._site.code,
            epoch=epoch,
            seq=seq,
            took_ms=round((time.perf_counter() - heard_at) * 1000, 3),
            question_digest=question_digest(message.data),
            outcome=outcome,
            body=body,
        )
        try:
            await self._bus.publish(subject, fitted(answer, _bytes_max(body)))
        except Retryable:
            # The link went with the question; whoever asked says that the site is late.
            return

    async def _said(self, asked: bytes, heard_at: float) -> Said:
        try:
            question = codec.decode_question(asked)
        except (UnknownKind, BadValue) as error:
            # A newer asker, or a damaged question: it gets a reason and need not wait for its deadline.
            return Outcome.REFUSED, _refusal(error.reason)
        handler = self._handlers.get(type(question))
        if handler is None:
            return Outcome.REFUSED, _refusal(_NOT_OFFERED)
        try:
            async with asyncio.timeout(self.pace.deadline_s - (time.perf_counter() - heard_at)):
                return await handler(question)
        except TimeoutError:
            return Outcome.FAILED, _refusal(_TOO_SLOW)
        except Permanent as error:
            return Outcome.REFUSED, _refusal(error.reason)
        except DanglianError as error:
            return Outcome.FAILED, _refusal(error.reason)
        except Exception as error:  # noqa: BLE001 - one question that finds a defect never stops the others (promise 9)
            # Where, not what: the words of an exception may quote the query.
            call = type(question).__name__
            log.error("call_failed", call=call, site=self._site.code, error=place_of(error))  # noqa: TRY400
            self._bus.note_fault(FaultKind.HANDLER_FAILED, call, place_of(error))
            return Outcome.FAILED, _refusal(_DEFECT)


def _bytes_max(body: Body | None) -> int:
    if isinstance(body, Correspondence):
        return LETTERS_BYTES_MAX
    return RECORD_REPLY_BYTES_MAX if isinstance(body, Found) else REPLY_BYTES_MAX


def _refusal(reason: Text) -> Refusal:
    return Refusal(reason_zh=reason.zh, reason_en=reason.en)


def fitted(answer: Answer, bytes_max: int) -> bytes:
    """Return the bytes of an answer, cut to what a reply may have: fewer hits with the same total, or a refusal."""
    encoded = codec.encode(answer)
    if len(encoded) <= bytes_max:
        return encoded
    if not isinstance(answer.body, Hits):
        refused = msgspec.structs.replace(answer, outcome=Outcome.REFUSED, body=_refusal(_TOO_LARGE))
        return codec.encode(refused)
    whole = answer.body

    def first(count: int) -> bytes:
        body = msgspec.structs.replace(whole, hits=whole.hits[:count])
        return codec.encode(msgspec.structs.replace(answer, body=body))

    kept = bisect.bisect_right(range(1, len(whole.hits) + 1), bytes_max, key=lambda count: len(first(count)))
    return first(kept)
