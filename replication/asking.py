"""Asking sites: one question, many answers as they come, and an honest word about those that stay silent.

- One subscription stands for all replies to an asker; a reply finds its question by the last token of its subject, and
  the subject proves who replied, for the broker lets a site publish only under its own name.
- An answer counts if it names the digest of the question and the site of its subject. What does not fit is dropped and
  counted as a fault; the site is then silent, and said to be late.
- At the deadline the question closes. Answers that come later go to ``on_late`` with the question's name (promise 10).
- How many replies may be under way is bounded, not how many questions: a silent site keeps its own place only.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence

import msgspec

from protocol import codec, subjects
from protocol.calls import Answer, Correspond, GetRecord, Outcome, QuestionHead, question_digest
from protocol.errors import BadValue, CallTimeout, LinkDown
from protocol.limits import LETTERS_BYTES_MAX, RECORD_REPLY_BYTES_MAX, REPLIES_IN_FLIGHT_MAX, REPLY_BYTES_MAX
from protocol.sites import Site
from protocol.wording import Text
from replication.allowance import Allowance
from replication.bus import Bus, Message
from replication.faults import FaultKind

CLOSED_QUESTIONS_KEPT = 256
"""Closed questions whose late answers are still known: minutes of a busy window's searches."""

_SAID_BY_ASKER = frozenset({Outcome.LATE, Outcome.OFFLINE, Outcome.INDEX_ONLY})


class SiteAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a question at one site."""

    site: Site
    outcome: Outcome
    answer: Answer | None = None
    """None where the site said nothing that could be read."""
    took_ms: float = 0.0
    """Milliseconds from sending the question to hearing the answer; the answer's own ``took_ms`` is the site's work."""


QuestionFactory = Callable[[str, str], QuestionHead]
"""Makes the question from the asker's name and the question's name; called once, before it is sent."""

OnLate = Callable[[str, SiteAnswer], None]
"""Hears an answer that came too late, with the name of its question."""


def reply_bytes_max(kind: type[QuestionHead]) -> int:
    """Return how many bytes a reply to this kind of question may have."""
    return {GetRecord: RECORD_REPLY_BYTES_MAX, Correspond: LETTERS_BYTES_MAX}.get(kind, REPLY_BYTES_MAX)


class _Asked:
    """A question that was sent, and who still owes an answer."""

    def __init__(self, name: str, question: QuestionHead, awaited: dict[str, Site], unawaited: dict[str, Site]) -> None:
        self.name = name
        self.call = call_of(type(question))
        self.encoded = codec.encode_question(question)
        self.digest = question_digest(self.encoded)
        self.bytes_max = reply_bytes_max(type(question))
        self.awaited = awaited
        self.unawaited = unawaited
        """Sites believed offline that hear the question all the same, because it goes to everybody."""
        self.heard: set[str] = set()
        self.owed = len(awaited)
        """Answers that were not handed out yet."""
        self.is_over = False
        self.sent_at = 0.0
        self.arrivals: asyncio.Queue[SiteAnswer | None] = asyncio.Queue()


def _nobody(_question: str, _answer: SiteAnswer) -> None:
    """Stand in where nobody wants to know about late answers."""


class Asker:
    """Asks questions in one name, which nobody else uses at the same time; use it inside ``opened``."""

    def __init__(
        self,
        bus: Bus,
        name: str,
        *,
        new_name: Callable[[], str] = lambda: secrets.token_hex(8),
        on_late: OnLate = _nobody,
        replies_max: int = REPLIES_IN_FLIGHT_MAX,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._bus = bus
        self._name = name
        self._new_name = new_name
        self._on_late = on_late
        self._allowance = Allowance(replies_max)
        self._clock = clock
        self._open: dict[str, _Asked] = {}
        self._closed: dict[str, _Asked] = {}

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator["Asker"]:
        """Hear replies for as long as the context lasts."""
        hearing = await self._bus.subscribe(subjects.replies_to(self._name), self._hear)
        try:
            yield self
        finally:
            await hearing.close()

    async def ask(
        self,
        compose: QuestionFactory,
        sites: Sequence[Site],
        deadline_s: float,
        *,
        offline: Collection[Site] = frozenset(),
        everyone: bool = False,
    ) -> AsyncGenerator[SiteAnswer, None]:
        """Yield exactly one answer for each of ``sites``, as they come.

        Sites in ``offline`` are not asked and come first, as offline. At the deadline the silent ones come, as late.
        ``everyone`` sends the question once, to all sites that listen; only ``sites`` are waited for.

        Raises:
            LinkDown: the question could not be sent to anybody.
            CallTimeout: too many replies are under way; the question had no turn within the deadline.
            BadValue: the question is too large.

        """
        away = [site for site in sites if site in offline]
        for site in away:
            yield SiteAnswer(site=site, outcome=Outcome.OFFLINE)
        asked = self._compose(compose, [site for site in sites if site not in offline], away if everyone else [])
        if not asked.owed:
            return
        await self._take_turn(asked, deadline_s)
        timer = asyncio.get_running_loop().call_later(deadline_s, asked.arrivals.put_nowait, None)
        try:
            await self._send(asked, everyone=everyone)
            while (arrival := await self._next(asked)) is not None:
                yield arrival
            for site in self._close(asked):
                yield SiteAnswer(site=site, outcome=Outcome.LATE, took_ms=self._since(asked))
        finally:
            timer.cancel()
            self._close(asked)
            self._allowance.give(asked.owed)

    async def ask_one(self, compose: QuestionFactory, site: Site, deadline_s: float) -> SiteAnswer:
        """Ask one site and return its answer, or that it is late; raises as ``ask``."""
        async with contextlib.aclosing(self.ask(compose, [site], deadline_s)) as answers:
            return await anext(answers)

    def _compose(self, compose: QuestionFactory, awaited: Sequence[Site], unawaited: Sequence[Site]) -> _Asked:
        name = self._new_name()
        return _Asked(
            name,
            compose(self._name, name),
            {subjects.reply(site, self._name, name): site for site in awaited},
            {subjects.reply(site, self._name, name): site for site in unawaited},
        )

    async def _take_turn(self, asked: _Asked, deadline_s: float) -> None:
        try:
            async with asyncio.timeout(deadline_s):
                await self._allowance.take(asked.owed)
        except TimeoutError as error:
            raise CallTimeout(
                Text(
                    zh="同时进行的查询过多，请稍后再试。", en="too many questions are under way; ask again in a moment"
                )
            ) from error
        self._open[asked.name] = asked

    async def _next(self, asked: _Asked) -> SiteAnswer | None:
        """Return the next answer; None when all have come, or at the deadline when none is left in the queue."""
        if not asked.owed:
            return None
        arrival = None if asked.is_over else await asked.arrivals.get()
        if arrival is None:
            asked.is_over = True
            # Whoever takes the answers was slow: these came behind the deadline's mark, and yet before the end.
            arrival = None if asked.arrivals.empty() else asked.arrivals.get_nowait()
        if arrival is not None:
            asked.owed -= 1
            self._allowance.give(1)
        return arrival

    async def _send(self, asked: _Asked, *, everyone: bool) -> None:
        asked.sent_at = self._clock()
        if everyone:
            await self._bus.publish(subjects.ask_all(asked.call), asked.encoded)
            return
        sent = False
        for site in tuple(asked.awaited.values()):
            try:
                await self._bus.publish(subjects.ask(site, asked.call), asked.encoded)
            except (LinkDown, CallTimeout):
                if not sent:
                    raise
                # Those that were asked may still answer; the others are late.
                return
            sent = True

    def _close(self, asked: _Asked) -> tuple[Site, ...]:
        """End a question and return who is silent; what comes from now on is late."""
        self._open.pop(asked.name, None)
        self._closed[asked.name] = asked
        if len(self._closed) > CLOSED_QUESTIONS_KEPT:
            del self._closed[next(iter(self._closed))]
        return tuple(asked.awaited.values())

    def _since(self, asked: _Asked) -> float:
        return round((self._clock() - asked.sent_at) * 1000, 3)

    def _hear(self, message: Message) -> None:
        name = message.subject.rpartition(".")[2]
        asked = self._open.get(name)
        is_open = asked is not None
        asked = asked or self._closed.get(name)
        if asked is None:
            self._bus.note_fault(FaultKind.UNKNOWN_QUESTION, _site_in(message.subject))
            return
        is_awaited = message.subject in asked.awaited
        site = asked.awaited.get(message.subject) or asked.unawaited.get(message.subject)
        if site is None:
            repeated = message.subject in asked.heard
            kind = FaultKind.REPEATED_ANSWER if repeated else FaultKind.FOREIGN_MESSAGE
            self._bus.note_fault(kind, _site_in(message.subject))
            return
        heard = self._read(asked, site, message)
        if heard is None:
            return
        (asked.awaited if is_awaited else asked.unawaited).pop(message.subject)
        asked.heard.add(message.subject)
        if is_open and is_awaited:
            asked.arrivals.put_nowait(heard)
        else:
            self._on_late(name, heard)

    def _read(self, asked: _Asked, site: Site, message: Message) -> SiteAnswer | None:
        took_ms = self._since(asked)
        # What cannot be read is no answer: it need not even be the site's, for an acknowledgement of the broker can be
        # steered to any subject. The site may still answer, and is late if it does not.
        if len(message.data) > asked.bytes_max:
            self._bus.note_fault(FaultKind.BAD_MESSAGE, site.code, f"{len(message.data)} bytes")
            return None
        try:
            answer = codec.decode_answer(message.data)
        except BadValue:
            self._bus.note_fault(FaultKind.BAD_MESSAGE, site.code)
            return None
        if answer.question_digest != asked.digest:
            self._bus.note_fault(FaultKind.WRONG_ANSWER, site.code)
            return None
        if answer.site != site.code:
            self._bus.note_fault(FaultKind.FOREIGN_MESSAGE, site.code)
            return None
        if answer.outcome in _SAID_BY_ASKER:
            self._bus.note_fault(FaultKind.BAD_MESSAGE, site.code, answer.outcome.value)
            return None
        return SiteAnswer(site=site, outcome=answer.outcome, answer=answer, took_ms=took_ms)


def call_of(kind: type[QuestionHead]) -> str:
    """Return the call's name, the last token of the subject on which it is asked."""
    return str(kind.__struct_config__.tag)


def _site_in(subject: str) -> str:
    try:
        return subjects.site_of(subject).code
    except BadValue:
        return ""
