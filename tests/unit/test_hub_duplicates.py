"""Alike records are shown with their evidence, never merged, and can be set apart and brought together again."""

import datetime
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection

from hub.decisions.duplicates import (
    Alike,
    Entry,
    Likeness,
    alike_on_page,
    alike_to,
    bring_together,
    decisions_about,
    likeness_of,
    set_apart,
)
from hub.decisions.likeness import Evidence, alike, evidence, grounds, likeness_keys
from hub.searching.grouping import grouped
from protocol.analysis import index_terms
from protocol.errors import BadValue
from protocol.records import Record
from tests.catalogue import OTHER_VILLAGE, VILLAGE, described, fictitious, record_id
from tests.hubs import Hub
from tests.plain_queries import match_query
from tests.stores import Store

NOTICE = {"title": "关于做好防汛工作的通知", "doc_no": "县政〔1997〕8号"}
DAY = datetime.date(1997, 6, 1)
LATER = datetime.date(1997, 6, 2)
WHOLE = {"date_earliest": DAY, "date_latest": DAY, "responsible_parties": ("县人民政府",)}


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        yield Hub(database)


def entry(record: Record, site: str = VILLAGE.code) -> Entry:
    return Entry(site=site, record=record)


async def alike_of(hub: Hub, one: Entry) -> list[Alike]:
    return await hub.database.read(lambda connection: alike_to(connection, one))


async def likenesses(hub: Hub, one: Entry) -> Likeness | None:
    found = await hub.database.read(lambda connection: likeness_of(connection, [one]))
    return found.get(one.key)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (NOTICE, NOTICE, True),
        (NOTICE, NOTICE | {"title": "關於做好防汛工作的通知"}, True),
        (NOTICE, NOTICE | {"title": "《关于做好防汛工作的通知》"}, True),
        (NOTICE, NOTICE | {"doc_no": "县政〔1997〕9号"}, False),
        ({**NOTICE, "doc_no": ""}, {**NOTICE, "doc_no": ""}, False),
        ({**NOTICE, **WHOLE, "doc_no": ""}, {**NOTICE, **WHOLE, "doc_no": ""}, True),
        ({**NOTICE, **WHOLE, "doc_no": ""}, {**NOTICE, **WHOLE, "doc_no": "县政〔1997〕8号"}, True),
        ({**NOTICE, **WHOLE, "doc_no": ""}, {**NOTICE, "doc_no": "", "date_earliest": DAY, "date_latest": DAY}, False),
        ({**NOTICE, **WHOLE, "doc_no": ""}, {**NOTICE, **WHOLE, "doc_no": "", "date_latest": LATER}, False),
    ],
)
def test_likeness_needs_one_of_the_two_rules_and_both_ways_agree(
    one: dict[str, object], other: dict[str, object], expected: bool
) -> None:
    """What the evidence proves, a shared key finds; nothing is alike for want of values."""
    left, right = fictitious(1, **one), fictitious(2, **other)
    keys = [set(likeness_keys(record, index_terms(record.title))) for record in (left, right)]

    assert alike(evidence(left, right)) == expected
    assert bool(keys[0] & keys[1]) == expected
    assert bool({*grounds(left)} & {*grounds(right)}) == expected


def test_numbers_that_differ_in_their_brackets_alone_agree() -> None:
    """Two alike for another reason are shown with all in which they agree."""
    left, right = (fictitious(1, **NOTICE | {"doc_no": written}) for written in ("县政〔1997〕8号", "县政［1997］8号"))

    assert Evidence.DOC_NO in evidence(left, right)


def test_no_query_finds_a_likeness_key() -> None:
    key = likeness_keys(fictitious(1), index_terms(fictitious(1).title))[0]

    assert key not in (match_query(key) or "")


async def test_copies_of_one_notice_are_found_with_their_evidence(hub: Hub) -> None:
    mine, theirs, unlike = fictitious(1, **NOTICE), fictitious(2, **NOTICE), fictitious(3)
    await hub.tell(described(1, mine), described(2, unlike))
    await hub.tell(described(1, theirs), site=OTHER_VILLAGE)

    assert await alike_of(hub, entry(mine)) == [
        Alike(site=OTHER_VILLAGE.code, record=theirs, evidence=(Evidence.TITLE, Evidence.DOC_NO))
    ]
    assert await likenesses(hub, entry(mine)) == Likeness(count=1, sites=(OTHER_VILLAGE.code,))
    assert await likenesses(hub, entry(unlike)) is None


async def test_changed_record_leaves_its_cluster(hub: Hub) -> None:
    await hub.tell(described(1, fictitious(1, **NOTICE)), described(2, fictitious(2, **NOTICE)))
    await hub.tell(described(3, fictitious(2, title="别的通知", doc_no="")))

    assert await alike_of(hub, entry(fictitious(1, **NOTICE))) == []


