"""Letters by courier: a site that only uses bundles gets questions and orders of copies, and answers them by stick.

Real bundle files, real stores at both ends, the real handlers; no line anywhere.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from hub.window.copy_orders import CopyState
from hub.window.lookup_views import LookupView
from node.certifying import deciding, orders
from node.certifying.deciding import Approval, Fact, Keeper
from protocol.bundles import Delivery, Reply, encode_manifest
from protocol.courier_letters import CarriedLetters, decode_letters, encode_letters
from protocol.errors import BadValue
from protocol.letters import Letter
from protocol.limits import BUNDLE_LETTERS_BYTES_MAX, BUNDLE_LETTERS_MAX, BUNDLE_MANIFEST_BYTES_MAX
from protocol.lookups import SiteOutcome
from replication import letters
from replication.bundles import read_bundle
from replication.carriage import Outcome
from replication.courier_letters import enclosed
from replication.keys import sealed_for
from replication.letters import HUB_PEER
from tests.builders import identity
from tests.courier_towns import Town, town_of
from tests.couriers import HUB_KEY, rewritten
from tests.golden.test_golden_bundles import REPLY
from tests.node_site import CODE

TOPIC = UUID(int=7)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with town_of(tmp_path) as made:
        yield made


def site_of(view: LookupView) -> tuple[SiteOutcome, bool]:
    (one,) = [site for site in view.sites if site.site == CODE]
    return one.outcome, one.is_late


async def test_a_question_goes_out_on_one_stick_and_its_answer_comes_home_on_the_next(town: Town) -> None:
    asked = await town.ask()
    waiting = site_of(await town.view(asked))
    _, out = await town.trip()
    brought, _ = await town.trip()

    assert (waiting[0], out.letters >= 1, brought.letters >= 1) == (SiteOutcome.PENDING, True, True)
    assert site_of(await town.view(asked)) == (SiteOutcome.ANSWERED, True)
    assert await town.reads() == 1


async def test_an_order_of_a_statement_is_approved_at_the_village_and_comes_home(town: Town) -> None:
    asked = await town.order_statement()
    await town.trip()
    keeper = Keeper(site=CODE, who="wang")
    approval = Approval(pages=None, facts={1: Fact(said="2011年3月5日", page=1)}, source="登记表")
    await town.village.database.write(
        lambda connection: deciding.approve(
            connection, asked.copy_id, approval, keeper, town.village.identity, town.village.now_ms
        )
    )
    await town.trip()

    done = await town.copy(asked)
    assert (asked.state, done.state, done.decision is not None) == (CopyState.ASKED, CopyState.APPROVED, True)


async def test_sticks_that_come_twice_and_out_of_order_change_nothing(town: Town) -> None:
    """Two replies are written before either arrives; the later is taken first, both are taken again."""
    first = await town.ask(1)
    one = await town.county.reply(town.stick)
    second = await town.ask(2, "林地 批复")
    two = await town.county.reply(town.stick)
    outcomes = [(await town.take(path)).outcome for path in (two, one, two, one)]
    after_taking = await town.reads()
    late = await town.village.write(town.stick)
    later = await town.village.write(town.stick)
    taken = [(await town.county.take(path)).outcome for path in (later, late, later)]

    assert outcomes == [Outcome.TAKEN, Outcome.OLDER, Outcome.REPEATED, Outcome.OLDER]
    assert taken == [Outcome.TAKEN, Outcome.REPEATED, Outcome.REPEATED]
    assert after_taking == 2
    assert [site_of(await town.view(asked))[0] for asked in (first, second)] == [SiteOutcome.ANSWERED] * 2


async def test_what_was_taken_is_not_carried_for_ever(town: Town) -> None:
    await town.ask()
    counts = [(await town.trip())[1].letters for _ in range(4)]

    assert (counts[0] >= 1, counts[-1]) == (True, 0)


async def test_a_lost_stick_costs_a_trip_and_nothing_else(town: Town) -> None:
    asked = await town.ask()
    await town.county.reply(town.stick)
    await town.trip()
    (await town.village.write(town.stick)).unlink()
    await town.trip()

    assert site_of(await town.view(asked))[0] is SiteOutcome.ANSWERED
    assert await town.reads() == 1


async def test_names_lie_on_no_stick_in_the_clear(town: Town) -> None:
    await town.ask(1, "麻竹生")
    reply = await town.county.reply(town.stick)
    await town.take(reply)
    delivery = await town.village.write(town.stick)

    assert ["麻竹生".encode() in path.read_bytes() for path in (reply, delivery)] == [False, False]
    with pytest.raises(BadValue):
        identity(5).opened(_letters(reply))


async def test_bundles_of_a_version_without_letters_are_taken_as_before(town: Town) -> None:
    """An older end leaves the field out; a newer one waits with its letters until it is told that they were taken."""
    await town.ask()
    content = read_bundle(await town.county.reply(town.stick)).manifest
    assert isinstance(content.content, Reply)
    old = rewritten(
        await town.county.reply(town.stick), HUB_KEY, content=msgspec.structs.replace(content.content, letters=b"")
    )

    taken = await town.take(old)
    _, then = await town.trip()

    assert (taken.outcome, taken.letters, then.letters >= 1) == (Outcome.TAKEN, 0, True)


@pytest.mark.parametrize("sealed", ["other", "rubbish"])
async def test_letters_that_cannot_be_opened_stop_nothing_else(town: Town, sealed: str) -> None:
    """The hub got new keys, or a bit is wrong: the records are taken, the command says what was not."""
    path = await town.village.write(town.stick)
    content = read_bundle(path).manifest.content
    assert isinstance(content, Delivery)
    wrong = sealed_for(identity(5).public_key, b"{}") if sealed == "other" else b"rubbish"
    spoilt = rewritten(path, town.village.identity, content=msgspec.structs.replace(content, letters=wrong))

    taken = await town.county.take(spoilt)

    assert (taken.outcome, taken.letters, taken.letters_fault is not None) == (Outcome.TAKEN, 0, True)


async def test_an_end_that_was_put_back_is_told_again_what_is_not_settled(town: Town) -> None:
    """The village's database came from a backup: its new memory shows on its next stick."""
    asked = await town.ask()
    await town.trip()
    await town.village.database.write(letters.renew_incarnation)
    await town.village.database.write(lambda connection: connection.exec_driver_sql("DELETE FROM letter_in"))
    await town.village.database.write(
        lambda connection: connection.exec_driver_sql("DELETE FROM letter_out WHERE kind = 'lookup_answered'")
    )
    brought, again = await town.trip()
    await town.trip()

    assert (brought.letters, again.letters >= 1) == (0, True)
    assert site_of(await town.view(asked))[0] is SiteOutcome.ANSWERED


