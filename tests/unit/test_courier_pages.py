"""Approved pages by courier: from the keeper's yes to a sealed certificate, and not one byte over a line."""

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from hub.window import serials
from hub.window.copy_orders import CopyState
from node.carried_pages import HEAD_BYTES_MAX
from node.certifying.orders import OrderState
from protocol.bundles import PIECE_BYTES, Pages, PagesWanted, Reply, decode_manifest, encode_manifest
from protocol.errors import BadBundle
from replication.bundles import FREE_BYTES_LEFT, read_bundle
from replication.carriage import Carried, Outcome, Written
from replication.spans import merged, without
from tests.builders import identity
from tests.courier_towns import Town, town_of
from tests.couriers import rewritten
from tests.golden.test_golden_bundles import REPLY

LARGE = 2 * PIECE_BYTES + 1_000
"""Bytes of a page that needs three pieces."""


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with town_of(tmp_path) as made:
        yield made


def pages_of(written: list[Written]) -> list[Written]:
    return [one for one in written if one.order]


def room_for(pieces: int) -> Callable[[Path], int]:
    """Return what tells the free bytes of a stick on which so many pieces of pages find room, and no more."""
    began: dict[Path, int] = {}

    def free(folder: Path) -> int:
        used = sum(one.stat().st_size for one in folder.iterdir())
        whole = FREE_BYTES_LEFT + HEAD_BYTES_MAX + pieces * (PIECE_BYTES + 2_000)
        return whole - (used - began.setdefault(folder, used))

    return free


async def test_a_site_without_a_line_delivers_a_sealed_certificate(town: Town) -> None:
    """Order, approval, pages, PDF and seal: each goes one way on a stick."""
    asked = await town.order()
    await town.trip()
    await town.approve_pages(asked, (0, LARGE))
    carried = await town.brought(await town.write())
    await town.make()
    made = await town.copy(asked)
    await town.take(await town.county.reply(town.stick))
    fetched = await town.site_state(asked)
    await town.brought(await town.write())
    await town.make()
    done = await town.copy(asked)
    certificate = await town.county.database.read(lambda c: serials.found(c, asked.asked.serial))

    assert [(one.outcome, one.order, one.pages_left) for one in carried if one.order] == [
        (Outcome.TAKEN, asked.asked.serial, 0)
    ]
    assert (made.state, fetched, done.state) == (CopyState.READY, OrderState.SEALED, CopyState.SIGNED)
    assert certificate.pdf_pages == 2
    assert not any(town.home.brought.iterdir())


async def test_nobody_but_the_hub_can_read_a_page_on_the_stick(town: Town) -> None:
    asked = await town.order()
    await town.trip()
    await town.approve_pages(asked, (0,))
    (scanned,) = town.scans.rglob("*.jpg")
    (written,) = pages_of(await town.write())
    on_stick = Path(written.file).read_bytes()

    assert scanned.read_bytes()[200:400] not in on_stick
    assert not re.search(rb"\\.jpg|Z109", on_stick)


