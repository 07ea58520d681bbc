"""The index is merged while nothing arrives, and holds the same before and after."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hub.storage.text_index import segments_of
from hub.storage.tidying import LOOK_EVERY_S, LOOK_EVERY_WRITES, PAUSE_S, TURN_S, Tidier
from replication.database import opened
from replication.precedence import Precedence
from replication.watermarks import Watermark, move
from tests.catalogue import VILLAGE, described, fictitious
from tests.hubs import MIGRATIONS, Hub

WRITES = 12


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    async with opened(tmp_path / "hub.db", MIGRATIONS) as database:
        yield Hub(database)


@pytest.fixture
async def loaded(hub: Hub) -> Hub:
    """A hub whose index came in many writes; one record was described again, another still is."""
    for number in range(WRITES):
        await hub.tell(described(number + 1, fictitious(number)))
    await hub.tell(described(WRITES + 1, fictitious(0, title="更正后的题名")))
    return hub


async def segments(hub: Hub) -> int:
    def count(connection: Connection) -> int:
        found: int = connection.exec_driver_sql("SELECT count(DISTINCT segid) FROM search_idx").scalar_one()
        return found

    counted = await hub.database.read(count)
    assert await hub.database.read(segments_of) == counted
    return counted


async def applied_up_to(hub: Hub, before: int, after: int) -> None:
    """Move the site's mark, as whatever applies frames does."""
    old, new = (Watermark(site=VILLAGE.code, epoch="e1" if at else "", position=at) for at in (before, after))
    assert await hub.database.write(lambda connection: move(connection, old, new, 1))


async def test_a_load_leaves_its_segments_to_be_merged_later(loaded: Hub) -> None:
    assert await segments(loaded) == WRITES + 1


async def test_a_quiet_hub_merges_its_index_and_finds_the_same(loaded: Hub) -> None:
    before = await loaded.index()

    assert await Tidier(loaded.database).look() >= 1
    assert await segments(loaded) == 1
    assert await loaded.index() == before == await loaded.rebuilt_index()


async def test_a_merged_index_is_left_alone(loaded: Hub) -> None:
    tidier = Tidier(loaded.database)
    await tidier.look()

    assert await tidier.look() == 0


async def test_nothing_is_merged_during_a_load(loaded: Hub) -> None:
    tidier = Tidier(loaded.database)
    await applied_up_to(loaded, 0, 5)

    assert await tidier.look() == 0
    assert await segments(loaded) == WRITES + 1

    assert await tidier.look() >= 1


async def test_merging_stops_as_soon_as_something_arrives(loaded: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    # So small a step needs several.
    monkeypatch.setattr("hub.storage.tidying.MERGE_PAGES", 1)
    pauses = []

    async def arriving(pause_s: float) -> None:
        pauses.append(pause_s)
        await applied_up_to(loaded, 5 * (len(pauses) - 1), 5 * len(pauses))

    assert await Tidier(loaded.database, sleep=arriving).look() == 1
    assert pauses == [PAUSE_S]


async def test_the_loop_waits_before_it_looks(loaded: Hub) -> None:
    """A hub that has just started has better things to do."""
    waited = []

    class Ended(Exception):
        pass

    async def sleep(pause_s: float) -> None:
        waited.append(pause_s)
        if waited.count(LOOK_EVERY_S) == 2:
            raise Ended

    with pytest.raises(Ended):
        await Tidier(loaded.database, sleep=sleep).run()

    assert waited[0] == LOOK_EVERY_S
    assert await segments(loaded) == 1


async def test_a_load_that_goes_on_leaves_no_more_than_so_many_segments(
    loaded: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.storage.tidying.SEGMENTS_MAX", WRITES)
    before = await loaded.index()

    assert await Tidier(loaded.database).keep_up() >= 1
    assert await segments(loaded) < WRITES
    assert await loaded.index() == before == await loaded.rebuilt_index()


async def test_few_segments_of_a_load_are_left_for_later(loaded: Hub) -> None:
    assert await Tidier(loaded.database).keep_up() == 0
    assert await segments(loaded) == WRITES + 1


async def test_the_segments_of_a_load_are_looked_at_after_some_batches(
    loaded: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.storage.tidying.SEGMENTS_MAX", WRITES)
    merged = asyncio.Event()

    async def sleep(_pause_s: float) -> None:
        merged.set()

    tidier = Tidier(loaded.database, sleep=sleep)
    running = asyncio.create_task(tidier.run_beside())
    try:
        for _ in range(LOOK_EVERY_WRITES - 1):
            tidier.note()
        await asyncio.sleep(0)
        looked_early = merged.is_set()
        tidier.note()
        async with asyncio.timeout(10):
            await merged.wait()
    finally:
        running.cancel()
    assert not looked_early


async def test_a_merge_beside_a_load_waits_for_the_pages_that_are_being_made(
    loaded: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.storage.tidying.SEGMENTS_MAX", WRITES)
    precedence = Precedence()

    with precedence.given():
        keeping = asyncio.create_task(Tidier(loaded.database, precedence=precedence).keep_up())
        await asyncio.sleep(TURN_S / 5)
        held = await segments(loaded)
    await keeping

    assert held == WRITES + 1
    assert await segments(loaded) < WRITES
