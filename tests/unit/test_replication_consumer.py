"""The consumer: batches overlap, each says how long it kept the hub busy, and who has little goes first."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from protocol.errors import BadSetting
from protocol.subjects import events
from protocol.wording import Text
from replication import outbox
from replication.acceptance import AcceptedFrame
from replication.consumer import (
    FETCH_FRAMES,
    READY_FRAMES_MAX,
    STORED_FRAMES_MIN,
    STORED_S,
    Consumer,
    Message,
    Ready,
)
from replication.database import Database, opened
from replication.inbox import Inbox, Taken
from replication.migrations import REPLICATION
from replication.precedence import REST_SHARE, WORKED_S_MAX, GoOn, Precedence, undisturbed
from replication.watermarks import marks_of
from tests.builders import VILLAGE, drafts, frame_writer, identity
from tests.ledger import Ledger, schema_of
from tests.stores import Store


class Arrived(msgspec.Struct, kw_only=True):
    """A message that remembers whether it was acknowledged."""

    subject: str
    data: bytes
    acknowledged: bool = False

    async def ack(self) -> None:
        self.acknowledged = True


class Deliveries:
    """A source that has everything ready, and then nothing."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = list(messages)
        self.given = 0

    @property
    def waiting(self) -> int:
        return len(self._messages)

    async def fetch(self, limit: int) -> Sequence[Message]:
        if not self._messages:
            await asyncio.sleep(3600)
        given, self._messages = self._messages[:limit], self._messages[limit:]
        self.given += len(given)
        return given


class Readings(Ledger):
    """Counts the frames that were read."""

    read = 0

    def preparing(self, frame: AcceptedFrame) -> Generator[None, None, object]:
        self.read += 1
        return super().preparing(frame)


@pytest.fixture
async def database(store: Store) -> AsyncIterator[Database]:
    async with store.opened([REPLICATION]) as database:
        await database.write(lambda c: c.exec_driver_sql(schema_of(c)))
        yield database


async def frames(root: Path, count: int) -> list[bytes]:
    async with opened(root / "site.db", [REPLICATION]) as site:
        await site.write(lambda c: outbox.start_epoch(c, "epoch-a", ()))
        for _ in range(count):
            await site.write(lambda c: outbox.append(c, frame_writer(), drafts(2)))
        return [one.sealed for one in await site.read(lambda c: outbox.frames_after(c, 0, count))]


async def consumed(
    database: Database, source: Deliveries, batches: int, monotonic: Callable[[], float] = lambda: 0.0
) -> list[Taken]:
    """Let a consumer store so many batches of a source; returns what became of each."""
    inbox = Inbox(database, Ledger(), lambda _site: {identity(1).public_key}, lambda: 0)
    taken: list[Taken] = []
    done = asyncio.Event()

    async def take(one: Taken) -> None:
        taken.append(one)
        if len(taken) == batches:
            done.set()

    consumer = asyncio.create_task(Consumer(source, inbox, take, monotonic).run())
    try:
        async with asyncio.timeout(30):
            await done.wait()
    finally:
        consumer.cancel()
        await asyncio.gather(consumer, return_exceptions=True)
    return taken


async def arrived(root: Path, count: int) -> list[Arrived]:
    return [Arrived(subject=events(VILLAGE), data=sealed) for sealed in await frames(root, count)]


async def test_batches_are_applied_acknowledged_and_timed_without_counting_a_moment_twice(
    database: Database, tmp_path: Path
) -> None:
    """The hub's pace is what it shares the stream out by: overlapping batches must not look slower than they are."""
    came = await arrived(tmp_path, 2 * FETCH_FRAMES)
    clock = asyncio.get_running_loop().time
    begun = clock()
    taken = await consumed(database, Deliveries(came), 2, clock)
    passed_s = clock() - begun

    assert taken[0].applied_events == 2 * FETCH_FRAMES
    assert all(one.took_s > 0 for one in taken)
    assert sum(one.took_s for one in taken) <= passed_s