async def test_decision_sets_apart_and_can_be_reversed(hub: Hub) -> None:
    one, other = fictitious(1, **NOTICE), fictitious(2, **NOTICE)
    await hub.tell(described(1, one), described(2, other))

    def decide(connection: Connection) -> list[bool]:
        return [set_apart(connection, other.record_id, one.record_id, "甲", at_ms) for at_ms in (10, 11)]

    def reverse(connection: Connection) -> list[bool]:
        return [bring_together(connection, one.record_id, other.record_id, "乙", at_ms) for at_ms in (20, 21)]

    assert await hub.database.write(decide) == [True, False]
    assert (await alike_of(hub, entry(one)))[0].apart
    assert await likenesses(hub, entry(one)) is None

    assert await hub.database.write(reverse) == [True, False]
    assert not (await alike_of(hub, entry(one)))[0].apart
    (kept,) = await hub.database.read(lambda connection: decisions_about(connection, one.record_id))
    assert (kept.decided_by, kept.decided_at_ms, kept.reversed_by, kept.reversed_at_ms) == ("甲", 10, "乙", 20)


async def groups_of(hub: Hub, entries: list[Entry]) -> list[int]:
    pairs = await hub.database.read(lambda connection: alike_on_page(connection, entries))
    return [placed.group for placed in sorted(grouped(entries, pairs), key=lambda placed: placed.index)]


async def test_copies_on_a_page_hang_on_one_of_them(hub: Hub) -> None:
    """A notice that a whole county filed takes one pair a copy, not one for every two of them."""
    copies = [entry(fictitious(number, **NOTICE)) for number in range(1, 51)]

    pairs = await hub.database.read(lambda connection: alike_on_page(connection, copies))

    assert len(pairs) == len(copies) - 1
    assert set(await groups_of(hub, copies)) == {0}


async def test_what_is_apart_stands_together_only_through_a_third(hub: Hub) -> None:
    one, other, third = (entry(fictitious(number, **NOTICE)) for number in (1, 2, 3))
    ids = one.record.record_id, other.record.record_id
    await hub.database.write(lambda connection: set_apart(connection, *ids, "甲", 1))

    assert await groups_of(hub, [one, other]) == [0, 1]
    assert await groups_of(hub, [one, other, third]) == [0, 0, 0]


async def test_likeness_of_a_page_is_that_of_its_records_one_by_one(hub: Hub) -> None:
    """Both rules, decisions and copies at another site: counted together or alone, each has what is alike to it."""
    of_both = {**NOTICE, **WHOLE}
    records = [fictitious(number, **NOTICE) for number in (1, 2, 3)]
    records += [
        fictitious(4, **of_both),
        fictitious(
            5,
            **of_both,
        ),
        fictitious(6, **of_both | {"doc_no": ""}),
    ]
    records += [fictitious(7, title="别的通知", doc_no="县政〔1997〕8号")]
    await hub.tell(*(described(seq, record) for seq, record in enumerate(records, 1)))
    await hub.tell(*(described(seq, record) for seq, record in enumerate(records[2:5], 1)), site=OTHER_VILLAGE)
    await hub.database.write(lambda c: set_apart(c, records[0].record_id, records[1].record_id, "甲", 1))
    await hub.database.write(lambda c: set_apart(c, records[3].record_id, records[4].record_id, "甲", 1))
    page = [entry(record) for record in records] + [entry(record, OTHER_VILLAGE.code) for record in records[2:5]]

    together = await hub.database.read(lambda connection: likeness_of(connection, page))

    expected = {}
    for one in page:
        like = [other for other in await alike_of(hub, one) if not other.apart]
        if like:
            expected[one.key] = Likeness(count=len(like), sites=tuple(sorted({other.site for other in like})))
    assert together == expected
    assert len(expected) == len(page) - 1


async def test_decision_outlives_a_new_description(hub: Hub) -> None:
    one, other = fictitious(1, **NOTICE), fictitious(2, **NOTICE)
    await hub.tell(described(1, one), described(2, other))
    await hub.database.write(lambda connection: set_apart(connection, one.record_id, other.record_id, "甲", 1))
    await hub.tell(described(3, fictitious(1, **NOTICE, note="重新著录")))

    assert (await alike_of(hub, entry(one)))[0].apart


async def test_record_cannot_be_set_apart_from_itself(hub: Hub) -> None:
    with pytest.raises(BadValue):
        await hub.database.write(lambda connection: set_apart(connection, record_id(1), record_id(1), "甲", 1))


async def test_same_id_at_another_site_is_another_record(hub: Hub) -> None:
    await hub.tell(described(1, fictitious(1, **NOTICE)))
    await hub.tell(described(1, fictitious(1, **NOTICE)), site=OTHER_VILLAGE)

    assert [like.site for like in await alike_of(hub, entry(fictitious(1, **NOTICE)))] == [OTHER_VILLAGE.code]
