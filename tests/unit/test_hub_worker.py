"""A worker: begins and ends what the leases say, finishes before it gives up, and pulls nothing it may not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from hub.workers.leases import LEAD, LEASE_MS, LeaseLost, beat, crew_of, duties_of, store_clock_ms
from hub.workers.worker import PULL_S, SLACK_S, LeasedSource, Worker
from protocol.wording import Text
from replication.consumer import Message
from replication.database import Database
from tests.stores import PostgresStore
from tests.system.programs import until

DUTIES = duties_of(3)


class Work:
    """Duties that note when they begin and end."""

    def __init__(self) -> None:
        self.doing: set[str] = set()
        self.failing: dict[str, Exception] = {}
        self.failed: list[str] = []
        self.finish_s = 0.0

    async def do(self, duty: str, _fence: int, _certain_s: Callable[[], float]) -> None:
        if duty in self.failing:
            self.failed.append(duty)
            raise self.failing[duty]
        self.doing.add(duty)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(self.finish_s)
            self.doing.discard(duty)


@asynccontextmanager
async def working(database: Database, name: str, work: Work) -> AsyncIterator[Worker]:
    worker = Worker(database, name, DUTIES, work.do)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        running.cancel()
        await asyncio.wait([running])


async def holders(database: Database) -> dict[str, str]:
    def look(connection: object) -> dict[str, str]:
        crew = crew_of(connection, store_clock_ms(connection))  # type: ignore[arg-type]
        return {duty: one.holder for duty, one in crew.kept().items()}

    return await database.read(look)


async def test_two_workers_share_and_the_one_that_stays_has_all(postgres_store: PostgresStore) -> None:
    async with postgres_store.opened() as store, postgres_store.beats() as ours, postgres_store.beats() as theirs:
        first, second = Work(), Work()
        async with working(ours, "a", first):
            await until("all of it", lambda: first.doing == set(DUTIES))
            async with working(theirs, "b", second):
                await until("a half each", lambda: len(first.doing) == len(second.doing) == 2)
                assert first.doing | second.doing == set(DUTIES)
            assert not second.doing, "a worker that stops finishes what it does"
            await until("all of it again", lambda: first.doing == set(DUTIES))
        assert await holders(store) == {}, "nobody is left, and everything is free at once"


async def test_nobody_begins_a_duty_before_the_other_has_finished_it(postgres_store: PostgresStore) -> None:
    async with postgres_store.opened(), postgres_store.beats() as ours, postgres_store.beats() as theirs:
        first, second = Work(), Work()
        first.finish_s = 1.0
        both: list[set[str]] = []

        def look() -> bool:
            both.append(first.doing & second.doing)
            return len(second.doing) == 2

        async with working(ours, "a", first):
            await until("all of it", lambda: first.doing == set(DUTIES))
            async with working(theirs, "b", second):
                await until("a half", look)
    assert not any(both)


async def test_a_duty_that_was_fenced_off_ends_alone(postgres_store: PostgresStore) -> None:
    """The others go on: only that part has changed hands."""
    others = set(DUTIES) - {LEAD}
    async with postgres_store.opened() as store, postgres_store.beats() as beats:
        work = Work()
        work.failing[LEAD] = LeaseLost(Text(zh="已由他人接手", en="lost"))
        async with working(beats, "a", work):
            await until("the loss", lambda: work.failed)
            await until("the rest", lambda: work.doing == others)
            kept = await holders(store)

            assert {duty: kept.get(duty) for duty in others} == dict.fromkeys(others, "a")
            assert (work.doing, set(work.failed)) == (others, {LEAD})


async def test_a_defect_in_a_duty_ends_the_worker(postgres_store: PostgresStore) -> None:
    """It must not go on as if it did what its lease says."""
    async with postgres_store.opened(), postgres_store.beats() as beats:
        work = Work()
        work.failing[LEAD] = ValueError("a defect")
        with pytest.raises(ExceptionGroup, match="unhandled") as raised:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(Worker(beats, "a", DUTIES, work.do).run())
        assert raised.group_contains(ValueError, match="a defect")


async def test_what_was_lost_while_we_were_away_is_ended(postgres_store: PostgresStore) -> None:
    async with postgres_store.opened() as store, postgres_store.beats() as beats:
        work = Work()
        async with working(beats, "a", work):
            await until("all of it", lambda: work.doing == set(DUTIES))
            # As if the worker had not been heard for long: another takes everything.
            later = LEASE_MS * 2
            told = await store.write(lambda found: beat(found, "b", {}, DUTIES, store_clock_ms(found) + later))
            assert set(told.fences) == set(DUTIES)
            await until("the end of it", lambda: not work.doing)


class Source:
    """A source that notes how long it was asked to wait."""

    waiting = 0

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def fetch(self, _limit: int, wait_s: float) -> Sequence[Message]:
        self.waits.append(wait_s)
        return ()


@pytest.mark.parametrize(("certain_s", "waits"), [(6.0, [PULL_S]), (1.5, [1.5 - SLACK_S]), (SLACK_S, []), (0.0, [])])
async def test_nothing_is_pulled_beyond_the_end_of_a_lease(certain_s: float, waits: list[float]) -> None:
    """What the broker gave to a worker that lost its part would come to the next one only after a minute."""
    source = Source()
    assert not await LeasedSource(source, lambda: certain_s).fetch(16)
    assert source.waits == waits