class _Body(msgspec.Struct):
    text: str


async def test_more_than_a_bundle_holds_goes_with_the_next(town: Town) -> None:
    def fill(connection: object) -> None:
        for number in range(30):
            letters.write(
                connection,  # type: ignore[arg-type]
                CODE,
                kind="of a later version",
                topic=UUID(int=number + 1),
                body=_Body(text="字" * 10_000),
                now_ms=1,
            )

    await town.county.database.write(fill)
    _, first = await town.trip()
    second = (await town.trip())[1]
    third = (await town.trip())[1]
    set_aside = await town.village.database.read(letters.count_set_aside)

    assert (first.letters_left > 0, set_aside, third.letters_left) == (True, 30, 0)
    assert first.letters + second.letters + third.letters >= 30


def test_the_fullest_envelope_leaves_room_for_the_manifest() -> None:
    """Twenty thousand frames take three million bytes of it; base64 makes four bytes of three."""
    assert BUNDLE_LETTERS_BYTES_MAX * 4 // 3 < BUNDLE_MANIFEST_BYTES_MAX // 2


def test_an_envelope_beyond_its_bounds_is_not_read() -> None:
    one = Letter(letter_id=UUID(int=1), topic=TOPIC, kind="k", body=msgspec.Raw(b"{}"), written_at_ms=1)
    many = CarriedLetters(incarnation="a", letters=(one,) * (BUNDLE_LETTERS_MAX + 1))

    for raw in (encode_letters(many), b"{", b" " * (BUNDLE_LETTERS_BYTES_MAX + 1)):
        with pytest.raises(BadValue):
            decode_letters(raw)


async def test_the_envelope_says_what_was_taken_lately(town: Town) -> None:
    await town.ask()
    await town.trip()
    sealed = await town.village.database.write(
        lambda connection: enclosed(connection, HUB_PEER, HUB_KEY.public_key, town.village.now_ms)
    )

    carried = decode_letters(HUB_KEY.opened(sealed.sealed))

    assert len(carried.taken) >= 1
    assert {one.kind for one in carried.letters} >= {"lookup_answered"}


GOLDEN = Path(__file__).parents[1] / "golden" / "v1.5" / "manifest-reply-letters.json"


def test_letters_stand_behind_all_that_an_older_reader_knows() -> None:
    sealed = msgspec.structs.replace(REPLY.content, letters=b"sealed to the node")
    encoded = encode_manifest(msgspec.structs.replace(REPLY, content=sealed))
    known = json.loads(encoded)

    assert encoded == GOLDEN.read_bytes()
    assert list(known["content"])[-1] == "letters"
    del known["content"]["letters"]
    assert known == json.loads(encode_manifest(REPLY))


def _letters(path: Path) -> bytes:
    content = read_bundle(path).manifest.content
    assert isinstance(content, Delivery | Reply)
    return content.letters


async def test_the_order_waits_at_the_village_until_the_keeper_decides(town: Town) -> None:
    asked = await town.order_statement()
    await town.trip()
    found = await town.village.database.read(lambda connection: orders.look_up(connection, asked.copy_id))

    assert found is not None
    assert (found.asked.serial, (await town.copy(asked)).state) == (asked.asked.serial, CopyState.ASKED)
