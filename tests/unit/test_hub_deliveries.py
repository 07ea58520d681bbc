"""What couriers bring to the hub: taken once, refused in words, and never more changed than must be."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from hub.repair.comparisons import Sameness
from hub.sites.board import Word, record_beats
from node import baseline
from protocol.beats import Beat, Want
from protocol.bundles import BundleFault, Compared, Delivery, Party
from protocol.errors import BadBundle, Retryable
from protocol.wording import Text
from replication import deliveries, outbox
from replication.bundles import read_bundle, write_bundle
from replication.carriage import Outcome
from replication.inbox import ReadFrames, Taken
from replication.watermarks import marks_of
from tests.builders import identity
from tests.couriers import CountyEnd, VillageEnd, county_end, rewritten, village_end
from tests.node_site import CODE, rows, write_csv


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
async def village(tmp_path: Path) -> AsyncIterator[VillageEnd]:
    async with village_end(tmp_path / "village") as end:
        write_csv(end.site.folder / "a.csv", rows(3))
        await end.site.take("a.csv")
        yield end


@pytest.fixture
async def county(tmp_path: Path, village: VillageEnd) -> AsyncIterator[CountyEnd]:
    async with county_end(tmp_path / "county") as end:
        await end.admit(village.identity.public_key)
        yield end


async def state(county: CountyEnd) -> list[tuple[object, ...]]:
    """Everything that a refused bundle must not change."""
    found: list[tuple[object, ...]] = []
    for table in ("entry", "watermark", "retired_epoch", "parked_frame", "quarantine", "node_state", "verification"):
        found += await county.database.fetch(f"SELECT * FROM {table}")
    return found


async def refused(county: CountyEnd, path: Path) -> str:
    """Take a bundle that must be refused, see that nothing is changed and that the words are whole; return why."""
    before = await state(county)
    with pytest.raises(BadBundle) as caught:
        await county.take(path)
    assert await state(county) == before
    assert all((caught.value.reason.zh, caught.value.reason.en, caught.value.hint.zh, caught.value.hint.en))
    return caught.value.fault


async def test_a_delivery_brings_records_sign_of_life_and_comparison(
    county: CountyEnd, village: VillageEnd, stick: Path
) -> None:
    taken = await county.take(await village.write(stick))
    assert (taken.outcome, taken.events, taken.last, taken.compared) == (Outcome.TAKEN, 3, 3, Compared.EQUAL)
    assert len(await county.titles()) == 3
    line = await county.line()
    assert (line.word, line.records, line.hub_records, line.lag) == (Word.BY_COURIER, 3, 3, 0)
    assert line.courier_at_ms == county.now_ms
    assert line.comparison is not None
    assert line.comparison.state is Sameness.EQUAL


async def test_a_delivery_taken_twice_changes_nothing(county: CountyEnd, village: VillageEnd, stick: Path) -> None:
    path = await village.write(stick)
    await county.take(path)
    before, line = await state(county), await county.line()
    again = await county.take(path)
    assert (again.outcome, again.events) == (Outcome.REPEATED, 0)
    assert await state(county) == before
    assert (await county.line()).courier_at_ms == line.courier_at_ms


async def test_an_old_stick_never_makes_the_site_look_older(
    county: CountyEnd, village: VillageEnd, stick: Path
) -> None:
    old = await village.write(stick)
    write_csv(village.site.folder / "b.csv", rows(2, first=50))
    await village.site.take("b.csv")
    new = await village.write(stick)
    assert (await county.take(new)).events == 5
    before = await state(county)
    assert (await county.take(old)).outcome is Outcome.REPEATED
    assert await state(county) == before


async def test_bundles_in_the_wrong_order_are_refused_until_the_right_one_came(
    county: CountyEnd, village: VillageEnd, stick: Path
) -> None:
    first = await village.write(stick)
    write_csv(village.site.folder / "b.csv", rows(2, first=50))
    await village.site.take("b.csv")
    whole = read_bundle(await village.write(stick))
    # What a second part of a huge backlog would be: the later frames alone.
    content = whole.manifest.content
    assert isinstance(content, Delivery)
    later = _part(whole.path, village, content, skip=1)
    assert await refused(county, later) == BundleFault.OUT_OF_ORDER
    assert (await county.take(first)).events == 3
    taken = await county.take(later)
    assert (taken.outcome, taken.events, taken.compared) == (Outcome.TAKEN, 2, Compared.EQUAL)


def _part(path: Path, village: VillageEnd, content: Delivery, skip: int) -> Path:
    bundle = read_bundle(path)
    frames = list(bundle.frames(skip))
    members = bundle.manifest.frames[skip:]
    said = msgspec.structs.replace(
        bundle.manifest,
        frames=members,
        content=msgspec.structs.replace(content, previous=members[0].previous),
    )
    target = path.with_stem("later")
    write_bundle(target, said, village.identity, frames)
    return target


async def test_a_key_that_nobody_knows_is_refused(county: CountyEnd, village: VillageEnd, stick: Path) -> None:
    path = await village.write(stick)
    stranger = identity(5)
    content = read_bundle(path).manifest.content
    assert isinstance(content, Delivery)
    foreign = rewritten(path, stranger, sender=Party(site=CODE, key=stranger.public_key))
    assert await refused(county, foreign) == BundleFault.UNKNOWN_KEY


async def test_a_revoked_key_is_refused(county: CountyEnd, village: VillageEnd, stick: Path) -> None:
    path = await village.write(stick)
    await county.database.write(
        lambda c: c.exec_driver_sql("UPDATE enrolled_node SET revoked_at_ms = 5, revoked_because = 'lost'")
    )
    assert await refused(county, path) == BundleFault.REVOKED_KEY


async def test_a_node_cannot_speak_for_another_site(county: CountyEnd, village: VillageEnd, stick: Path) -> None:
    path = await village.write(stick)
    other = Party(site="330523108205", key=village.identity.public_key)
    assert await refused(county, rewritten(path, village.identity, sender=other)) == BundleFault.FOREIGN_SITE


async def test_frames_of_another_key_inside_a_good_manifest_are_refused(
    county: CountyEnd, village: VillageEnd, stick: Path
) -> None:
    """The manifest is signed by a good node, the frames inside by nobody we know: nothing of it is taken."""
    path = await village.write(stick)
    stranger = identity(5)
    await county.admit(stranger.public_key, "330523108205")
    content = read_bundle(path).manifest.content
    assert isinstance(content, Delivery)
    said = Delivery(
        epoch=content.epoch,
        previous=content.previous,
        last=content.last,
        confirmed=0,
        record_count=3,
        digest=content.digest,
        beat=Beat(site="330523108205", node=stranger.public_key, epoch=content.epoch, seq=content.last),
    )
    foreign = rewritten(path, stranger, sender=Party(site="330523108205", key=stranger.public_key), content=said)
    assert await refused(county, foreign) == BundleFault.UNKNOWN_KEY


async def test_a_bundle_for_another_county_is_refused(county: CountyEnd, village: VillageEnd, stick: Path) -> None:
    path = await village.write(stick)
    elsewhere = Party(site="330522000000", key=identity(78).public_key)
    assert await refused(county, rewritten(path, village.identity, receiver=elsewhere)) == BundleFault.FOREIGN_HUB


async def test_a_reply_is_not_taken_where_it_was_written(county: CountyEnd, village: VillageEnd, stick: Path) -> None:
    await county.take(await village.write(stick))
    assert await refused(county, await county.reply(stick)) == BundleFault.WRONG_WAY


async def test_a_damaged_bundle_changes_nothing_though_most_of_it_is_good(
    county: CountyEnd, village: VillageEnd, stick: Path
) -> None:
    write_csv(village.site.folder / "b.csv", rows(2, first=50))
    await village.site.take("b.csv")
    path = await village.write(stick)
    content = bytearray(path.read_bytes())
    content[-2000] ^= 1
    path.write_bytes(content)
    assert await refused(county, path) == BundleFault.DAMAGED


async def test_two_histories_of_one_site_ask_for_a_new_epoch(
    county: CountyEnd, village: VillageEnd, stick: Path, tmp_path: Path
) -> None:
    await county.take(await village.write(stick))
    async with village_end(tmp_path / "copy") as copy:
        write_csv(copy.site.folder / "c.csv", rows(4, first=80))
        await copy.site.take("c.csv")
        # The same key and epoch, another history: somebody copied the disk.
        titles = await county.titles()
        with pytest.raises(BadBundle) as caught:
            await county.take(await copy.write(stick))
    assert caught.value.fault == BundleFault.FORKED
    assert await county.titles() == titles
    mark = (await county.database.read(lambda c: marks_of(c, [CODE])))[CODE]
    assert mark.want is Want.NEW_EPOCH
    assert (await county.line()).word is Word.FORKED


async def test_a_site_that_differs_is_asked_to_describe_everything(
    county: CountyEnd, village: VillageEnd, stick: Path
) -> None:
    await county.take(await village.write(stick))
    await county.database.write(
        lambda c: c.exec_driver_sql("DELETE FROM entry WHERE docid = (SELECT max(docid) FROM entry)")
    )
    village.now_ms += 1
    taken = await county.take(await village.write(stick))
    assert taken.compared is Compared.DIFFERENT
    assert (await county.line()).word is Word.DIFFERS
    await village.take(await county.reply(stick))
    assert (await village.database.read(baseline.progress)) is not None
    healed = await county.take(await village.write(stick))
    assert healed.compared is Compared.EQUAL
    assert (await county.line()).word is Word.BY_COURIER


async def test_a_delivery_without_news_still_tells_that_the_site_is_well(
    county: CountyEnd, village: VillageEnd, stick: Path
) -> None:
    await county.take(await village.write(stick))
    await village.take(await county.reply(stick))
    assert await village.database.read(outbox.depth) == 0
    empty = await village.write(stick)
    assert read_bundle(empty).manifest.frames == ()
    taken = await county.take(empty)
    assert (taken.outcome, taken.events, taken.compared) == (Outcome.TAKEN, 0, Compared.EQUAL)
    assert (await county.line()).courier_at_ms == county.now_ms


async def test_a_site_on_the_line_is_not_shown_as_coming_by_courier(
    county: CountyEnd, village: VillageEnd, stick: Path
) -> None:
    """Whoever beats over the network is judged by that, whatever stick is taken meanwhile."""
    path = await village.write(stick)
    county.now_ms += 24 * 3600 * 1000
    key = village.identity.public_key
    beat = Beat(site=CODE, node=key, epoch="e1", seq=3)
    seen_at_ms = county.now_ms + 24 * 3600 * 1000
    await county.database.write(lambda c: record_beats(c, [beat], seen_at_ms))
    await county.take(path)
    rows_found = await county.database.fetch("SELECT seen_at_ms, software FROM node_state")
    assert rows_found == [(seen_at_ms, "")]


async def test_taking_that_broke_off_goes_on_when_it_is_repeated(
    county: CountyEnd, village: VillageEnd, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stick is pulled, or the power goes, between two transactions: what was applied stays, the rest follows."""
    write_csv(village.site.folder / "b.csv", rows(2, first=50))
    await village.site.take("b.csv")
    path = await village.write(stick)
    monkeypatch.setattr(deliveries, "FETCH_FRAMES", 1)
    inbox = county.deliveries._inbox
    whole_take = inbox.take
    taken_at: list[int] = []

    async def failing(frames: ReadFrames) -> Taken:
        if taken_at:
            raise Retryable(Text(zh="断电", en="power cut"))
        taken_at.append(1)
        return await whole_take(frames)

    monkeypatch.setattr(inbox, "take", failing)
    with pytest.raises(Retryable, match="power cut"):
        await county.take(path)
    assert len(await county.titles()) == 3
    monkeypatch.setattr(inbox, "take", whole_take)
    again = await county.take(path)
    assert (again.outcome, again.events, again.compared) == (Outcome.TAKEN, 2, Compared.EQUAL)
