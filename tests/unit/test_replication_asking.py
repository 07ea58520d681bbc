import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping

import msgspec
import pytest

from protocol import codec, subjects
from protocol.calls import (
    Answer,
    AskHealth,
    FetchRange,
    GetRecord,
    Hits,
    Outcome,
    QuestionHead,
    Search,
    question_digest,
)
from protocol.errors import CallTimeout, LinkDown
from protocol.limits import RECORD_REPLY_BYTES_MAX, REPLY_BYTES_MAX
from protocol.sites import Site, parse_site
from replication.asking import Asker, SiteAnswer, call_of, reply_bytes_max
from replication.bus import Message
from replication.faults import FaultKind
from tests.fakes import FakeBroker, FakeBus

SITES = [parse_site(f"3305231082{number:02d}") for number in range(10)]
FIRST, SECOND, THIRD = SITES[:3]

Change = Callable[[Answer], Answer]


def search(asker: str, name: str) -> Search:
    return Search(asker=asker, question=name, query="林地承包")


def same(answer: Answer) -> Answer:
    return answer


def claiming(**fields: object) -> Change:
    return lambda answer: msgspec.structs.replace(answer, **fields)


async def answers(broker: FakeBroker, site: Site, change: Change = same, *, times: int = 1) -> FakeBus:
    """Have a site answer every question put to it, or to all."""
    bus = broker.bus()

    def hear(message: Message) -> None:
        question = codec.decode_question(message.data)
        answer = Answer(
            site=site.code,
            epoch="e",
            seq=7,
            took_ms=1.0,
            question_digest=question_digest(message.data),
            outcome=Outcome.ANSWERED,
            body=Hits(total=1),
        )
        payload = codec.encode(change(answer))
        for _ in range(times):
            broker.deliver(Message(subject=subjects.reply(site, question.asker, question.question), data=payload))

    await bus.subscribe(subjects.ask_every(site), hear)
    await bus.subscribe(subjects.ASK_ALL, hear)
    return bus


async def outcomes(given: AsyncIterator[SiteAnswer]) -> dict[str, str]:
    return {found.site.code: found.outcome.value async for found in given}


def kinds(bus: FakeBus) -> Mapping[FaultKind, int]:
    return {fault.kind: fault.count for fault in bus.faults}


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def bus(broker: FakeBroker) -> FakeBus:
    return broker.bus()


@pytest.fixture
def late() -> list[tuple[str, SiteAnswer]]:
    return []


@pytest.fixture
async def asker(bus: FakeBus, late: list[tuple[str, SiteAnswer]]) -> AsyncIterator[Asker]:
    async with Asker(bus, "hub", on_late=lambda name, found: late.append((name, found))).opened() as opened:
        yield opened


async def test_every_site_is_told_apart_and_none_is_left_out(broker: FakeBroker, asker: Asker) -> None:
    """Promise 10: answered, silent, offline; one word for each site asked."""
    await answers(broker, FIRST)
    await answers(broker, SECOND, claiming(outcome=Outcome.NOTHING, body=Hits(total=0)))

    found = await outcomes(asker.ask(search, SITES[:4], 0.1, offline=[SITES[3]]))

    assert found == {
        FIRST.code: "answered",
        SECOND.code: "nothing",
        THIRD.code: "late",
        SITES[3].code: "offline",
    }


async def test_complete_answer_does_not_wait_for_the_deadline(broker: FakeBroker, asker: Asker) -> None:
    for site in SITES:
        await answers(broker, site)
    begun = time.monotonic()

    found = await outcomes(asker.ask(search, SITES, 30.0))

    assert set(found.values()) == {"answered"}
    assert time.monotonic() - begun < 5.0


async def test_slow_taker_still_gets_one_word_for_each_site(
    broker: FakeBroker, asker: Asker, late: list[tuple[str, SiteAnswer]]
) -> None:
    """The deadline passes, and answers come, while the taker is busy with the first."""
    await answers(broker, FIRST)
    found: list[tuple[str, str]] = []
    async for given in asker.ask(search, SITES[:4], 0.05):
        found.append((given.site.code, given.outcome.value))
        if len(found) == 1:
            await asyncio.sleep(0.1)
            for question in [message for message in broker.sent if message.subject.startswith("dl.ask.")]:
                site = subjects.site_of(question.subject)
                if site in (SECOND, THIRD):
                    await answers(broker, site)
                    broker.deliver(question)
            await asyncio.sleep(0.02)

    assert sorted(found) == [
        (FIRST.code, "answered"),
        (SECOND.code, "answered"),
        (THIRD.code, "answered"),
        (SITES[3].code, "late"),
    ]
    assert late == []


async def test_answer_during_the_last_words_is_late(
    broker: FakeBroker, asker: Asker, late: list[tuple[str, SiteAnswer]]
) -> None:
    """It was already said that the site is late; its answer must not vanish between the two."""
    found: list[str] = []
    async for given in asker.ask(search, [FIRST, SECOND], 0.05):
        found.append(given.outcome.value)
        if len(found) == 1:
            await answers(broker, SECOND)
            broker.deliver(next(m for m in broker.sent if m.subject == subjects.ask(SECOND, "search")))
            await asyncio.sleep(0.02)

    assert (found, [given.site for _, given in late]) == (["late", "late"], [SECOND])


