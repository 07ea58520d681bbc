"""Retractions: each withdrawal and closing is confirmed by a copy or is not; tombstones go only when that is safe."""

from pathlib import Path

import pytest
from sqlalchemy import Connection

from node import baseline, retractions
from node.copies import PUT_BACK_AFTER_MS, Copies
from node.retractions import COPY_ABSENT_DAYS, HUB, TOMBSTONE_DAYS, Retraction
from protocol.beats import Receipt
from protocol.events import AccessChanged
from replication import outbox
from tests.node_site import CODE, NodeSite, node_site, rows, write_csv

DAY_MS = 86_400_000


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_790_000_000_000

    def __call__(self) -> int:
        return self.now_ms


async def closed_and_withdrawn(site: NodeSite) -> None:
    """Twelve rows; then the last vanishes, and the first is closed and corrected at once."""
    table = rows(12)
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    table[0][1], table[0][8] = "关于更正后的题名", "控制"
    write_csv(site.folder / "a.csv", table[:11])
    await site.take("a.csv")


async def told(site: NodeSite) -> dict[str, Retraction]:
    return {one.kind: one for one in await site.database.read(lambda c: retractions.latest(c, 20))}


async def receipt(site: NodeSite, applied: int | None = None) -> Receipt:
    here = await site.database.read(outbox.head)
    assert here is not None
    return Receipt(site=CODE, epoch=here.epoch, applied=here.seq if applied is None else applied)


async def test_closing_travels_as_a_closing_also_when_the_row_was_corrected_too(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        await closed_and_withdrawn(site)
        changed = [event for event in await site.events() if isinstance(event, AccessChanged)]

    assert [event.access_status for event in changed] == ["restricted"]


async def test_receipt_confirms_what_it_covers_and_nothing_beyond(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        await closed_and_withdrawn(site)
        clock = Clock()
        copies = Copies(site.database, clock)
        before = await told(site)
        await copies.confirm(await receipt(site, before["closed"].seq))
        half = await told(site)
        clock.now_ms += 7
        await copies.confirm(await receipt(site))
        whole = await told(site)

    assert (before["closed"].confirmed, before["withdrawn"].confirmed) == ({}, {})
    assert (half["closed"].confirmed, half["withdrawn"].confirmed) == ({HUB: clock.now_ms - 7}, {})
    assert whole["withdrawn"].confirmed == {HUB: clock.now_ms}
    assert whole["closed"].confirmed == {HUB: clock.now_ms - 7}


async def test_copy_that_was_put_back_has_confirmed_nothing_beyond_where_it_stands(tmp_path: Path) -> None:
    """Believed only after a while: a receipt that was overtaken on its way says the same."""
    async with node_site(tmp_path) as site:
        await closed_and_withdrawn(site)
        clock = Clock()
        copies = Copies(site.database, clock)
        await copies.confirm(await receipt(site))
        await copies.confirm(await receipt(site, 3))
        overtaken = (await told(site))["withdrawn"].confirmed
        clock.now_ms += PUT_BACK_AFTER_MS
        await copies.confirm(await receipt(site, 3))
        put_back = (await told(site))["withdrawn"].confirmed

    assert (list(overtaken), put_back) == ([HUB], {})


async def test_baseline_of_a_new_epoch_confirms_what_the_old_one_left_open(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        await closed_and_withdrawn(site)

        def renew(connection: Connection) -> None:
            baseline.begin_epoch(connection, site.writer, "e2", ("e1",), "diverged")
            while baseline.go_on(connection, site.writer):
                pass

        await site.database.write(renew)
        copies = Copies(site.database, Clock())
        await copies.confirm(await receipt(site, 2))
        early = (await told(site))["withdrawn"].confirmed
        await copies.confirm(await receipt(site))
        late = (await told(site))["withdrawn"].confirmed

    assert (early, list(late)) == ({}, [HUB])


async def pruned(site: NodeSite, now_ms: int, **bounds: int) -> tuple[int, int]:
    gone = await site.database.write(lambda c: retractions.prune(c, now_ms, **bounds))
    left = await site.database.fetch("SELECT count(*) FROM record WHERE standing = 'gone'")
    return gone, int(str(left[0][0]))


async def test_tombstone_outlives_its_days_until_every_copy_has_passed_it(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        await closed_and_withdrawn(site)
        clock = Clock()
        copies = Copies(site.database, clock)
        minted = (await told(site))["withdrawn"]
        clock.now_ms = minted.minted_at_ms + (TOMBSTONE_DAYS + 1) * DAY_MS
        await copies.confirm(await receipt(site, minted.seq - 1))
        unpassed = await pruned(site, clock.now_ms)
        await copies.confirm(await receipt(site))
        young = await pruned(site, minted.minted_at_ms + DAY_MS)
        old = await pruned(site, clock.now_ms)

    assert (unpassed[1], young, old[1]) == (1, (0, 1), 0)


async def test_absent_copy_is_not_waited_for_and_is_brought_on_by_a_baseline(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        await closed_and_withdrawn(site)
        here = await site.database.read(outbox.head)
        assert here is not None
        await site.database.write(lambda c: baseline.begin(c, site.writer, "asked"))
        while await site.database.write(lambda c: baseline.go_on(c, site.writer)):
            pass
        ended = await receipt(site)
        clock = Clock()
        minted = (await told(site))["withdrawn"]
        clock.now_ms = minted.minted_at_ms
        await Copies(site.database, clock).confirm(await receipt(site, minted.seq - 1))
        known = await site.database.read(lambda c: baseline.is_known(c, ended))
        clock.now_ms += (TOMBSTONE_DAYS + COPY_ABSENT_DAYS) * DAY_MS
        gone = await pruned(site, clock.now_ms)
        behind = Receipt(site=CODE, epoch=here.epoch, applied=minted.seq - 1)
        knows = [await site.database.read(lambda c, one=one: baseline.is_known(c, one)) for one in (behind, ended)]  # type: ignore[misc]

    assert (known, gone[1], knows) == (True, 0, [False, True])


async def test_too_many_tombstones_lose_the_oldest_that_everybody_has_passed(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        table = rows(60)
        write_csv(site.folder / "a.csv", table)
        await site.take("a.csv")
        for count in (58, 56, 54):
            write_csv(site.folder / "a.csv", table[:count])
            await site.take("a.csv")
        await Copies(site.database, site.clock.ms).confirm(await receipt(site))
        gone = await pruned(site, site.clock.ms(), most=4)
        again = await pruned(site, site.clock.ms(), most=4)

    assert (gone, again) == ((2, 4), (0, 4))


async def test_database_of_before_has_its_tombstones_adopted(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        await closed_and_withdrawn(site)
        await site.database.write(lambda c: c.exec_driver_sql("DELETE FROM retraction"))
        adopted = [await site.database.write(lambda c: retractions.adopt(c, 5)) for _ in range(2)]

        assert adopted == [1, 0]
        assert (await told(site))["withdrawn"].minted_at_ms == 5


@pytest.mark.parametrize("count", [0, 1])
async def test_county_that_was_never_heard_of_is_waited_for(tmp_path: Path, count: int) -> None:
    async with node_site(tmp_path) as site:
        await closed_and_withdrawn(site)
        if count:
            await Copies(site.database, site.clock.ms).confirm(await receipt(site))
        gone = await pruned(site, site.clock.ms() + 2 * TOMBSTONE_DAYS * DAY_MS)

    assert gone[1] == 1 - count
