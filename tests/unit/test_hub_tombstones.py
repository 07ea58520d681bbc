"""Tombstones at the hub: forgotten only long after nothing can contradict them any more."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection, insert

from hub.repair import tombstones
from hub.repair.tombstones import HORIZON_DAYS, KEEP_DAYS
from protocol.sites import Site
from replication.dialects import upsert
from replication.tables import parked_frame, quarantine, watermark
from tests.catalogue import OTHER_VILLAGE, VILLAGE, described, fictitious, record_id, withdrawn
from tests.hubs import Hub
from tests.stores import Store

DAY_MS = 86_400_000
THEN_MS = 1_790_000_000_000
LATER_MS = THEN_MS + (KEEP_DAYS + 1) * DAY_MS


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        made = Hub(database)
        await made.tell(*(described(seq, fictitious(seq)) for seq in range(1, 6)))
        await made.tell(withdrawn(6, record_id(1)))
        await stand(made, 6)
        await database.write(lambda c: tombstones.note_horizon(c, VILLAGE.code, THEN_MS))
        await made.tell(withdrawn(7, record_id(2)))
        await stand(made, 7)
        yield made


async def stand(hub: Hub, position: int, site: Site = VILLAGE) -> None:
    def step(connection: Connection) -> None:
        row = {"node": "U", "epoch": "e1", "chain": "", "moved_at_ms": 1}
        connection.execute(
            upsert(watermark)
            .values(site=site.code, position=position, **row)
            .on_conflict_do_update(index_elements=[watermark.c.site], set_={"position": position})
        )

    await hub.database.write(step)


async def stones(hub: Hub) -> int:
    counted = await hub.database.fetch("SELECT count(*) FROM entry WHERE withdrawn IS NOT NULL")
    return int(str(counted[0][0]))


async def prune(hub: Hub, now_ms: int) -> tuple[int, int]:
    return await hub.database.write(lambda c: tombstones.prune(c, VILLAGE.code, now_ms)), await stones(hub)


async def test_only_what_lies_below_an_old_horizon_is_forgotten(hub: Hub) -> None:
    early = await prune(hub, THEN_MS + KEEP_DAYS * DAY_MS - 1)
    late = await prune(hub, LATER_MS)

    assert (early, late, await prune(hub, LATER_MS)) == ((0, 2), (1, 1), (0, 1))
    assert len(await hub.titles("")) == 3
    kept = await hub.database.fetch("SELECT what FROM history WHERE record_id = ?", (record_id(1).bytes,))
    assert kept == [("row_vanished",)]


async def test_nothing_is_forgotten_while_something_of_the_site_waits(hub: Hub) -> None:
    """A parked frame, or an event in quarantine, may still say what the tombstone outranks."""
    row = {"epoch": "e1", "previous": 9, "digest": "d", "sealed": b"", "parked_at_ms": 1}
    await hub.database.write(lambda c: c.execute(insert(parked_frame).values(site=VILLAGE.code, **row)))

    assert await prune(hub, LATER_MS) == (0, 2)


async def test_nothing_is_forgotten_while_an_event_of_the_site_is_in_quarantine(hub: Hub) -> None:
    row = {"epoch": "e1", "seq": 3, "fault": "f", "content": b"", "quarantined_at_ms": 1}
    words = dict.fromkeys(("reason_zh", "reason_en", "hint_zh", "hint_en"), "")
    await hub.database.write(lambda c: c.execute(insert(quarantine).values(site=VILLAGE.code, **row, **words)))

    assert await prune(hub, LATER_MS) == (0, 2)


async def test_a_horizon_counts_from_the_moment_that_it_is_old_enough(hub: Hub) -> None:
    assert await prune(hub, THEN_MS + KEEP_DAYS * DAY_MS) == (1, 1)


async def test_of_two_old_horizons_the_later_one_counts(hub: Hub) -> None:
    await hub.database.write(lambda c: tombstones.note_horizon(c, VILLAGE.code, THEN_MS + HORIZON_DAYS * DAY_MS))

    assert await prune(hub, LATER_MS + HORIZON_DAYS * DAY_MS) == (2, 0)


async def test_the_horizon_of_a_site_is_noted_whatever_was_noted_of_another(hub: Hub) -> None:
    await hub.tell(described(1, fictitious(9)), site=OTHER_VILLAGE)
    await stand(hub, 1, OTHER_VILLAGE)
    await hub.database.write(lambda c: tombstones.note_horizon(c, OTHER_VILLAGE.code, THEN_MS))
    noted = await hub.database.fetch("SELECT site FROM tombstone_horizon ORDER BY site")

    assert noted == sorted([(VILLAGE.code,), (OTHER_VILLAGE.code,)])


async def test_horizons_are_noted_now_and_then_and_do_not_pile_up(hub: Hub) -> None:
    for day in range(KEEP_DAYS + 30):
        now_ms = THEN_MS + day * DAY_MS
        await hub.database.write(lambda c, now_ms=now_ms: tombstones.note_horizon(c, VILLAGE.code, now_ms))  # type: ignore[misc]
    await prune(hub, THEN_MS + (KEEP_DAYS + 30) * DAY_MS)
    noted = await hub.database.fetch("SELECT count(*) FROM tombstone_horizon")

    assert int(str(noted[0][0])) <= (KEEP_DAYS + 30) // HORIZON_DAYS + 2


async def test_horizons_older_than_the_one_that_counted_are_let_go(hub: Hub) -> None:
    next_ms = THEN_MS + HORIZON_DAYS * DAY_MS
    await hub.database.write(lambda c: tombstones.note_horizon(c, VILLAGE.code, next_ms))
    await prune(hub, LATER_MS + HORIZON_DAYS * DAY_MS)

    assert await hub.database.fetch("SELECT noted_at_ms FROM tombstone_horizon") == [(next_ms,)]