async def test_answers_are_yielded_as_they_come(broker: FakeBroker, asker: Asker) -> None:
    await answers(broker, SECOND)
    given = asker.ask(search, [FIRST, SECOND], 5.0)
    async with contextlib.aclosing(given):
        first = await anext(given)
        await answers(broker, FIRST)

    assert (first.site, first.outcome) == (SECOND, Outcome.ANSWERED)
    assert first.answer is not None
    assert (first.answer.epoch, first.answer.seq) == ("e", 7)


async def test_offline_sites_cost_no_message(broker: FakeBroker, asker: Asker) -> None:
    found = await outcomes(asker.ask(search, SITES, 5.0, offline=SITES))

    assert set(found.values()) == {"offline"}
    assert broker.sent == []


async def test_question_to_everyone_is_sent_once(broker: FakeBroker, asker: Asker) -> None:
    for site in SITES:
        await answers(broker, site)

    found = await outcomes(asker.ask(search, SITES, 5.0, everyone=True))

    asked = [message.subject for message in broker.sent if message.subject.startswith("dl.ask.")]
    assert (set(found.values()), asked) == ({"answered"}, ["dl.ask.all.search"])


async def test_site_that_came_back_is_heard_late_rather_than_twice(
    broker: FakeBroker, asker: Asker, late: list[tuple[str, SiteAnswer]]
) -> None:
    """It was said to be offline, and answers the question to everyone all the same."""
    await answers(broker, FIRST)
    await answers(broker, SECOND)

    found = await outcomes(asker.ask(search, [FIRST, SECOND], 5.0, offline=[SECOND], everyone=True))
    await asyncio.sleep(0.01)

    assert found == {FIRST.code: "answered", SECOND.code: "offline"}
    assert [(given.site, given.outcome) for _, given in late] == [(SECOND, Outcome.ANSWERED)]


async def test_late_answer_is_handed_over_with_its_question(
    broker: FakeBroker, bus: FakeBus, asker: Asker, late: list[tuple[str, SiteAnswer]]
) -> None:
    names: list[str] = []

    def compose(asker_name: str, name: str) -> Search:
        names.append(name)
        return search(asker_name, name)

    assert await outcomes(asker.ask(compose, [FIRST], 0.05)) == {FIRST.code: "late"}
    question = next(message for message in broker.sent if message.subject.startswith("dl.ask."))
    await answers(broker, FIRST)
    broker.deliver(question)
    await asyncio.sleep(0.05)

    assert [(name, found.site, found.outcome) for name, found in late] == [(names[0], FIRST, Outcome.ANSWERED)]
    assert bus.faults == ()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (claiming(question_digest="0" * 32), FaultKind.WRONG_ANSWER),
        (claiming(site=SECOND.code), FaultKind.FOREIGN_MESSAGE),
    ],
)
async def test_answer_that_does_not_fit_is_dropped_and_counted(
    broker: FakeBroker, bus: FakeBus, asker: Asker, change: Change, fault: FaultKind
) -> None:
    await answers(broker, FIRST, change)

    found = await outcomes(asker.ask(search, [FIRST], 0.05))

    assert (found, kinds(bus)) == ({FIRST.code: "late"}, {fault: 1})


@pytest.mark.parametrize("outcome", [Outcome.LATE, Outcome.OFFLINE, Outcome.INDEX_ONLY])
async def test_site_cannot_say_what_only_the_asker_may(
    broker: FakeBroker, bus: FakeBus, asker: Asker, outcome: Outcome
) -> None:
    await answers(broker, FIRST, claiming(outcome=outcome))

    assert await outcomes(asker.ask(search, [FIRST], 0.05)) == {FIRST.code: "late"}
    assert kinds(bus) == {FaultKind.BAD_MESSAGE: 1}


@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff\xfe", b"[]", b"x" * (REPLY_BYTES_MAX + 1)])
async def test_unreadable_or_oversized_answer_is_no_answer(
    broker: FakeBroker, bus: FakeBus, asker: Asker, payload: bytes
) -> None:
    """It need not be the site's: a foreign node can have the broker send an acknowledgement to that subject."""
    there = broker.bus()

    def hear(message: Message) -> None:
        question = codec.decode_question(message.data)
        broker.deliver(Message(subject=subjects.reply(FIRST, question.asker, question.question), data=payload))

    await there.subscribe(subjects.ask_every(FIRST), hear)
    await answers(broker, SECOND)

    assert await outcomes(asker.ask(search, [FIRST, SECOND], 0.1)) == {FIRST.code: "late", SECOND.code: "answered"}
    assert kinds(bus) == {FaultKind.BAD_MESSAGE: 1}


