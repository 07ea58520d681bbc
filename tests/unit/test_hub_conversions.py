"""Volumes described item by item: how far a site has come, against its plan."""

from collections.abc import AsyncIterator

import pytest

from hub.keeping import conversions
from hub.keeping.conversions import Conversion
from hub.staff.administration import Actor
from protocol.errors import BadValue
from protocol.records import Record
from protocol.vocabularies import Level
from tests.catalogue import VILLAGE, described, fictitious, record_id
from tests.hubs import Hub
from tests.stores import Store

ACTOR, NOW_MS, YEAR = Actor(who="档案员"), 1_800_000_000_000, 2026


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        yield Hub(database)


def volume(number: int) -> Record:
    return fictitious(number, level=Level.VOLUME, ref_code=f"001-2-{number}")


def item(number: int, of: int) -> Record:
    return fictitious(number, parent_id=record_id(of), ref_code=f"001-2-{of}-{number}")


async def seen(hub: Hub) -> list[Conversion]:
    return await hub.database.read(lambda c: conversions.conversions(c, YEAR))


async def test_volumes_with_items_count_as_converted_and_keep_their_entries(hub: Hub) -> None:
    records = (volume(1), volume(2), volume(3), item(11, 1), item(12, 1), item(13, 2))
    await hub.tell(*(described(seq, one) for seq, one in enumerate(records, 1)))

    assert await seen(hub) == [Conversion(site=VILLAGE.code, volumes=3, converted=2, items=3)]
    assert (await seen(hub))[0].to_convert == 1


async def test_the_plan_of_a_year_counts_what_was_converted_since(hub: Hub) -> None:
    await hub.tell(*(described(seq, one) for seq, one in enumerate((volume(1), volume(2), volume(3), item(11, 1)), 1)))
    planned = await hub.database.write(lambda c: conversions.plan(c, ACTOR, YEAR, VILLAGE.code, 2, NOW_MS))
    assert (planned.planned, planned.done, planned.share) == (2, 0, 0.0)

    await hub.tell(described(5, item(12, 2)))
    again = await hub.database.write(lambda c: conversions.plan(c, ACTOR, YEAR, VILLAGE.code, 2, NOW_MS))
    assert (again.planned, again.done, again.share) == (2, 1, 0.5)


async def test_more_volumes_than_there_are_cannot_be_planned(hub: Hub) -> None:
    await hub.tell(described(1, volume(1)))
    with pytest.raises(BadValue):
        await hub.database.write(lambda c: conversions.plan(c, ACTOR, YEAR, VILLAGE.code, 2, NOW_MS))
