"""What a courier brings back to a site: receipts that empty the outbox, wishes that are done, and old sticks."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from node import couriers
from node.deliveries import Deliveries
from node.epochs import Epochs
from node.home import home_at
from protocol.beats import Want
from protocol.bundles import BundleFault, Compared, Party, Reply
from protocol.errors import BadBundle, BadSetting
from replication import deliveries, outbox
from replication.bundles import read_bundle
from replication.carriage import Outcome
from tests.builders import identity
from tests.couriers import HUB_KEY, CountyEnd, VillageEnd, county_end, rewritten, village_end
from tests.node_site import CODE, rows, write_csv


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
async def village(tmp_path: Path) -> AsyncIterator[VillageEnd]:
    async with village_end(tmp_path / "village") as end:
        await fill(end, "a.csv", 1)
        yield end


@pytest.fixture
async def county(tmp_path: Path, village: VillageEnd) -> AsyncIterator[CountyEnd]:
    async with county_end(tmp_path / "county") as end:
        await end.admit(village.identity.public_key)
        yield end


async def fill(village: VillageEnd, name: str, first: int, count: int = 3) -> None:
    write_csv(village.site.folder / name, rows(count, first=first))
    await village.site.take(name)


async def position(village: VillageEnd) -> outbox.Position:
    here = await village.database.read(outbox.head)
    assert here is not None
    return here


async def round_trip(village: VillageEnd, county: CountyEnd, stick: Path) -> Path:
    """Carry a stick to the county and back; returns the reply."""
    await county.take(await village.write(stick))
    reply = await county.reply(stick)
    assert (await village.take(reply)).outcome is Outcome.TAKEN
    return reply


async def test_a_receipt_on_a_stick_empties_the_outbox(village: VillageEnd, county: CountyEnd, stick: Path) -> None:
    await county.take(await village.write(stick))
    taken = await village.take(await county.reply(stick))
    assert (taken.last, taken.compared) == (3, Compared.EQUAL)
    assert await village.database.read(outbox.depth) == 0


async def test_what_was_minted_meanwhile_stays(village: VillageEnd, county: CountyEnd, stick: Path) -> None:
    await county.take(await village.write(stick))
    await fill(village, "b.csv", 50)
    await village.take(await county.reply(stick))
    waiting = await village.database.read(lambda c: outbox.frames_after(c, 0, 10))
    assert [(frame.previous, frame.last) for frame in waiting] == [(3, 6)]


async def test_a_reply_taken_twice_or_late_changes_nothing(village: VillageEnd, county: CountyEnd, stick: Path) -> None:
    old = await round_trip(village, county, stick)
    await fill(village, "b.csv", 50)
    new = await round_trip(village, county, stick)
    before = (await position(village), await village.database.read(couriers.read))
    assert (await village.take(new)).outcome is Outcome.REPEATED
    assert (await village.take(old)).outcome is Outcome.OLDER
    assert (await position(village), await village.database.read(couriers.read)) == before


async def test_an_old_receipt_that_was_never_taken_is_no_sign_of_a_hub_that_was_put_back(
    village: VillageEnd, county: CountyEnd, stick: Path
) -> None:
    """The site got later receipts over the network: the stick says less, and means nothing by it."""
    await county.take(await village.write(stick))
    late = await county.reply(stick)
    await fill(village, "b.csv", 50)
    await village.database.write(lambda c: outbox.forget(c, 6))
    before = await position(village)
    assert (await village.take(late)).outcome is Outcome.TAKEN
    log = await village.database.read(couriers.read)
    assert (await position(village), log.behind_epoch) == (before, "")


async def test_a_hub_that_was_put_back_is_told_everything_anew(
    village: VillageEnd, county: CountyEnd, stick: Path, tmp_path: Path
) -> None:
    """The hub is empty again; the next round trip refuses, the one after brings everything."""
    await round_trip(village, county, stick)
    before = await position(village)
    async with county_end(tmp_path / "put back") as empty:
        empty.now_ms = county.now_ms
        await empty.admit(village.identity.public_key)
        with pytest.raises(BadBundle, match="put back"):
            await empty.take(await village.write(stick))
        await village.take(await empty.reply(stick))
        after = await position(village)
        assert after.epoch != before.epoch
        assert before.epoch in after.retires
        taken = await empty.take(await village.write(stick))
        assert (taken.compared, len(await empty.titles())) == (Compared.EQUAL, 3)


async def test_a_hub_that_lost_a_little_is_caught_up_in_the_same_epoch(
    village: VillageEnd, county: CountyEnd, stick: Path, tmp_path: Path
) -> None:
    """The baseline is behind it: what changed since is enough, and it is made afresh from the records."""
    home = home_at(tmp_path / "village")
    await village.database.write(lambda c: c.exec_driver_sql("DELETE FROM head"))
    await Epochs(village.database, village.site.writer, lambda: None).begin(home)
    await round_trip(village, county, stick)
    saved = tmp_path / "yesterday.db"
    _copy(tmp_path / "county" / "hub.db", saved)
    await fill(village, "b.csv", 50)
    await round_trip(village, county, stick)
    before = await position(village)
    yesterday = tmp_path / "yesterday"
    yesterday.mkdir()
    saved.rename(yesterday / "hub.db")
    async with county_end(yesterday) as back:
        back.now_ms = county.now_ms
        with pytest.raises(BadBundle, match="put back"):
            await back.take(await village.write(stick))
        await village.take(await back.reply(stick))
        log = await village.database.read(couriers.read)
        assert (log.behind_epoch, log.behind_at < before.seq) == (before.epoch, True)
        taken = await back.take(await village.write(stick))
        assert (await position(village)).epoch == before.epoch
        assert (taken.compared, len(await back.titles())) == (Compared.EQUAL, 6)
        await village.take(await back.reply(stick))
        assert (await village.database.read(couriers.read)).behind_epoch == ""


def _copy(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    new.close()
    old.close()


async def test_a_wish_for_a_new_epoch_is_done_once(village: VillageEnd, county: CountyEnd, stick: Path) -> None:
    await county.take(await village.write(stick))
    reply = await county.reply(stick)
    content = read_bundle(reply).manifest.content
    assert isinstance(content, Reply)
    receipt = msgspec.structs.replace(content.receipt, want=Want.NEW_EPOCH)
    wish = rewritten(reply, HUB_KEY, content=msgspec.structs.replace(content, receipt=receipt), serial=10**15)
    before = await position(village)
    await village.take(wish)
    after = await position(village)
    assert (after.epoch != before.epoch, after.retires) == (True, (before.epoch,))
    later = rewritten(wish, HUB_KEY, serial=10**15 + 1)
    await village.take(later)
    assert (await position(village)).epoch == after.epoch
    taken = await county.take(await village.write(stick))
    assert taken.compared is Compared.EQUAL


async def test_replies_of_others_and_for_others_are_refused(
    village: VillageEnd, county: CountyEnd, stick: Path
) -> None:
    await county.take(await village.write(stick))
    reply = await county.reply(stick)
    before = (await position(village), await village.database.read(outbox.depth))
    stranger = identity(78)
    here = village.identity.public_key
    assert (await _refused(village, await village.write(stick))) == BundleFault.WRONG_WAY
    for changes, signer, fault in (
        ({"sender": Party(site="330522000000", key=stranger.public_key)}, stranger, "foreign_hub"),
        ({"receiver": Party(site="330523108205", key=here)}, HUB_KEY, "foreign_site"),
        ({"receiver": Party(site=CODE, key=stranger.public_key)}, HUB_KEY, "foreign_site"),
    ):
        assert (await _refused(village, rewritten(reply, signer, **changes))) == BundleFault(fault)
    assert (await position(village), await village.database.read(outbox.depth)) == before


async def _refused(village: VillageEnd, path: Path) -> str:
    with pytest.raises(BadBundle) as caught:
        await village.take(path)
    assert all((caught.value.reason.zh, caught.value.reason.en, caught.value.hint.zh, caught.value.hint.en))
    return caught.value.fault


async def test_serial_numbers_grow_even_when_the_clock_was_set_back(village: VillageEnd, stick: Path) -> None:
    first = read_bundle(await village.write(stick)).manifest.serial
    village.now_ms = 1_000
    second = read_bundle(await village.write(stick)).manifest.serial
    assert second > first


async def test_a_backlog_too_large_for_one_file_goes_into_several(
    village: VillageEnd, county: CountyEnd, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(village, "b.csv", 50)
    await fill(village, "c.csv", 90)
    monkeypatch.setattr(deliveries, "BUNDLE_FRAMES_MAX", 2)
    written = await Deliveries(village.database, village.config, village.identity, 1_800_000_000_000).write(
        stick, lambda _size: lambda _more: None
    )
    assert [(one.previous, one.last) for one in written] == [(0, 6), (6, 9)]
    with pytest.raises(BadBundle, match="out of order"):
        await county.take(Path(written[1].file))
    assert (await county.take(Path(written[0].file))).compared is Compared.NOT_COMPARED
    assert (await county.take(Path(written[1].file))).compared is Compared.EQUAL


async def test_a_node_that_does_not_know_its_hub_says_so(village: VillageEnd, stick: Path) -> None:
    village.config = msgspec.structs.replace(village.config, hub=msgspec.structs.replace(village.config.hub, key=""))
    with pytest.raises(BadSetting, match="no key under"):
        await village.write(stick)
    assert list(stick.iterdir()) == []