async def test_second_answer_of_a_site_is_counted_and_changes_nothing(
    broker: FakeBroker, bus: FakeBus, asker: Asker, late: list[tuple[str, SiteAnswer]]
) -> None:
    """Two PCs with one identity."""
    await answers(broker, FIRST, times=2)

    given = [found async for found in asker.ask(search, [FIRST], 5.0)]
    await asyncio.sleep(0.01)

    assert ([found.outcome for found in given], late) == ([Outcome.ANSWERED], [])
    assert kinds(bus) == {FaultKind.REPEATED_ANSWER: 1}


async def test_answer_of_a_site_that_was_not_asked_is_counted(broker: FakeBroker, bus: FakeBus, asker: Asker) -> None:
    await answers(broker, FIRST)
    await answers(broker, SECOND)

    assert await outcomes(asker.ask(search, [FIRST], 5.0, everyone=True)) == {FIRST.code: "answered"}
    await asyncio.sleep(0.01)
    assert [(fault.kind, fault.about) for fault in bus.faults] == [(FaultKind.FOREIGN_MESSAGE, SECOND.code)]


async def test_answer_to_a_question_that_nobody_asked_is_counted(
    broker: FakeBroker, bus: FakeBus, asker: Asker
) -> None:
    broker.deliver(Message(subject=subjects.reply(FIRST, "hub", "0123456789abcdef"), data=b"{}"))
    await asyncio.sleep(0.01)

    assert [(fault.kind, fault.about) for fault in bus.faults] == [(FaultKind.UNKNOWN_QUESTION, FIRST.code)]


async def test_question_without_a_link_raises(bus: FakeBus, asker: Asker) -> None:
    bus.down()

    with pytest.raises(LinkDown):
        await outcomes(asker.ask(search, SITES, 0.1))


async def test_link_that_breaks_while_asking_leaves_the_rest_late(
    broker: FakeBroker, bus: FakeBus, asker: Asker
) -> None:
    def breaks(_message: Message) -> bool:
        bus.down()
        return False

    broker.lost = breaks

    found = await outcomes(asker.ask(search, [FIRST, SECOND], 0.05))

    assert found == {FIRST.code: "late", SECOND.code: "late"}


async def test_silent_site_keeps_only_its_own_place(broker: FakeBroker, bus: FakeBus) -> None:
    """One hung site must not stop later questions until the deadline of the earlier ones."""
    for site in SITES[1:]:
        await answers(broker, site)
    async with Asker(bus, "hub", replies_max=12).opened() as asker:
        begun = time.monotonic()
        given = [asyncio.create_task(outcomes(asker.ask(search, SITES, 0.5))) for _ in range(2)]
        await asyncio.gather(*given)
        waited = time.monotonic() - begun

    # One after the other would take twice the deadline.
    assert waited < 0.9


async def test_question_that_gets_no_turn_says_so(bus: FakeBus) -> None:
    async with Asker(bus, "hub", replies_max=10).opened() as asker:
        first = asyncio.create_task(outcomes(asker.ask(search, SITES, 0.4)))
        await asyncio.sleep(0.01)
        with pytest.raises(CallTimeout, match="too many"):
            await outcomes(asker.ask(search, SITES, 0.05))
        await first


async def test_abandoned_question_gives_its_places_back(broker: FakeBroker, bus: FakeBus) -> None:
    await answers(broker, FIRST)
    async with Asker(bus, "hub", replies_max=10).opened() as asker:
        for _ in range(20):
            async with contextlib.aclosing(asker.ask(search, SITES, 30.0)) as given:
                await anext(given)

        assert await outcomes(asker.ask(search, [FIRST], 5.0)) == {FIRST.code: "answered"}


async def test_one_site_is_asked_with_one_call(broker: FakeBroker, asker: Asker) -> None:
    await answers(broker, FIRST)

    answered = await asker.ask_one(search, FIRST, 5.0)
    silent = await asker.ask_one(search, SECOND, 0.05)

    assert (answered.outcome, silent.outcome) == (Outcome.ANSWERED, Outcome.LATE)


async def test_closed_asker_hears_nothing(broker: FakeBroker, bus: FakeBus) -> None:
    async with Asker(bus, "hub").opened():
        pass

    assert broker.subscriptions == []


@pytest.mark.parametrize(
    ("kind", "call", "bytes_max"),
    [
        (Search, "search", REPLY_BYTES_MAX),
        (AskHealth, "health", REPLY_BYTES_MAX),
        (GetRecord, "get", RECORD_REPLY_BYTES_MAX),
        (FetchRange, "range", REPLY_BYTES_MAX),
    ],
)
def test_call_has_its_name_and_bound(kind: type[QuestionHead], call: str, bytes_max: int) -> None:
    assert (call_of(kind), reply_bytes_max(kind)) == (call, bytes_max)


async def test_names_of_questions_are_random_and_safe(broker: FakeBroker, asker: Asker) -> None:
    for _ in range(5):
        await outcomes(asker.ask(search, [FIRST], 0.001))
    names = {codec.decode_question(message.data).question for message in broker.sent}

    assert len(names) == 5
    assert all(subjects.reply(FIRST, "hub", name) for name in names)
