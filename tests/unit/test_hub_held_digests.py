"""What the hub holds of a fonds, bucket by bucket: read once, in lots that memory bounds."""

from collections.abc import AsyncIterator, Callable
from typing import TypeVar
from uuid import UUID

import pytest
from sqlalchemy import Connection

from hub.repair import held_digests
from hub.repair.held_digests import HeldDigests, digests_page, lot_from
from protocol.codec import encode_record
from replication.database import Database
from replication.digests import bucket_of, digest_name, record_digest
from tests.catalogue import VILLAGE, described, fictitious
from tests.hubs import Hub
from tests.stores import Store

T = TypeVar("T")

RECORDS = [fictitious(number, fonds_no="J001") for number in range(1, 301)]
ELSEWHERE = [fictitious(number, fonds_no="J002") for number in range(400, 420)]
COUNTS = {bucket: sum(bucket_of(one.record_id) == bucket for one in RECORDS) for bucket in range(256)}


class Counting:
    """A database that counts how often it is read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reads = 0

    async def read(self, step: Callable[[Connection], T]) -> T:
        """Read, and count."""
        self.reads += 1
        return await self._database.read(step)


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        hub = Hub(database)
        await hub.tell(*(described(seq, record) for seq, record in enumerate([*RECORDS, *ELSEWHERE], 1)))
        yield hub


def held(database: Database | Counting, at_once: int) -> HeldDigests:
    return HeldDigests(database, VILLAGE.code, "J001", COUNTS, anew=True, at_once=at_once)  # type: ignore[arg-type]


def expected(bucket: int) -> dict[UUID, str]:
    return {
        one.record_id: digest_name(record_digest(encode_record(one)))
        for one in RECORDS
        if bucket_of(one.record_id) == bucket
    }


@pytest.mark.parametrize("at_once", [1, 100, 200_000])
async def test_every_bucket_is_whole_whatever_fits_into_memory(hub: Hub, at_once: int) -> None:
    digests = held(hub.database, at_once)
    found = {bucket: (await digests.of(bucket)).stored for bucket in range(256)}

    assert found == {bucket: expected(bucket) for bucket in range(256)}


async def test_pages_smaller_than_a_lot_lose_nothing(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_digests, "PAGE_ROWS", 7)
    digests = held(hub.database, 200_000)
    found = {bucket: (await digests.of(bucket)).stored for bucket in range(256)}

    assert found == {bucket: expected(bucket) for bucket in range(256)}


async def test_a_fonds_that_fits_into_memory_is_read_once(hub: Hub) -> None:
    """It was read once for each of its buckets."""
    counting = Counting(hub.database)
    digests = held(counting, 200_000)
    for bucket in range(256):
        await digests.of(bucket)

    assert counting.reads == 1


async def test_bucket_asked_for_again_is_still_told(hub: Hub) -> None:
    digests = held(hub.database, 50)
    for bucket in (0, 200, 0):
        assert (await digests.of(bucket)).stored == expected(bucket)


async def test_bytes_without_their_digest_are_named(hub: Hub) -> None:
    spoilt = RECORDS[17].record_id
    await hub.database.write(
        lambda c: c.exec_driver_sql("UPDATE entry SET body = ? WHERE record_id = ?", (b"{}", spoilt.bytes))
    )
    bucket = await held(hub.database, 200_000).of(bucket_of(spoilt))
    unlooked = await hub.database.read(
        lambda c: digests_page(c, site=VILLAGE.code, fonds_no="J001", buckets=[bucket_of(spoilt)])
    )

    assert (set(bucket.damaged), bucket.stored) == ({spoilt}, expected(bucket_of(spoilt)))
    assert all(one.is_sound for _, one in unlooked)


def test_lot_is_as_many_buckets_as_fit_and_at_least_one() -> None:
    counts = {0: 5, 1: 5, 3: 5, 9: 100}

    assert lot_from(0, counts, 10) == [0, 1]
    assert lot_from(0, counts, 15) == [0, 1, 3]
    assert lot_from(9, counts, 10) == [9]
    assert lot_from(2, counts, 10) == [2, 3]
