import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import codec, subjects
from protocol.calls import (
    Answer,
    AskHealth,
    CompareDigests,
    Digests,
    Found,
    GetRecord,
    Health,
    Hit,
    Hits,
    Outcome,
    QuestionHead,
    Refusal,
    Search,
    question_digest,
)
from protocol.errors import BadValue, StorageFull
from protocol.limits import EVENT_BYTES_MAX, RECORD_REPLY_BYTES_MAX, REPLY_BYTES_MAX
from protocol.sites import parse_site
from protocol.wording import Text
from replication.answering import Handler, Pace, Said, answer_calls, fitted
from replication.faults import FaultKind
from tests.fakes import FakeBroker, FakeBus

SITE = parse_site("330523108204")
QUICK = Pace(deadline_s=0.2, at_once=2, waiting_max=4)


async def health(_question: AskHealth) -> Said:
    return Outcome.ANSWERED, Health(version="1")


@asynccontextmanager
async def answering(
    bus: FakeBus, handlers: Mapping[type[QuestionHead], Handler], pace: Pace = QUICK
) -> AsyncIterator[None]:
    """Answer in the background for as long as the context lasts."""
    working = asyncio.create_task(answer_calls(bus, SITE, lambda: ("epoch", 42), handlers, pace))
    await asyncio.sleep(0.01)
    try:
        yield
    finally:
        working.cancel()
        await asyncio.wait([working])
    assert working.cancelled()


class Desk:
    """Somebody who asks the site and hears its answers."""

    def __init__(self, broker: FakeBroker) -> None:
        self.bus = broker.bus()
        self.answers: list[Answer] = []

    async def open(self) -> "Desk":
        await self.bus.subscribe(subjects.replies_to("hub"), lambda m: self.answers.append(codec.decode_answer(m.data)))
        return self

    async def ask(self, question: QuestionHead, call: str = "any") -> bytes:
        encoded = codec.encode_question(question)
        await self.bus.publish(subjects.ask(SITE, call), encoded)
        return encoded

    async def answer(self, question: QuestionHead) -> Answer:
        await self.ask(question)
        return await self.next()

    async def next(self) -> Answer:
        async with asyncio.timeout(60):
            while not self.answers:
                await asyncio.sleep(0.005)
        return self.answers.pop(0)


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def bus(broker: FakeBroker) -> FakeBus:
    return broker.bus()


@pytest.fixture
async def desk(broker: FakeBroker) -> Desk:
    return await Desk(broker).open()


def refusal(answer: Answer) -> Refusal:
    assert isinstance(answer.body, Refusal)
    return answer.body


async def test_answer_names_site_position_and_question(bus: FakeBus, desk: Desk) -> None:
    async with answering(bus, {AskHealth: health}):
        encoded = await desk.ask(AskHealth(asker="hub", question="q1"))
        answer = await desk.next()

    assert (answer.site, answer.epoch, answer.seq, answer.outcome, answer.body) == (
        SITE.code,
        "epoch",
        42,
        Outcome.ANSWERED,
        Health(version="1"),
    )
    assert answer.question_digest == question_digest(encoded)
    assert 0.0 < answer.took_ms < 1_000


async def test_answer_goes_where_only_this_site_may_speak(broker: FakeBroker, bus: FakeBus, desk: Desk) -> None:
    async with answering(bus, {AskHealth: health}):
        await desk.answer(AskHealth(asker="hub", question="q1"))

    assert broker.sent[-1].subject == f"dl.rsp.{SITE.tokens}.hub.q1"


async def test_question_to_everyone_is_answered_too(bus: FakeBus, desk: Desk) -> None:
    async with answering(bus, {AskHealth: health}):
        await desk.bus.publish(subjects.ask_all("health"), codec.encode_question(AskHealth(asker="hub", question="q1")))

        assert (await desk.next()).outcome is Outcome.ANSWERED


async def test_handler_may_name_the_exact_position_of_its_words(bus: FakeBus, desk: Desk) -> None:
    """Digests are compared at a position: the handler reads it in the same snapshot."""

    async def digests(_question: CompareDigests) -> Said:
        return Outcome.ANSWERED, Digests(), ("other", 43)

    async with answering(bus, {CompareDigests: digests}):
        answer = await desk.answer(CompareDigests(asker="hub", question="q1"))

    assert (answer.epoch, answer.seq) == ("other", 43)


