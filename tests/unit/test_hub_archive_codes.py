"""The archive's own codes: numbered by a rule, given once, kept beside the office's."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection

from hub.transfers import archive_codes, deciding
from hub.transfers.archive_codes import CodeRule
from hub.transfers.archive_numbers import CodedItem, check_pattern, codes_for
from protocol.errors import BadValue
from protocol.transfers import ItemRuling, Ruling
from protocol.wording import Text
from tests.unit.test_transfer_thread import ACTOR, NOW_MS, Thread, thread

YEARLY = "{fonds}-WS·{year}·{retention}-{item:4}"
BOUND = "{fonds}-{catalogue}-{volume:3}-{item:2}"


def item(number: int, volume: str = "", **values: str) -> CodedItem:
    said = {"fonds": "J108", "catalogue": "2", "year": "2011", "retention": "Y", **values}
    return CodedItem(record_id=UUID(int=number), office_code=f"001-{number}", values=said, volume=volume)


def codes(pattern: str, items: Sequence[CodedItem], last: dict[str, int] | None = None) -> list[str]:
    given = last or {}
    return [one.code for one in codes_for(pattern, items, lambda series: given.get(series, 0) + 1, lambda _s, _v: None)]


def test_items_are_numbered_within_their_year_and_term() -> None:
    some = [item(1), item(2, year="2012"), item(3), item(4, retention="D30")]

    assert codes(YEARLY, some) == [
        "J108-WS·2011·Y-0001",
        "J108-WS·2012·Y-0001",
        "J108-WS·2011·Y-0002",
        "J108-WS·2011·D30-0001",
    ]


def test_numbers_go_on_behind_the_last_that_was_given() -> None:
    assert codes(YEARLY, [item(1)], {"J108-WS·2011·Y-": 41}) == ["J108-WS·2011·Y-0042"]


def test_volumes_are_numbered_in_the_catalogue_and_items_in_their_volume() -> None:
    some = [item(1, "a"), item(2, "a"), item(3, "b"), item(4, "a"), item(5)]

    assert codes(BOUND, some) == ["J108-2-001-01", "J108-2-001-02", "J108-2-002-01", "J108-2-001-03", "J108-2-003-01"]


def test_a_record_that_does_not_say_what_the_rule_needs_is_named() -> None:
    with pytest.raises(BadValue, match="001-7 does not say its filing year"):
        codes(YEARLY, [item(7, year="")])


@pytest.mark.parametrize(
    "pattern", ["{fonds}-{item", "{fonds}-{page}-{item}", "{item}-{fonds}", "{fonds}", "{item:99}"]
)
def test_a_pattern_that_cannot_number_is_refused(pattern: str) -> None:
    with pytest.raises(BadValue):
        check_pattern(pattern)


async def checked_by(both: Thread, pattern: str = YEARLY) -> None:
    await both.begin(3)
    await both.send()
    await both.look()
    rule = CodeRule(fonds="J108", pattern=pattern)
    await both.hub.write(lambda c: archive_codes.set_rule(c, rule, NOW_MS))


async def accepted(both: Thread) -> None:
    now = await both.receiver()

    def step(connection: Connection) -> None:
        rulings = archive_codes.give(connection, now, NOW_MS)
        deciding.rule(connection, both.hub_log, ACTOR, both.number, rulings, NOW_MS)

    await both.hub.write(step)
    await both.decide()


async def test_both_codes_lead_to_the_record_that_was_handed_over(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await checked_by(both)
        now = await both.receiver()
        seen = await both.hub.read(lambda c: archive_codes.preview(c, now))
        await accepted(both)
        await both.sign()
        await both.node_desk(both.site.database).step()
        records = await both.records()

    wanted = [f"J108-WS·2011·Y-{number:04d}" for number in (1, 2, 3)]
    assert [one.code for one in seen] == wanted
    assert [[alias.code for alias in one.aliases if alias.scheme == "馆编"] for one in records] == [
        [code] for code in wanted
    ]
    assert [[alias.code for alias in one.aliases if alias.scheme == "室编"] for one in records] == [
        [one.ref_code] for one in records
    ]


async def test_a_returned_item_takes_no_number_and_a_preview_none_at_all(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await checked_by(both)
        first = (await both.records())[0].record_id
        back = [ItemRuling(record_id=first, ruling=Ruling.RETURN, reason=Text(zh="模糊", en="blurred"))]
        await both.hub.write(lambda c: deciding.rule(c, both.hub_log, ACTOR, both.number, back, NOW_MS))
        now = await both.receiver()
        seen = [await both.hub.read(lambda c: archive_codes.preview(c, now)) for _ in range(2)]

    assert [one.code for one in seen[0]] == ["J108-WS·2011·Y-0001", "J108-WS·2011·Y-0002"]
    assert seen[0] == seen[1]


async def test_a_number_of_a_list_is_never_given_to_anything_else(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await checked_by(both)
        now = await both.receiver()
        records = await both.records()
        listed = [ItemRuling(record_id=records[2].record_id, ruling=Ruling.ACCEPT, archive_code="J108-WS·2011·Y-0001")]
        await both.hub.write(lambda c: archive_codes.note_listed(c, now, listed, NOW_MS))
        await both.hub.write(lambda c: archive_codes.note_listed(c, now, listed, NOW_MS))
        other = [ItemRuling(record_id=records[0].record_id, ruling=Ruling.ACCEPT, archive_code="J108-WS·2011·Y-0001")]
        with pytest.raises(BadValue):
            await both.hub.write(lambda c: archive_codes.note_listed(c, now, other, NOW_MS))
        seen = await both.hub.read(lambda c: archive_codes.preview(c, now, {records[2].record_id}))

    assert [one.code for one in seen] == ["J108-WS·2011·Y-0002", "J108-WS·2011·Y-0003"]


async def test_without_a_rule_it_is_said_which_site_lacks_one(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await both.begin(1)
        await both.send()
        await both.look()
        now = await both.receiver()
        with pytest.raises(BadValue, match="no rule"):
            await both.hub.read(lambda c: archive_codes.preview(c, now))