@pytest.mark.parametrize(("count", "batches"), [(5, [5]), (FETCH_FRAMES + 4, [FETCH_FRAMES, 4]), (3, [3])])
async def test_what_is_there_is_stored_together_but_never_more_than_a_batch(
    database: Database, tmp_path: Path, count: int, batches: list[int]
) -> None:
    """One transaction instead of two: half the fsyncs, half the segments of the index."""
    came = await arrived(tmp_path, count)
    taken = await consumed(database, Deliveries(came), len(batches))

    assert [one.applied_events // 2 for one in taken] == batches
    assert all(one.acknowledged for one in came)


async def test_a_slow_machine_stores_less_at_once(database: Database, tmp_path: Path) -> None:
    """Whoever has a single change, or writes at the window, waits for one transaction at least."""
    ticking = itertools.count(0.0, FETCH_FRAMES * STORED_S)
    count = 2 * FETCH_FRAMES + 2 * STORED_FRAMES_MIN
    came = await arrived(tmp_path, count)
    taken = await consumed(database, Deliveries(came), 3, lambda: next(ticking))

    assert taken[0].applied_events == 2 * FETCH_FRAMES
    assert taken[-1].applied_events == 2 * STORED_FRAMES_MIN


async def test_nothing_is_begun_for_who_comes_while_a_batch_is_stored(database: Database, tmp_path: Path) -> None:
    """What was begun is finished; but neither the next batch nor the next frame stands between a person and a page."""
    ticking = itertools.count(0.0, WORKED_S_MAX)
    precedence = Precedence(lambda: next(ticking))
    ledger = Readings()
    inbox = Inbox(database, ledger, lambda _site: {identity(1).public_key}, lambda: 0)
    waiting = AsyncExitStack()
    stored = 0
    begun: list[tuple[int, int]] = []

    async def take(_one: Taken) -> None:
        nonlocal stored
        stored += 1
        if stored == 1:
            waiting.enter_context(precedence.given())
            begun.append((stored, ledger.read))

    source = Deliveries(await arrived(tmp_path, 3 * FETCH_FRAMES))
    consumer = asyncio.create_task(Consumer(source, inbox, take, precedence=precedence).run())
    try:
        async with asyncio.timeout(30):
            while not begun:
                await asyncio.sleep(0.01)
            await asyncio.sleep(WORKED_S_MAX * REST_SHARE / 4)
            begun.append((stored, ledger.read))
            await waiting.aclose()
            while stored == 1:
                await asyncio.sleep(0.01)
    finally:
        consumer.cancel()
        await asyncio.gather(consumer, return_exceptions=True)

    assert begun[1] == begun[0]


class Interrupted(Ledger):
    """Somebody comes while the first frame of a transaction is applied, so often, and goes a little later."""

    def __init__(self, precedence: Precedence, times: int) -> None:
        super().__init__()
        self._precedence = precedence
        self._times = times
        self._loop = asyncio.get_running_loop()
        self.begun: list[int] = []
        """Frames of each transaction that was begun."""

    def apply(self, connection: Connection, frames: Sequence[AcceptedFrame], go_on: GoOn = undisturbed) -> None:
        self.begun.append(len(frames))
        if self._times:
            self._times -= 1
            asyncio.run_coroutine_threadsafe(self._come(), self._loop).result()
        super().apply(connection, frames, go_on)

    async def _come(self) -> None:
        self._precedence.hold(0.02)


@pytest.mark.parametrize(
    ("times", "begun"),
    [
        # Left undone whole; behind the page one frame is stored at all events, and then little at once.
        (1, [4, 1, 2, 1]),
        # A frame that was left undone is not left undone again, so it goes on however many come.
        (9, [4, 1, 2, 1, 2, 1, 1, 1]),
    ],
)
async def test_a_batch_is_left_undone_for_who_comes_and_stored_behind_them(
    database: Database, tmp_path: Path, times: int, begun: list[int]
) -> None:
    precedence = Precedence()
    ledger = Interrupted(precedence, times)
    inbox = Inbox(database, ledger, lambda _site: {identity(1).public_key}, lambda: 0)
    taken: list[Taken] = []
    done = asyncio.Event()

    async def take(one: Taken) -> None:
        taken.append(one)
        if sum(some.applied_events for some in taken) == 8:
            done.set()

    came = await arrived(tmp_path, 4)
    consumer = asyncio.create_task(Consumer(Deliveries(came), inbox, take, precedence=precedence).run())
    try:
        async with asyncio.timeout(30):
            await done.wait()
    finally:
        consumer.cancel()
        await asyncio.gather(consumer, return_exceptions=True)

    assert ledger.begun == begun
    assert sum(one.applied_events for one in taken) == 8
    assert all(one.acknowledged for one in came)
    assert (await database.read(lambda c: marks_of(c, [VILLAGE.code])))[VILLAGE.code].position == 8


async def test_what_ends_the_pulling_ends_the_consumer(database: Database) -> None:
    class Refusing(Deliveries):
        async def fetch(self, limit: int) -> Sequence[Message]:
            raise BadSetting(Text(zh="另一个流", en=f"another stream ({limit})"))

    inbox = Inbox(database, Ledger(), lambda _site: {identity(1).public_key}, lambda: 0)

    async def nobody(_taken: Taken) -> None:
        raise AssertionError

    with pytest.raises(BadSetting, match="another stream"):
        async with asyncio.timeout(10):
            await Consumer(Refusing([]), inbox, nobody).run()


# Who goes first


def message(site: str, kilobytes: float, number: int = 0) -> Arrived:
    return Arrived(subject=site, data=bytes([number]) * int(kilobytes * 1024))


def told(messages: Sequence[Message]) -> list[tuple[str, int]]:
    return [(one.subject, one.data[0]) for one in messages]


def test_a_site_with_one_change_goes_before_those_that_bring_a_backlog() -> None:
    ready = Ready(READY_FRAMES_MAX)
    ready.add([message(f"big-{number % 3}", 60, number) for number in range(9)])
    ready.add([message("small", 1, 77)])

    assert told(ready.take(4)) == [("small", 77), ("big-0", 0), ("big-1", 1), ("big-2", 2)]
    assert told(ready.take(9)) == [(f"big-{number % 3}", number) for number in range(3, 9)]


def test_sites_with_little_take_half_of_a_batch_at_most() -> None:
    ready = Ready(READY_FRAMES_MAX)
    ready.add([message("big", 60, number) for number in range(4)])
    ready.add([message(f"small-{number}", 1, number) for number in range(6)])

    assert told(ready.take(4)) == [("small-0", 0), ("small-1", 1), ("big", 0), ("big", 1)]
    assert told(ready.take(4)) == [("small-2", 2), ("small-3", 3), ("big", 2), ("big", 3)]
    assert told(ready.take(4)) == [("small-4", 4), ("small-5", 5)]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from((1, 6, 60))), max_size=40), st.integers(1, 16))
def test_messages_of_a_site_keep_their_order_and_none_is_lost(came: list[tuple[str, int]], limit: int) -> None:
    ready = Ready(READY_FRAMES_MAX)
    ready.add([message(site, kilobytes, number) for number, (site, kilobytes) in enumerate(came)])
    taken: list[tuple[str, int]] = []
    while len(ready):
        part = told(ready.take(limit))
        assert 1 <= len(part) <= limit
        taken += part

    for name in "abc":
        assert [number for site, number in taken if site == name] == [
            number for number, (site, _) in enumerate(came) if site == name
        ]


def test_no_more_is_pulled_than_has_room() -> None:
    ready = Ready(3)
    ready.add([message("a", 1)] * 2)
    before = ready.has_room.is_set()
    ready.add([message("a", 1)])
    full = ready.has_room.is_set()
    ready.take(1)

    assert (before, full, ready.has_room.is_set()) == (True, False, True)