@pytest.mark.parametrize(
    ("error", "outcome", "words"),
    [
        (BadValue(Text(zh="查询过长。", en="query too long")), Outcome.REFUSED, ("查询过长。", "query too long")),
        (StorageFull(Text(zh="磁盘已满。", en="disk full")), Outcome.FAILED, ("磁盘已满。", "disk full")),
        (
            KeyError("王小明"),
            Outcome.FAILED,
            ("本站程序出错，已记录。", "the program at this site failed; it is recorded there"),
        ),
    ],
)
async def test_error_becomes_an_answer_in_both_languages(
    bus: FakeBus, desk: Desk, error: Exception, outcome: Outcome, words: tuple[str, str]
) -> None:
    async def failing(_question: AskHealth) -> Said:
        raise error

    async with answering(bus, {AskHealth: failing}):
        answers = [await desk.answer(AskHealth(asker="hub", question=f"q{number}")) for number in range(3)]

    assert {answer.outcome for answer in answers} == {outcome}
    assert (refusal(answers[0]).reason_zh, refusal(answers[0]).reason_en) == words
    # The next question finds everything as before, and nothing of what was asked is kept.
    assert "王" not in str(bus.faults)


async def test_call_without_a_handler_is_refused(bus: FakeBus, desk: Desk) -> None:
    async with answering(bus, {AskHealth: health}):
        answer = await desk.answer(Search(asker="hub", question="q1", query="x"))

    assert answer.outcome is Outcome.REFUSED
    assert "not offer" in refusal(answer).reason_en


async def test_slow_handler_is_cut_off_and_says_so(bus: FakeBus, desk: Desk) -> None:
    async def slow(_question: AskHealth) -> Said:
        await asyncio.sleep(60)
        raise AssertionError

    begun = time.monotonic()
    async with answering(bus, {AskHealth: slow}):
        answer = await desk.answer(AskHealth(asker="hub", question="q1"))

    assert answer.outcome is Outcome.FAILED
    assert time.monotonic() - begun < 30


async def test_only_so_many_are_worked_on_at_once(bus: FakeBus, desk: Desk) -> None:
    working, most = 0, 0

    async def counting(_question: AskHealth) -> Said:
        nonlocal working, most
        working += 1
        most = max(most, working)
        await asyncio.sleep(0.02)
        working -= 1
        return Outcome.ANSWERED, None

    async with answering(bus, {AskHealth: counting}, Pace(deadline_s=5.0, at_once=2, waiting_max=10)):
        for number in range(6):
            await desk.ask(AskHealth(asker="hub", question=f"q{number}"))
        for _ in range(6):
            await desk.next()

    assert most == 2


async def test_oldest_question_gives_way_when_too_many_wait(bus: FakeBus, desk: Desk) -> None:
    release = asyncio.Event()

    async def held(question: AskHealth) -> Said:
        await release.wait()
        return Outcome.ANSWERED, Health(version=question.question)

    async with answering(bus, {AskHealth: held}, Pace(deadline_s=5.0, at_once=1, waiting_max=2)):
        for number in range(5):
            await desk.ask(AskHealth(asker="hub", question=f"q{number}"), "health")
            await asyncio.sleep(0.01)
        release.set()
        answered = [(await desk.next()).body for _ in range(3)]

    assert answered == [Health(version="q0"), Health(version="q3"), Health(version="q4")]
    assert [(fault.kind, fault.count) for fault in bus.faults] == [(FaultKind.MESSAGES_DROPPED, 2)]


async def test_question_whose_asker_has_given_up_is_not_worked_on(bus: FakeBus, desk: Desk) -> None:
    asked: list[str] = []

    async def slow(question: AskHealth) -> Said:
        asked.append(question.question)
        await asyncio.sleep(60)
        raise AssertionError

    async with answering(bus, {AskHealth: slow}, Pace(deadline_s=0.1, at_once=1, waiting_max=4)):
        for number in range(2):
            await desk.ask(AskHealth(asker="hub", question=f"q{number}"))
        await desk.next()
        await asyncio.sleep(0.05)

    assert asked == ["q0"]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"nonsense",
        b'{"call":"health","asker":"h.u.b","question":"q1"}',
        b'{"call":"health","asker":"hub","question":">"}',
        b"x" * 20_000,
    ],
)
async def test_unreadable_question_is_counted_and_the_next_answered(bus: FakeBus, desk: Desk, payload: bytes) -> None:
    """Also one whose names would reach into other subjects."""
    async with answering(bus, {AskHealth: health}):
        await desk.bus.publish(subjects.ask(SITE, "health"), payload)
        answer = await desk.answer(AskHealth(asker="hub", question="q2"))

    assert answer.outcome is Outcome.ANSWERED
    assert [fault.kind for fault in bus.faults] == [FaultKind.BAD_MESSAGE]


