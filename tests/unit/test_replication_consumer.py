"""The consumer: batches overlap, and each says how long it kept the hub busy."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest

from protocol.subjects import events
from replication import outbox
from replication.consumer import Consumer, Message
from replication.database import Database, opened
from replication.inbox import Inbox, Taken
from replication.migrations import REPLICATION
from tests.builders import VILLAGE, drafts, frame_writer, identity
from tests.ledger import SCHEMA, Ledger


class Arrived(msgspec.Struct, kw_only=True):
    """A message that remembers whether it was acknowledged."""

    subject: str
    data: bytes
    acknowledged: bool = False

    async def ack(self) -> None:
        self.acknowledged = True


class Deliveries:
    """A source that has its batches ready, one after the other, and then nothing."""

    def __init__(self, *batches: Sequence[Message]) -> None:
        self._batches = list(batches)

    async def fetch(self, limit: int) -> Sequence[Message]:
        assert limit > 0
        if self._batches:
            return self._batches.pop(0)
        await asyncio.sleep(3600)
        return []


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path / "hub.db", [REPLICATION]) as database:
        await database.write(lambda c: c.exec_driver_sql(SCHEMA))
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
