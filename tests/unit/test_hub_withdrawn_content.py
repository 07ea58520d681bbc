"""What the hub keeps of a withdrawn record: a fingerprint for its site's next computer, while its tombstone lives."""

from collections.abc import AsyncIterator

import pytest

from hub.repair import tombstones
from hub.repair.fetches import STONE_ROWS, held_page
from hub.repair.tombstones import KEEP_DAYS
from protocol.events import WithdrawalCause
from protocol.fingerprints import content_key
from protocol.holdings import FetchHeld, HeldPage, HeldStone
from tests.catalogue import VILLAGE, described, fictitious, record_id, withdrawn
from tests.hubs import Hub
from tests.stores import Store

DAY_MS = 86_400_000
NOW_MS = 1_790_000_000_000


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        made = Hub(database)
        await made.tell(*(described(seq, fictitious(seq)) for seq in range(1, 6)))
        yield made


async def pages(hub: Hub) -> list[HeldPage]:
    """Walk through everything that a new node is told."""
    found: list[HeldPage] = []
    after = ""
    while not found or after:
        asked = FetchHeld(site=VILLAGE.code, node="U", question="q", after=after)
        page = await hub.database.read(lambda connection, asked=asked: held_page(connection, VILLAGE, asked))  # type: ignore[misc]
        found.append(page)
        after = page.cursor
    return found


async def stones(hub: Hub) -> list[HeldStone]:
    return [one for page in await pages(hub) for one in page.withdrawn]


async def kept(hub: Hub) -> int:
    counted = await hub.database.fetch("SELECT count(*) FROM withdrawn_content")
    return int(str(counted[0][0]))


async def test_what_was_withdrawn_is_told_behind_what_stands(hub: Hub) -> None:
    await hub.tell(withdrawn(6, record_id(1)))
    found = await pages(hub)
    (stone,) = found[-1].withdrawn
    record = fictitious(1)

    assert [(len(page.records), len(page.withdrawn)) for page in found] == [(4, 0), (0, 1)]
    assert (stone.record_id, stone.content_key, stone.cause) == (record_id(1), content_key(record), "row_vanished")
    assert (stone.fonds_no, stone.ref_code, stone.version) == (record.fonds_no, record.ref_code, record.version)


async def test_of_what_must_not_be_known_no_code_is_told(hub: Hub) -> None:
    await hub.tell(withdrawn(6, record_id(1), WithdrawalCause.SECRECY_RAISED))
    (stone,) = await stones(hub)

    assert (stone.fonds_no, stone.ref_code, stone.content_key) == ("", "", content_key(fictitious(1)))


@pytest.mark.parametrize("cause", [WithdrawalCause.NOT_IN_BASELINE, WithdrawalCause.NOT_HELD])
async def test_what_nobody_wanted_withdrawn_is_not_told(hub: Hub, cause: WithdrawalCause) -> None:
    """A folder that lists such a record is right."""
    await hub.tell(withdrawn(6, record_id(1), cause))

    assert await stones(hub) == []


async def test_a_record_that_comes_and_goes_within_a_batch_leaves_its_fingerprint(hub: Hub) -> None:
    await hub.tell(described(6, fictitious(9)), withdrawn(7, record_id(9)))

    assert [one.content_key for one in await stones(hub)] == [content_key(fictitious(9))]


async def test_a_record_that_is_back_has_none(hub: Hub) -> None:
    await hub.tell(withdrawn(6, record_id(1)))
    await hub.tell(described(7, fictitious(1)))

    assert (await stones(hub), await kept(hub)) == ([], 0)


async def test_it_goes_with_the_tombstone(hub: Hub) -> None:
    await hub.tell(withdrawn(6, record_id(1)))
    at_ms = NOW_MS + (KEEP_DAYS + 1) * DAY_MS
    horizon = "INSERT INTO tombstone_horizon (site, noted_at_ms, epoch, seq) VALUES (?, ?, 1, 6)"
    await hub.database.write(lambda connection: connection.exec_driver_sql(horizon, (VILLAGE.code, NOW_MS)))
    before = await kept(hub)
    gone = await hub.database.write(lambda connection: tombstones.prune(connection, VILLAGE.code, at_ms))

    assert (before, gone, await kept(hub)) == (1, 1, 0)


async def test_many_are_told_page_by_page_each_once(hub: Hub) -> None:
    count = STONE_ROWS + 7
    numbers = list(range(6, count + 6))
    for some in (numbers[:STONE_ROWS], numbers[STONE_ROWS:]):
        await hub.tell(*(described(seq, fictitious(seq)) for seq in some))
    for some in (numbers[:STONE_ROWS], numbers[STONE_ROWS:]):
        await hub.tell(*(withdrawn(count + seq, record_id(seq)) for seq in some))
    found = await pages(hub)
    told = [one.record_id for page in found for one in page.withdrawn]

    assert ([len(page.withdrawn) for page in found], len(set(told))) == ([0, STONE_ROWS, 7], count)