@pytest.mark.parametrize(
    "payload",
    [
        b'{"call":"of_tomorrow","asker":"hub","question":"q1"}',
        b'{"call":"get","asker":"hub","question":"q1","record_id":5}',
    ],
)
async def test_unknown_or_damaged_call_is_refused_in_words(bus: FakeBus, desk: Desk, payload: bytes) -> None:
    """Whoever asks learns at once that this site is older, instead of waiting for the deadline."""
    async with answering(bus, {AskHealth: health}):
        await desk.bus.publish(subjects.ask(SITE, "of_tomorrow"), payload)
        answer = await desk.next()

    assert isinstance(answer.body, Refusal)
    assert (answer.outcome, bool(answer.body.reason_zh)) == (Outcome.REFUSED, True)


async def test_answer_without_a_link_is_dropped_and_the_next_sent(bus: FakeBus, desk: Desk) -> None:
    async def losing(question: AskHealth) -> Said:
        if question.question == "q1":
            bus.down()
        return Outcome.ANSWERED, None

    async with answering(bus, {AskHealth: losing}):
        await desk.ask(AskHealth(asker="hub", question="q1"))
        await asyncio.sleep(0.05)
        bus.up()
        answer = await desk.answer(AskHealth(asker="hub", question="q2"))

    assert answer.question_digest == question_digest(codec.encode_question(AskHealth(asker="hub", question="q2")))
    assert desk.answers == []


async def test_cancelling_ends_the_subscriptions(broker: FakeBroker, bus: FakeBus) -> None:
    async with answering(bus, {}):
        pass

    assert broker.subscriptions == []


def answer_with(body: Hits | Found) -> Answer:
    return Answer(
        site=SITE.code,
        epoch="epoch",
        seq=42,
        took_ms=1.5,
        question_digest="0" * 32,
        outcome=Outcome.ANSWERED,
        body=body,
    )


@given(st.lists(st.integers(min_value=2, max_value=30_000), max_size=200))
def test_too_many_hits_are_cut_from_the_end_and_the_total_stays(sizes: list[int]) -> None:
    hits = tuple(
        Hit(record=msgspec.Raw(b'"' + b"x" * (size - 2) + b'"'), seq=number) for number, size in enumerate(sizes)
    )
    whole = answer_with(Hits(total=1_000, hits=hits))

    encoded = fitted(whole, REPLY_BYTES_MAX)

    body = codec.decode_answer(encoded).body
    assert isinstance(body, Hits)
    assert len(encoded) <= REPLY_BYTES_MAX
    assert body.total == 1_000
    assert [hit.seq for hit in body.hits] == list(range(len(body.hits)))
    # No more are cut than must be.
    if len(body.hits) < len(hits):
        longer = answer_with(Hits(total=1_000, hits=hits[: len(body.hits) + 1]))
        assert len(codec.encode(longer)) > REPLY_BYTES_MAX


def test_large_answer_that_cannot_be_cut_becomes_a_refusal() -> None:
    found = Found(record=msgspec.Raw(b'"' + b"x" * RECORD_REPLY_BYTES_MAX + b'"'), seq=1)

    answer = codec.decode_answer(fitted(answer_with(found), RECORD_REPLY_BYTES_MAX))

    assert answer.outcome is Outcome.REFUSED
    assert "larger" in refusal(answer).reason_en


async def test_largest_record_fits_into_its_reply(bus: FakeBus, desk: Desk) -> None:
    record = msgspec.Raw(b'"' + b"x" * (EVENT_BYTES_MAX - 2) + b'"')

    async def largest(_question: GetRecord) -> Said:
        return Outcome.ANSWERED, Found(record=record, seq=1)

    async with answering(bus, {GetRecord: largest}):
        answer = await desk.answer(GetRecord(asker="hub", question="q1", record_id=UUID(int=1)))

    assert isinstance(answer.body, Found)
    assert len(memoryview(answer.body.record)) == EVENT_BYTES_MAX
