"""Closing gaps: a site that misses something is asked for it, again and again, until nothing is missing."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from protocol import codec, subjects
from protocol.beats import Receipt
from protocol.calls import Answer, FetchRange, Hits, Outcome, Range, Refusal, question_digest
from protocol.sites import Site, parse_site
from replication import gaps
from replication.asking import Asker
from replication.bus import Message
from replication.gaps import GAP_PATIENCE_S, GAP_PAUSE_S, GapCloser
from replication.inbox import Gap, Taken
from tests.fakes import FakeBroker

FIRST, SECOND = (parse_site(f"3305231082{number:02d}") for number in range(2))

Body = Range | Refusal | Hits


@pytest.fixture(autouse=True)
def short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that never answers costs a test a moment, not five seconds."""
    monkeypatch.setattr(gaps, "CALL_DEADLINE_S", 0.1)


class Node:
    """A site that answers calls for missing events as it is told, and remembers them."""

    def __init__(self, broker: FakeBroker, site: Site, outcome: Outcome, body: Body) -> None:
        self.asked: list[tuple[str, int]] = []
        self.site, self.outcome, self.body = site, outcome, body
        self._broker = broker
        self.before_answer: Callable[[], None] = lambda: None

    async def listen(self) -> None:
        await self._broker.bus().subscribe(subjects.ask_every(self.site), self._hear)

    def _hear(self, message: Message) -> None:
        question = codec.decode_question(message.data)
        assert isinstance(question, FetchRange)
        self.asked.append((question.epoch, question.after))
        self.before_answer()
        answer = Answer(
            site=self.site.code,
            epoch=question.epoch,
            seq=9,
            took_ms=1.0,
            question_digest=question_digest(message.data),
            outcome=self.outcome,
            body=self.body,
        )
        reply = subjects.reply(self.site, question.asker, question.question)
        self._broker.deliver(Message(subject=reply, data=codec.encode(answer)))


async def node(broker: FakeBroker, site: Site, outcome: Outcome, body: Body) -> Node:
    made = Node(broker, site, outcome, body)
    await made.listen()
    return made


def missing(*sites: Site, after: int = 3, epoch: str = "e1") -> Taken:
    """A batch that showed gaps."""
    receipts = {site.code: Receipt(site=site.code, epoch=epoch, applied=after, at_ms=0) for site in sites}
    return Taken(receipts=receipts, gaps=[Gap(site=site, epoch=epoch, after=after) for site in sites])


def whole(*sites: Site) -> Taken:
    """A batch after which nothing is missing."""
    return Taken(receipts={site.code: Receipt(site=site.code, epoch="e1", applied=9, at_ms=0) for site in sites})


async def test_the_site_is_asked_for_what_follows_the_position_until_it_has_come() -> None:
    broker = FakeBroker()
    village = await node(broker, FIRST, Outcome.ANSWERED, Range(after=3, up_to=9))
    async with Asker(broker.bus(), "hub").opened() as asker:
        closer = GapCloser(asker)
        closer.note(missing(FIRST))

        assert await closer.step() is True
        assert await closer.step() is True, "a promise is not the events"
        closer.note(whole(FIRST))
        assert await closer.step() is False

    assert village.asked == [("e1", 3), ("e1", 3)]


async def test_only_the_sites_of_a_batch_are_judged_by_it() -> None:
    async with Asker(FakeBroker().bus(), "hub").opened() as asker:
        closer = GapCloser(asker)
        closer.note(missing(FIRST))
        closer.note(whole(SECOND))

        assert closer.sites == {FIRST.code}


async def test_a_gap_that_moved_is_asked_for_where_it_is_now() -> None:
    broker = FakeBroker()
    village = await node(broker, FIRST, Outcome.ANSWERED, Range(after=7, up_to=9))
    async with Asker(broker.bus(), "hub").opened() as asker:
        closer = GapCloser(asker)
        closer.note(missing(FIRST, after=3))
        closer.note(missing(FIRST, after=7))
        await closer.step()

    assert village.asked == [("e1", 7)]


@pytest.mark.parametrize(
    ("outcome", "body"),
    [
        (Outcome.REFUSED, Refusal(reason_zh="没有", reason_en="none")),
        (Outcome.ANSWERED, Range(after=3, up_to=3)),
        (Outcome.ANSWERED, Range(after=3, up_to=2)),
    ],
)
async def test_a_site_that_has_nothing_to_send_is_not_asked_for_ever(outcome: Outcome, body: Body) -> None:
    """It began another epoch, or was put back from a backup: what waits behind the gap is of a history that is gone."""
    broker = FakeBroker()
    await node(broker, FIRST, outcome, body)
    async with Asker(broker.bus(), "hub").opened() as asker:
        closer = GapCloser(asker)
        closer.note(missing(FIRST))

        assert await closer.step() is True
        assert closer.sites == frozenset()


async def test_a_gap_that_is_noted_while_a_vain_answer_comes_stays_open() -> None:
    """The answer was about the old gap; the new one is of the new epoch."""
    broker = FakeBroker()
    village = await node(broker, FIRST, Outcome.REFUSED, Refusal(reason_zh="没有", reason_en="none"))
    async with Asker(broker.bus(), "hub").opened() as asker:
        closer = GapCloser(asker)
        closer.note(missing(FIRST))
        village.before_answer = lambda: closer.note(missing(FIRST, after=0, epoch="e2"))
        await closer.step()

        assert closer.sites == {FIRST.code}


async def test_a_site_that_is_away_keeps_its_gap_and_does_not_keep_the_others_waiting() -> None:
    broker = FakeBroker()
    there = await node(broker, SECOND, Outcome.ANSWERED, Range(after=3, up_to=9))
    async with Asker(broker.bus(), "hub").opened() as asker:
        closer = GapCloser(asker)
        closer.note(missing(FIRST, SECOND))
        await closer.step()

        assert closer.sites == {FIRST.code, SECOND.code}
    assert there.asked == [("e1", 3)]


async def test_a_broken_link_is_no_answer() -> None:
    bus = FakeBroker().bus()
    async with Asker(bus, "hub").opened() as asker:
        closer = GapCloser(asker)
        closer.note(missing(FIRST))
        bus.down()

        assert await closer.step() is True
        assert closer.sites == {FIRST.code}


async def test_the_loop_gives_a_gap_a_moment_and_asks_with_pauses_until_it_is_closed() -> None:
    broker = FakeBroker()
    village = await node(broker, FIRST, Outcome.ANSWERED, Range(after=3, up_to=9))
    pauses: list[float] = []
    rested = asyncio.Event()

    async with Asker(broker.bus(), "hub").opened() as asker:

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if pauses.count(GAP_PAUSE_S) == 2:
                closer.note(whole(FIRST))
            if len(pauses) == 5:
                rested.set()
            await asyncio.sleep(0)

        closer = GapCloser(asker, sleep)
        closer.note(missing(FIRST))
        running = asyncio.create_task(closer.run())
        async with asyncio.timeout(5):
            await rested.wait()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    assert pauses == [GAP_PATIENCE_S, GAP_PAUSE_S, GAP_PATIENCE_S, GAP_PAUSE_S, GAP_PATIENCE_S]
    assert village.asked == [("e1", 3), ("e1", 3)]
