import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

import pytest

from protocol import codec, subjects
from protocol.beats import Beat, Receipt, Want
from protocol.errors import BrokenStore, DanglianError, LinkDown
from protocol.sites import parse_site
from protocol.wording import Text
from replication import beats
from replication.beats import BeatRhythm, hear_beats, hear_receipts, send_beats, send_receipt
from replication.faults import FaultKind
from tests.fakes import FakeBroker, FakeBus

SITE = parse_site("330523108204")
OTHER = parse_site("330523108205")


def beat_of(seq: int, site: str = SITE.code) -> Beat:
    return Beat(site=site, node="N", epoch="e", seq=seq)


@asynccontextmanager
async def running(program: Coroutine[object, object, None]) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(program)
    await asyncio.sleep(0.01)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def bus(broker: FakeBroker) -> FakeBus:
    return broker.bus()


class Node:
    """Something that can be described; counts how often it was."""

    def __init__(self) -> None:
        self.described = 0

    async def describe(self) -> Beat:
        self.described += 1
        return beat_of(self.described)


class TestSending:
    async def test_beats_come_at_the_rhythm(self, broker: FakeBroker, bus: FakeBus) -> None:
        rhythm = BeatRhythm(every_s=0.1, gap_s=0.01)
        async with running(send_beats(bus, SITE, Node().describe, asyncio.Event(), rhythm, lambda: 0.0)):
            begun = time.monotonic()
            while len(broker.sent) < 5:
                await asyncio.sleep(0.005)

        assert time.monotonic() - begun > 0.35
        assert {message.subject for message in broker.sent} == {subjects.beat(SITE)}

    async def test_wake_sends_at_once_and_many_wakes_send_once(self, broker: FakeBroker, bus: FakeBus) -> None:
        """An import wakes it at every transaction."""
        node, wake = Node(), asyncio.Event()
        begun = time.monotonic()
        async with running(send_beats(bus, SITE, node.describe, wake, BeatRhythm(every_s=30.0, gap_s=0.1))):
            for _ in range(50):
                wake.set()
                await asyncio.sleep(0.002)
            await asyncio.sleep(0.15)

        assert 2 <= len(broker.sent) <= 2 + (time.monotonic() - begun) / 0.1
        # The last beat tells what the last wake was about.
        assert codec.decode_beat(broker.sent[-1].data).seq == node.described

    async def test_connection_sends_at_once_and_no_link_describes_nothing(
        self, broker: FakeBroker, bus: FakeBus
    ) -> None:
        node = Node()
        bus.down()
        rhythm = BeatRhythm(every_s=0.05, gap_s=0.01)
        async with running(send_beats(bus, SITE, node.describe, asyncio.Event(), rhythm)):
            await asyncio.sleep(0.2)
            before = node.described
            bus.up()
            await asyncio.sleep(0.04)

        assert (before, len(broker.sent) >= 1) == (0, True)

    async def test_jitter_only_makes_beats_come_earlier(self, broker: FakeBroker, bus: FakeBus) -> None:
        rhythm = BeatRhythm(every_s=0.2, gap_s=0.01)
        begun = time.monotonic()
        async with running(send_beats(bus, SITE, Node().describe, asyncio.Event(), rhythm, lambda: 1.0)):
            while len(broker.sent) < 3:
                await asyncio.sleep(0.005)

        # Three beats without jitter take two whole intervals.
        assert time.monotonic() - begun < 2 * 0.2

    async def test_stopping_program_says_goodbye_with_where_it_stands(self, broker: FakeBroker, bus: FakeBus) -> None:
        node = Node()
        async with running(send_beats(bus, SITE, node.describe, asyncio.Event())):
            pass
        await asyncio.sleep(0)

        said = [codec.decode_beat(message.data) for message in broker.sent]
        assert [(beat.seq, beat.stopping) for beat in said] == [(1, False), (2, True)]

    async def test_stopping_program_without_a_link_just_stops(self, broker: FakeBroker, bus: FakeBus) -> None:
        node = Node()
        bus.down()
        async with running(send_beats(bus, SITE, node.describe, asyncio.Event())) as task:
            pass

        assert (task.cancelled(), node.described, broker.sent) == (True, 0, [])

    @pytest.mark.parametrize("error", [BrokenStore(Text(zh="坏", en="broken")), LinkDown(Text(zh="断", en="down"))])
    async def test_goodbye_that_fails_does_not_keep_a_program_from_stopping(
        self, broker: FakeBroker, bus: FakeBus, error: DanglianError
    ) -> None:
        described = 0

        async def describe() -> Beat:
            nonlocal described
            described += 1
            if described > 1:
                raise error
            return beat_of(1)

        async with running(send_beats(bus, SITE, describe, asyncio.Event())) as task:
            pass

        assert (task.cancelled(), described, len(broker.sent)) == (True, 2, 1)

    async def test_goodbye_that_takes_too_long_is_given_up(
        self, broker: FakeBroker, bus: FakeBus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(beats, "GOODBYE_S", 0.05)
        described = 0

        async def describe() -> Beat:
            nonlocal described
            described += 1
            if described > 1:
                await asyncio.sleep(3600)
            return beat_of(1)

        async with running(send_beats(bus, SITE, describe, asyncio.Event())) as task:
            begun = time.monotonic()

        assert (task.cancelled(), len(broker.sent)) == (True, 1)
        assert time.monotonic() - begun < 60

    async def test_defect_in_the_description_is_raised(self, bus: FakeBus) -> None:
        async def describe() -> Beat:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await send_beats(bus, SITE, describe, asyncio.Event())

    async def test_receipt_goes_to_its_site_and_needs_a_link(self, broker: FakeBroker, bus: FakeBus) -> None:
        receipt = Receipt(site=SITE.code, epoch="e", applied=7, want=Want.BASELINE)
        await send_receipt(bus, receipt)
        bus.down()
        with pytest.raises(LinkDown):
            await send_receipt(bus, receipt)

        assert [(message.subject, codec.decode_receipt(message.data)) for message in broker.sent] == [
            (subjects.receipt(SITE), receipt)
        ]


class TestHearing:
    async def test_each_site_is_heard(self, bus: FakeBus) -> None:
        heard: list[Beat] = []

        async def handler(beat: Beat) -> None:
            heard.append(beat)

        async with running(hear_beats(bus, handler)):
            for site in (SITE, OTHER):
                await bus.publish(subjects.beat(site), codec.encode(beat_of(1, site.code)))
            await asyncio.sleep(0.05)

        assert [beat.site for beat in heard] == [SITE.code, OTHER.code]

    async def test_slow_handler_gets_the_latest_and_nothing_piles_up(self, bus: FakeBus) -> None:
        heard: list[int] = []

        async def slow(beat: Beat) -> None:
            heard.append(beat.seq)
            await asyncio.sleep(0.05)

        async with running(hear_beats(bus, slow)):
            for seq in range(1, 101):
                await bus.publish(subjects.beat(SITE), codec.encode(beat_of(seq)))
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.15)

        assert heard[-1] == 100
        assert len(heard) < 10

    @pytest.mark.parametrize(
        ("payload", "fault"),
        [(b"nonsense", FaultKind.BAD_MESSAGE), (codec.encode(beat_of(1, OTHER.code)), FaultKind.FOREIGN_MESSAGE)],
    )
    async def test_beat_that_does_not_fit_is_counted(self, bus: FakeBus, payload: bytes, fault: FaultKind) -> None:
        heard: list[Beat] = []

        async def handler(beat: Beat) -> None:
            heard.append(beat)

        async with running(hear_beats(bus, handler)):
            await bus.publish(subjects.beat(SITE), payload)
            await bus.publish(subjects.beat(SITE), codec.encode(beat_of(2)))
            await asyncio.sleep(0.05)

        assert ([beat.seq for beat in heard], [found.kind for found in bus.faults]) == ([2], [fault])

    async def test_what_the_handler_raises_ends_the_hearing(self, broker: FakeBroker, bus: FakeBus) -> None:
        """A hub that cannot write must not go on as if it had."""

        async def failing(_beat: Beat) -> None:
            raise ZeroDivisionError

        async with running(hear_beats(bus, failing)) as hearing:
            await bus.publish(subjects.beat(SITE), codec.encode(beat_of(1)))
            await asyncio.wait([hearing], timeout=1)

            assert isinstance(hearing.exception(), ZeroDivisionError)
        assert broker.subscriptions == []

    async def test_site_hears_only_its_own_receipts(self, bus: FakeBus) -> None:
        heard: list[Receipt] = []

        async def handler(receipt: Receipt) -> None:
            heard.append(receipt)

        async with running(hear_receipts(bus, SITE, handler)):
            for site in (OTHER, SITE):
                await send_receipt(bus, Receipt(site=site.code, epoch="e", applied=3))
            await asyncio.sleep(0.05)

        assert heard == [Receipt(site=SITE.code, epoch="e", applied=3)]

    async def test_receipt_is_seen_at_once_whatever_the_handler_is_busy_with(self, bus: FakeBus) -> None:
        """Writing one down waits behind an import; sending on by the next must not."""
        seen: list[int] = []
        release = asyncio.Event()

        async def handler(_receipt: Receipt) -> None:
            await release.wait()

        async with running(hear_receipts(bus, SITE, handler, lambda receipt: seen.append(receipt.applied))):
            for applied in (1, 2, 3):
                await send_receipt(bus, Receipt(site=SITE.code, epoch="e", applied=applied))
                await asyncio.sleep(0.01)

        assert seen == [1, 2, 3]
