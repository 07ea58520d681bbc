"""The consumer: batches overlap, and each says how long it kept the hub busy."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest

from protocol.subjects import events
from replication import outbox
from replication.consumer import FETCH_FRAMES, Consumer, Message
from replication.database import Database, opened
from replication.inbox import Inbox, Taken
from replication.migrations import REPLICATION
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
    """A source that has its batches ready, one after the other, and then nothing."""

    waiting = 0

    def __init__(self, *batches: Sequence[Message]) -> None:
        self._batches = list(batches)

    async def fetch(self, limit: int) -> Sequence[Message]:
        assert limit > 0
        if self._batches:
            return self._batches.pop(0)
        await asyncio.sleep(3600)
        return []


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


async def test_batches_are_applied_acknowledged_and_timed_without_counting_a_moment_twice(
    database: Database, tmp_path: Path
) -> None:
    """The hub's pace is what it shares the stream out by: overlapping batches must not look slower than they are."""
    arrived = [Arrived(subject=events(VILLAGE), data=sealed) for sealed in await frames(tmp_path, 6)]
    inbox = Inbox(database, Ledger(), lambda _site: {identity(1).public_key}, lambda: 0)
    taken: list[Taken] = []
    done = asyncio.Event()

    async def take(one: Taken) -> None:
        taken.append(one)
        if len(taken) == 3:
            done.set()

    begun = asyncio.get_running_loop().time()
    consumer = asyncio.create_task(Consumer(Deliveries(arrived[:2], arrived[2:4], arrived[4:]), inbox, take).run())
    async with asyncio.timeout(10):
        await done.wait()
    passed_s = asyncio.get_running_loop().time() - begun
    consumer.cancel()
    await asyncio.gather(consumer, return_exceptions=True)

    assert [one.applied_events for one in taken] == [4, 4, 4]
    assert all(one.acknowledged for one in arrived)
    assert all(one.took_s > 0 for one in taken)
    assert sum(one.took_s for one in taken) <= passed_s


class Bursts:
    """A source of two bursts, the second of which comes while the first is read."""

    def __init__(self, first: Sequence[Message], second: Sequence[Message]) -> None:
        self._first, self._second = list(first), list(second)

    @property
    def waiting(self) -> int:
        return 0 if self._first else len(self._second)

    async def fetch(self, limit: int) -> Sequence[Message]:
        burst = self._first or self._second
        if not burst:
            await asyncio.sleep(3600)
        given = burst[:limit]
        del burst[:limit]
        return given


@pytest.mark.parametrize(
    ("first", "second", "batches"), [(2, 3, [5]), (1, FETCH_FRAMES + 3, [FETCH_FRAMES, 4]), (3, 0, [3])]
)
async def test_what_came_while_a_batch_was_read_is_stored_with_it(
    database: Database, tmp_path: Path, first: int, second: int, batches: list[int]
) -> None:
    """One transaction instead of two: half the fsyncs, half the segments of the index; but never more than a batch."""
    arrived = [Arrived(subject=events(VILLAGE), data=sealed) for sealed in await frames(tmp_path, first + second)]
    inbox = Inbox(database, Ledger(), lambda _site: {identity(1).public_key}, lambda: 0)
    taken: list[int] = []
    done = asyncio.Event()

    async def take(one: Taken) -> None:
        taken.append(one.applied_events // 2)
        if len(taken) == len(batches):
            done.set()

    consumer = asyncio.create_task(Consumer(Bursts(arrived[:first], arrived[first:]), inbox, take).run())
    async with asyncio.timeout(10):
        await done.wait()
    consumer.cancel()
    await asyncio.gather(consumer, return_exceptions=True)

    assert taken == batches
    assert all(one.acknowledged for one in arrived)