async def test_a_full_stick_is_gone_on_with_by_the_next(town: Town) -> None:
    """The second stick begins where the first one ended, though no reply has come; they may arrive in any order."""
    asked = await town.order()
    await town.trip()
    await town.approve_pages(asked, (LARGE, LARGE))
    delivery, *first = await town.write(room_for(2))
    second = pages_of(await town.write(room_for(2)))
    third = pages_of(await town.write(room_for(2)))
    full = pages_of(await town.write(lambda _: 0))
    places = [[(one.previous // PIECE_BYTES, bool(one.left_bytes)) for one in some] for some in (first, second, third)]
    left = [one.pages_left for one in await town.brought([delivery, *third, *first, *second])]
    await town.make()

    assert places[0] == [(0, True)]
    assert places[1] == [(2, True)]
    assert places[2][0] == (4, False)
    assert [bool(one.file) for one in full] == [False]
    assert (left[-1], (await town.copy(asked)).state) == (0, CopyState.READY)


async def test_a_reply_says_what_is_missing_and_only_that_is_written_again(town: Town) -> None:
    asked = await town.order()
    await town.trip()
    await town.approve_pages(asked, (LARGE,))
    first = await town.write(room_for(2))
    await town.brought(first)
    reply = await town.county.reply(town.stick)
    await town.take(reply)
    (rest,) = pages_of(await town.write())
    said = read_bundle(reply).manifest.content

    wanted = PagesWanted(consignment_id=asked.copy_id, spans=((2 * PIECE_BYTES, LARGE),))
    assert isinstance(said, Reply)
    assert said.pages == (wanted,)
    assert (rest.previous, rest.last) == wanted.spans[0]


async def test_a_lost_stick_is_written_again(town: Town) -> None:
    asked = await town.order()
    await town.trip()
    await town.approve_pages(asked, (LARGE,))
    lost = pages_of(await town.write())
    again = pages_of(await town.write())

    assert [(one.previous, one.last) for one in again] == [(one.previous, one.last) for one in lost] == [(0, LARGE)]


async def test_sticks_that_come_twice_change_nothing(town: Town) -> None:
    asked = await town.order()
    await town.trip()
    await town.approve_pages(asked, (0, 0))
    written = await town.write()
    outcomes = [[one.outcome for one in await town.brought(written) if one.order] for _ in range(2)]
    await town.make()
    made = await town.copy(asked)
    late = [one.outcome for one in await town.brought(written) if one.order]

    assert (outcomes, late) == ([[Outcome.TAKEN], [Outcome.REPEATED]], [Outcome.REPEATED])
    assert (made.state, (await town.copy(asked)).state) == (CopyState.READY, CopyState.READY)


async def test_a_damaged_piece_is_named_by_its_page_and_the_others_are_taken(town: Town) -> None:
    asked = await town.order()
    await town.trip()
    await town.approve_pages(asked, (PIECE_BYTES, PIECE_BYTES, PIECE_BYTES))
    *rest, pages = await town.write()
    await town.brought(rest)
    path = Path(pages.file)
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    (hurt,) = await town.brought([pages])
    await town.take(await town.county.reply(town.stick))
    *_, mended = await town.write()
    (healed,) = await town.brought([mended])

    assert (hurt.outcome, hurt.pages_damaged, hurt.pages_left) == (
        Outcome.TAKEN,
        (f"{(await town.record()).ref_code}/0002.jpg",),
        PIECE_BYTES,
    )
    assert (mended.previous, mended.last) == (PIECE_BYTES, 2 * PIECE_BYTES)
    assert (healed.pages_left, healed.pages_damaged) == (0, ())


async def test_pieces_of_another_order_do_not_open(town: Town) -> None:
    """Signed by the right site, but the pieces are those of another order: the seal binds them."""
    one = await town.order()
    other = await town.order()
    await town.trip()
    await town.approve_pages(one, (0,))
    await town.approve_pages(other, (0,))
    *rest, first, second = await town.write()
    await town.brought(rest)
    content = read_bundle(Path(first.file)).manifest.content
    assert isinstance(content, Pages)
    mixed = Path(first.file).with_name("mixed.dlb")
    head = len(Path(first.file).read_bytes()) - len(Path(second.file).read_bytes())
    assert head == 0
    body = Path(second.file).read_bytes()
    place = body.index(b"pages/000001")
    mixed.write_bytes(Path(first.file).read_bytes()[:place] + body[place:])
    (foreign,) = await town.brought([msgspec.structs.replace(first, file=str(mixed))])

    assert (foreign.pages_bytes, len(foreign.pages_damaged)) == (0, 1)


async def test_pages_that_nobody_waits_for_are_refused(town: Town) -> None:
    """Of an order that is not known, of another site's key, of pages that came before their approval."""
    asked = await town.order()
    await town.trip()
    await town.approve_pages(asked, (0,))
    delivery, pages = await town.write()
    early = await refused(town, Path(pages.file))
    await town.brought([delivery])
    content = read_bundle(Path(pages.file)).manifest.content
    assert isinstance(content, Pages)
    other = msgspec.structs.replace(content, list_digest="0" * 64)
    another = await refused(town, rewritten(Path(pages.file), town.village.identity, content=other))
    stranger = await refused(town, rewritten(Path(pages.file), identity(5)))
    unknown = msgspec.structs.replace(content, consignment_id=UUID(int=1))
    nobody = await refused(town, rewritten(Path(pages.file), town.village.identity, content=unknown))

    assert [early, another, nobody] == ["out_of_order", "not_awaited", "not_awaited"]
    assert stranger in {"unknown_key", "damaged"}
    assert not town.home.brought.exists()


async def test_a_page_that_is_no_longer_what_was_approved_is_named_and_stops_its_order_only(town: Town) -> None:
    one, other = await town.order(), await town.order()
    await town.trip()
    await town.approve_pages(one, (0, 0))
    (town.scans / (await town.record()).ref_code).rename(town.scans / "elsewhere")
    await town.approve_pages(other, (0, 0, 0))
    (town.scans / (await town.record()).ref_code / "0002.jpg").unlink()
    (town.scans / "elsewhere").rename(town.scans / "gone")
    spoilt = pages_of(await town.write())

    assert [one.unreadable is not None for one in spoilt] == [True, True]
    assert "0002.jpg" in spoilt[1].unreadable.zh if spoilt[1].unreadable is not None else False


async def test_pages_with_bounds_that_cannot_be_true_are_no_bundle(town: Town) -> None:
    asked = await town.order()
    await town.trip()
    await town.approve_pages(asked, (0,))
    *_, pages = await town.write()
    raw = encode_manifest(read_bundle(Path(pages.file)).manifest)

    for was, made in ((b'"first":0', b'"first":999999999'), (b'"session":"', b'"session":"X')):
        with pytest.raises(BadBundle):
            decode_manifest(raw.replace(was, made))


def test_a_reply_of_before_is_read_as_wanting_everything() -> None:
    raw = encode_manifest(REPLY)
    content = decode_manifest(raw).content
    assert isinstance(content, Reply)
    assert (b"pages" in raw, content.pages) == (False, ())


@pytest.mark.parametrize(
    ("whole", "taken", "left"),
    [
        ([(0, 10)], [], ((0, 10),)),
        ([(0, 10)], [(0, 10)], ()),
        ([(0, 10)], [(3, 5), (4, 7)], ((0, 3), (7, 10))),
        ([(0, 3), (5, 9)], [(2, 6)], ((0, 2), (6, 9))),
    ],
)
def test_what_is_left_of_a_row(
    whole: list[tuple[int, int]], taken: list[tuple[int, int]], left: tuple[tuple[int, int], ...]
) -> None:
    assert without(whole, taken) == left
    assert merged((*left, *taken)) == merged((*whole, *taken))


async def refused(town: Town, path: Path) -> str:
    """Return why the county refuses a file."""
    with pytest.raises(BadBundle) as refusal:
        await take(town, path)
    return str(refusal.value.fault)


async def take(town: Town, path: Path) -> Carried:
    return await town.county.take(path)
