"""Leases: who does what, and that nobody who lost a duty can write for it any more."""

import asyncio
import threading
from collections.abc import Mapping
from functools import partial

import pytest
from sqlalchemy import Connection

from hub.workers.leases import (
    BEAT_S,
    LEAD,
    LEASE_MS,
    Beaten,
    LeaseLost,
    Worker,
    beat,
    crew_of,
    duties_of,
    guard,
    release,
    share_of,
    store_clock_ms,
)
from replication.database import Database
from tests.stores import ONLY_POSTGRES, PostgresStore, Store

DUTIES = duties_of(4)
THEN_MS = 1_790_000_000_000


async def beaten(
    database: Database, name: str, held: Mapping[str, int], at_ms: int = 0, *, stays: bool = True
) -> Beaten:
    return await database.write(lambda found: beat(found, name, held, DUTIES, THEN_MS + at_ms, stays=stays))


async def test_a_worker_alone_does_everything(store: Store) -> None:
    async with store.opened() as database:
        told = await beaten(database, "a", {})
    assert told.fences == dict.fromkeys(DUTIES, 1)
    assert told.give_up == ()


async def test_a_second_worker_gets_what_the_first_gives_up(store: Store) -> None:
    async with store.opened() as database:
        first = await beaten(database, "a", {})
        second = await beaten(database, "b", {}, 100)
        assert second.fences == {}, "nothing is free yet"
        told = await beaten(database, "a", first.fences, 200)
        assert told.give_up == ("part-02", "part-03")
        assert LEAD in told.fences
        for duty in told.give_up:
            await database.write(partial(release, name="a", duty=duty, fence=1))
        assert (await beaten(database, "b", {}, 300)).fences == {"part-02": 2, "part-03": 2}


async def test_what_a_killed_worker_did_is_taken_when_its_lease_ends_and_not_before(store: Store) -> None:
    async with store.opened() as database:
        await beaten(database, "a", {})
        assert (await beaten(database, "b", {}, LEASE_MS - 500)).fences == {}
        told = await beaten(database, "b", {}, LEASE_MS)
    assert told.fences == dict.fromkeys(DUTIES, 2)


async def test_the_next_sign_of_life_is_due_when_anothers_lease_ends(store: Store) -> None:
    """A takeover does not wait for the rest of a beat."""
    async with store.opened() as database:
        assert (await beaten(database, "a", {})).next_s == BEAT_S
        assert (await beaten(database, "b", {}, LEASE_MS - 500)).next_s == 0.5


async def test_a_worker_that_was_away_renews_what_nobody_took(store: Store) -> None:
    async with store.opened() as database:
        held = (await beaten(database, "a", {})).fences
        assert (await beaten(database, "a", held, 10 * LEASE_MS)).fences == held


async def test_a_worker_that_was_away_learns_what_others_took(store: Store) -> None:
    async with store.opened() as database:
        held = (await beaten(database, "a", {})).fences
        await beaten(database, "b", {}, 2 * LEASE_MS)
        assert (await beaten(database, "a", held, 2 * LEASE_MS + 1)).fences == {}


async def test_a_new_life_of_a_worker_gives_up_nothing_that_it_does_not_do(store: Store) -> None:
    async with store.opened() as database:
        await beaten(database, "a", {})
        await beaten(database, "b", {}, 100)
        told = await beaten(database, "a", {}, 200)
        assert (dict(told.fences), told.give_up) == ({}, ())
        assert (await beaten(database, "a", {}, LEASE_MS)).fences == {LEAD: 2, "part-00": 2, "part-01": 2}


async def test_a_worker_that_stops_is_not_counted_any_more(store: Store) -> None:
    async with store.opened() as database:
        held = (await beaten(database, "a", {})).fences
        told = await beaten(database, "a", held, 100, stays=False)
        assert set(told.give_up) == set(DUTIES)
        for duty in DUTIES:
            await database.write(partial(release, name="a", duty=duty, fence=1))
        await beaten(database, "a", {}, 150, stays=False)
        assert (await beaten(database, "b", {}, 200)).fences == dict.fromkeys(DUTIES, 2)


async def test_who_lost_a_duty_writes_nothing_more(store: Store) -> None:
    """The fence is looked at in the transaction that would write."""

    def write(connection: Connection, fence: int) -> None:
        guard("a", LEAD, fence)(connection)
        release(connection, "a", LEAD, fence)

    async with store.opened() as database:
        await beaten(database, "a", {})
        await beaten(database, "b", {}, LEASE_MS)
        with pytest.raises(LeaseLost):
            await database.write(partial(write, fence=1))
        crew = await database.read(lambda found: crew_of(found, THEN_MS + LEASE_MS))
    assert crew.kept()[LEAD].holder == "b"


async def test_a_worker_that_is_back_under_an_old_fence_writes_nothing(store: Store) -> None:
    """Lost and won again in between: what was prepared under the first fence may be stale."""
    async with store.opened() as database:
        await beaten(database, "a", {})
        await beaten(database, "b", {}, LEASE_MS)
        await beaten(database, "a", {}, 3 * LEASE_MS)
        with pytest.raises(LeaseLost):
            await database.write(guard("a", LEAD, 1))
        await database.write(guard("a", LEAD, 3))


@ONLY_POSTGRES
async def test_nobody_takes_a_duty_over_in_the_middle_of_a_transaction_of_it(
    store: Store, postgres_store: PostgresStore
) -> None:
    """A worker that froze while it wrote: others wait for its transaction's end, and beat meanwhile."""
    begun, go_on = threading.Event(), threading.Event()

    def write(connection: Connection) -> None:
        guard("a", LEAD, 1)(connection)
        begun.set()
        assert go_on.wait(20)

    async with store.opened() as first, postgres_store.beats() as beats:
        held = (await beaten(beats, "a", {})).fences
        writing = asyncio.create_task(first.write(write))
        while not begun.is_set():
            await asyncio.sleep(0.01)
        assert (await beaten(beats, "a", held, 10)).fences == held, "its own renewals go on"
        taken = await beaten(beats, "b", {}, 2 * LEASE_MS)
        assert LEAD not in taken.fences
        assert set(taken.fences) == set(DUTIES) - {LEAD}
        go_on.set()
        await writing
        assert (await beaten(beats, "b", taken.fences, 2 * LEASE_MS + 10)).fences[LEAD] == 2
        with pytest.raises(LeaseLost):
            await first.write(guard("a", LEAD, 1))


async def test_the_clock_is_the_stores(store: Store) -> None:
    async with store.opened() as database:
        assert await database.read(store_clock_ms) > THEN_MS - 10 * 365 * 86_400_000


def test_the_oldest_workers_have_the_rest() -> None:
    living = [Worker(name=name, started_at_ms=at, seen_at_ms=at) for at, name in enumerate("cab")]
    assert [share_of(one.name, living, 5) for one in living] == [2, 2, 1]
    assert share_of("z", living, 5) == 0
