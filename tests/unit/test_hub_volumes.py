"""Volumes at the hub: what an owner says about its own records, shown with what the hub knows of it."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import Connection

from hub.entry_views import EntryView, view_of
from hub.volumes import CONTENTS_SHOWN_MAX, Volume, contents_of
from protocol.codec import encode_record
from protocol.events import WithdrawalCause
from protocol.records import Record
from protocol.vocabularies import Level
from replication.dialects import is_postgres
from replication.migrations import advance, migrations_in
from tests.catalogue import OTHER_VILLAGE, VILLAGE, described, fictitious, record_id, withdrawn
from tests.hubs import MIGRATIONS, Hub
from tests.stores import ONLY_SQLITE, Store

VOLUME = 1


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        yield Hub(database)


def volume() -> Record:
    return fictitious(VOLUME, title="山林承包卷", ref_code="001-2-15", level=Level.VOLUME)


def item(number: int, code: str = "", parent_id: UUID | None = None) -> Record:
    return fictitious(
        number,
        title=f"第{number}件",
        ref_code=code or f"001-2-15-{number}",
        parent_id=parent_id or record_id(VOLUME),
    )


async def seen(hub: Hub, number: int) -> EntryView:
    view = await hub.database.read(lambda connection: view_of(connection, record_id(number)))
    return view.entries[0]


async def test_volume_shows_its_items_in_the_order_of_their_numbers(hub: Hub) -> None:
    await hub.tell(*(described(seq, item(number)) for seq, number in enumerate((10, 2, 30), 1)))
    await hub.tell(described(4, volume()))
    contents = (await seen(hub, VOLUME)).contents
    assert contents.total == 3
    assert [one.ref_code for one in contents.first] == ["001-2-15-2", "001-2-15-10", "001-2-15-30"]


async def test_item_shows_its_volume(hub: Hub) -> None:
    await hub.tell(described(1, volume()), described(2, item(2)))
    entry = await seen(hub, 2)
    assert entry.volume == Volume(record_id=record_id(VOLUME), ref_code="001-2-15", title="山林承包卷", is_listed=True)
    assert entry.contents.total == 0
    assert (await seen(hub, VOLUME)).volume is None


async def test_volume_that_the_hub_does_not_hold_is_said_to_be_missing(hub: Hub) -> None:
    await hub.tell(described(1, item(2)))
    assert (await seen(hub, 2)).volume == Volume(record_id=record_id(VOLUME))
    await hub.tell(described(2, volume()))
    await hub.tell(withdrawn(3, record_id(VOLUME)))
    assert (await seen(hub, 2)).volume == Volume(record_id=record_id(VOLUME), ref_code="001-2-15")


async def test_items_that_leave_are_not_counted(hub: Hub) -> None:
    await hub.tell(described(1, volume()), *(described(number, item(number)) for number in (2, 3, 4)))
    other = record_id(9)
    await hub.tell(
        withdrawn(5, record_id(2), WithdrawalCause.ROW_VANISHED),
        described(6, item(3, parent_id=other)),
        described(7, fictitious(4, title="第4件")),
    )
    contents = await hub.database.read(lambda connection: contents_of(connection, VILLAGE.code, record_id(VOLUME)))
    assert contents.total == 0
    moved = await hub.database.read(lambda connection: contents_of(connection, VILLAGE.code, other))
    assert [one.title for one in moved.first] == ["第3件"]


async def test_another_site_puts_nothing_into_a_volume(hub: Hub) -> None:
    """Only the owner of a volume says what lies in it (promise 1)."""
    await hub.tell(described(1, volume()))
    await hub.tell(described(1, item(2)), site=OTHER_VILLAGE)
    assert (await seen(hub, VOLUME)).contents.total == 0
    assert (await seen(hub, 2)).volume == Volume(record_id=record_id(VOLUME))


async def test_large_volume_is_counted_whole_and_shown_in_part(hub: Hub) -> None:
    count = CONTENTS_SHOWN_MAX + 7
    await hub.tell(described(1, volume()), *(described(number, item(number)) for number in range(2, count + 2)))
    contents = (await seen(hub, VOLUME)).contents
    assert (contents.total, len(contents.first)) == (count, CONTENTS_SHOWN_MAX)


@ONLY_SQLITE
async def test_volume_is_found_through_the_index(hub: Hub) -> None:
    def plan(connection: Connection) -> str:
        asked = "SELECT count(*) FROM entry WHERE site = 'a' AND parent_id = 'b' AND body IS NOT NULL"
        if is_postgres(connection):
            # So few rows are read as they lie, unless that is forbidden.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        words = "EXPLAIN" if is_postgres(connection) else "EXPLAIN QUERY PLAN"
        return str(connection.exec_driver_sql(f"{words} {asked}").all())

    assert "entry_in_volume" in await hub.database.read(plan)


@ONLY_SQLITE
async def test_links_told_to_a_hub_that_did_not_know_them_are_there_after_its_upgrade(hub: Hub) -> None:
    await hub.tell(
        described(1, volume()), described(2, item(2)), described(3, fictitious(3)), withdrawn(4, record_id(3))
    )
    (late,) = [one for one in migrations_in(*MIGRATIONS[-1]) if one.name == "volumes-of-before"]

    def upgrade(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE entry SET parent_id = NULL")
        connection.exec_driver_sql("DELETE FROM migration WHERE package = 'hub' AND number = ?", (late.number,))
        while not advance(connection, late).is_done:
            continue

    await hub.database.write(upgrade)
    contents = (await seen(hub, VOLUME)).contents
    assert [(one.record_id, one.title) for one in contents.first] == [(record_id(2), "第2件")]
    stored = await hub.database.fetch("SELECT body FROM entry WHERE parent_id IS NOT NULL")
    assert stored == [(encode_record(item(2)),)]
