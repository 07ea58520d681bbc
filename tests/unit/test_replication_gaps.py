"""Closing gaps: a site that misses something is asked for it, again and again, until nothing is missing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from protocol import codec, subjects
from protocol.beats import Receipt
from protocol.calls import Answer, FetchRange, Hits, Outcome, Range, Refusal, question_digest
from protocol.limits import CALL_DEADLINE_S
from protocol.sites import Site, parse_site
from replication import gaps
from replication.asking import Asker
from replication.bus import Message
from replication.gaps import GAP_PATIENCE_S, GAP_PAUSE_MAX_S, GAP_PAUSE_S, GapCloser
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


class Closing:
    """A gap closer, and its time."""

    def __init__(self, asker: Asker) -> None:
        self.now = 0.0
        self.closer = GapCloser(asker, lambda: self.now)

    async def after(self, seconds: float) -> int:
        """Let time pass, and return how many gaps are asked about then."""
        self.now += seconds
        return await self.closer.step()


@asynccontextmanager
async def closing(broker: FakeBroker) -> AsyncIterator[Closing]:
    async with Asker(broker.bus(), "hub").opened() as asker:
        yield Closing(asker)


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
    async with closing(broker) as here:
        here.closer.note(missing(FIRST))
        asked = [await here.after(GAP_PATIENCE_S), await here.after(GAP_PAUSE_S)]
        here.closer.note(whole(FIRST))
        asked.append(await here.after(GAP_PAUSE_S))

    # A promise is not the events: it is asked again.
    assert asked == [1, 1, 0]
    assert village.asked == [("e1", 3), ("e1", 3)]


async def test_a_gap_has_a_moment_to_close_by_itself() -> None:
    broker = FakeBroker()
    await node(broker, FIRST, Outcome.ANSWERED, Range(after=3, up_to=9))
    async with closing(broker) as here:
        here.closer.note(missing(FIRST))
        assert [await here.after(GAP_PATIENCE_S - 0.1), await here.after(0.1)] == [0, 1]


async def test_each_site_has_its_own_pause() -> None:
    """A site that was just asked keeps no other waiting."""
    broker = FakeBroker()
    for site in (FIRST, SECOND):
        await node(broker, site, Outcome.ANSWERED, Range(after=3, up_to=9))
    async with closing(broker) as here:
        here.closer.note(missing(FIRST))
        asked = [await here.after(GAP_PATIENCE_S)]
        here.now += 2.0
        here.closer.note(missing(SECOND))
        asked += [await here.after(GAP_PATIENCE_S), await here.after(GAP_PAUSE_S - 4.0), await here.after(1.0)]

    # The second after its own moment of patience; then each when its own pause is over.
    assert asked == [1, 1, 0, 1]


async def test_what_keeps_coming_is_not_asked_for_again() -> None:
    """Every question has the site begin from the front: a long resend would be sent many times over."""
    broker = FakeBroker()
    village = await node(broker, FIRST, Outcome.ANSWERED, Range(after=3, up_to=900))
    async with closing(broker) as here:
        here.closer.note(missing(FIRST, after=3))
        asked = [await here.after(GAP_PATIENCE_S)]
        for arrived in range(1, 10):
            here.now += GAP_PAUSE_S - 1.0
            here.closer.note(missing(FIRST, after=3 + 50 * arrived))
            asked.append(await here.closer.step())
        asked += [await here.after(GAP_PAUSE_S - 0.1), await here.after(0.1)]

    assert asked == [1] + [0] * 9 + [0, 1]
    assert village.asked == [("e1", 3), ("e1", 453)]


async def test_what_arrives_behind_a_gap_puts_the_question_off_for_a_while_only() -> None:
    """What was asked for may come behind it; or it was lost, and the site goes on telling news."""
    broker = FakeBroker()
    village = await node(broker, FIRST, Outcome.ANSWERED, Range(after=3, up_to=9))
    async with closing(broker) as here:
        here.closer.note(missing(FIRST))
        asked = [await here.after(GAP_PATIENCE_S)]
        for _ in range(6):
            here.now += GAP_PAUSE_MAX_S / 6
            here.closer.note(missing(FIRST))
            asked.append(await here.closer.step())

    assert asked == [1, 0, 0, 0, 0, 0, 1]
    assert village.asked == [("e1", 3), ("e1", 3)]


async def test_only_the_sites_of_a_batch_are_judged_by_it() -> None:
    async with closing(FakeBroker()) as here:
        here.closer.note(missing(FIRST))
        here.closer.note(whole(SECOND))

        assert here.closer.sites == {FIRST.code}


async def test_a_gap_that_moved_is_asked_for_where_it_is_now() -> None:
    broker = FakeBroker()
    village = await node(broker, FIRST, Outcome.ANSWERED, Range(after=7, up_to=9))
    async with closing(broker) as here:
        here.closer.note(missing(FIRST, after=3))
        here.closer.note(missing(FIRST, after=7))
        await here.after(GAP_PATIENCE_S)

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
    async with closing(broker) as here:
        here.closer.note(missing(FIRST))

        assert await here.after(GAP_PATIENCE_S) == 1
        assert here.closer.sites == frozenset()


async def test_a_gap_that_is_noted_while_a_vain_answer_comes_stays_open() -> None:
    """The answer was about the old gap; the new one is of the new epoch."""
    broker = FakeBroker()
    village = await node(broker, FIRST, Outcome.REFUSED, Refusal(reason_zh="没有", reason_en="none"))
    async with closing(broker) as here:
        here.closer.note(missing(FIRST))
        village.before_answer = lambda: here.closer.note(missing(FIRST, after=0, epoch="e2"))
        await here.after(GAP_PATIENCE_S)

        assert here.closer.sites == {FIRST.code}


async def test_a_gap_that_moved_on_while_a_vain_answer_comes_stays_open() -> None:
    """The answer was about where it began before."""
    broker = FakeBroker()
    village = await node(broker, FIRST, Outcome.ANSWERED, Range(after=3, up_to=3))
    async with closing(broker) as here:
        here.closer.note(missing(FIRST, after=3))
        village.before_answer = lambda: here.closer.note(missing(FIRST, after=7))
        await here.after(GAP_PATIENCE_S)

        assert here.closer.sites == {FIRST.code}


async def test_a_gap_that_closed_by_itself_has_its_moment_again_when_it_opens_again() -> None:
    broker = FakeBroker()
    await node(broker, FIRST, Outcome.ANSWERED, Range(after=3, up_to=9))
    async with closing(broker) as here:
        here.closer.note(missing(FIRST))
        here.now += GAP_PATIENCE_S / 2
        here.closer.note(whole(FIRST))
        here.closer.note(missing(FIRST))

        assert [await here.after(GAP_PATIENCE_S / 2), await here.after(GAP_PATIENCE_S / 2)] == [0, 1]


async def test_a_site_that_is_away_keeps_its_gap_and_does_not_keep_the_others_waiting() -> None:
    broker = FakeBroker()
    there = await node(broker, SECOND, Outcome.ANSWERED, Range(after=3, up_to=9))
    async with closing(broker) as here:
        here.closer.note(missing(FIRST, SECOND))
        asking = asyncio.create_task(here.after(GAP_PATIENCE_S))
        async with asyncio.timeout(CALL_DEADLINE_S / 2):
            while not there.asked:
                await asyncio.sleep(0)
        await asking

        assert here.closer.sites == {FIRST.code, SECOND.code}
    assert there.asked == [("e1", 3)]


async def test_a_broken_link_is_no_answer() -> None:
    bus = FakeBroker().bus()
    async with Asker(bus, "hub").opened() as asker:
        here = Closing(asker)
        here.closer.note(missing(FIRST))
        bus.down()

        assert await here.after(GAP_PATIENCE_S) == 1
        assert here.closer.sites == {FIRST.code}


async def test_the_loop_asks_by_itself_until_a_gap_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "GAP_PATIENCE_S", 0.02)
    monkeypatch.setattr(gaps, "GAP_PAUSE_S", 0.04)
    broker = FakeBroker()
    village = await node(broker, FIRST, Outcome.ANSWERED, Range(after=3, up_to=9))
    asked_twice = asyncio.Event()
    village.before_answer = lambda: asked_twice.set() if len(village.asked) > 1 else None

    async with Asker(broker.bus(), "hub").opened() as asker:
        closer = GapCloser(asker)
        running = asyncio.create_task(closer.run())
        await asyncio.sleep(0)
        closer.note(missing(FIRST))
        async with asyncio.timeout(60):
            await asked_twice.wait()
        closer.note(whole(FIRST))
        seen = len(village.asked)
        await asyncio.sleep(0.1)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    assert len(village.asked) == seen
