"""Searching the unified catalogue: filters, order, totals, and the reasons of each hit."""

import datetime
from collections.abc import AsyncIterator
from functools import partial

import msgspec
import pytest

from hub.searching import search as searching
from hub.searching.search import Page, Query, search, totals_by_site
from protocol.calls import Match
from protocol.errors import BadQuery
from protocol.vocabularies import AccessStatus, Level
from tests.catalogue import OTHER_VILLAGE, VILLAGE, described, fictitious, withdrawn
from tests.hubs import Hub
from tests.stores import Store

DATES = {
    "date_earliest": datetime.date(1986, 3, 1),
    "date_latest": datetime.date(1986, 3, 31),
    "date_edtf": "1986-03",
    "date_raw": "1986年3月",
}


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        yield Hub(database)


async def found(hub: Hub, **query: object) -> Page:
    return await hub.database.read(lambda connection: search(connection, Query(**query)))  # type: ignore[arg-type]


async def titles(hub: Hub, **query: object) -> list[str]:
    return [hit.record.title for hit in (await found(hub, **query)).hits]


async def test_traditional_and_simplified_find_each_other(hub: Hub) -> None:
    await hub.tell(described(1, fictitious(1, title="關於林權證的決定")), described(2, fictitious(2, title="林权证")))

    assert sorted(await titles(hub, words="林权证")) == sorted(["關於林權證的決定", "林权证"])
    assert sorted(await titles(hub, words="林權證")) == sorted(["關於林權證的決定", "林权证"])


async def test_hit_says_where_and_how_it_was_found(hub: Hub) -> None:
    await hub.tell(described(1, fictitious(1, title="林權證", responsible_parties=("林权股",), note="")))
    (hit,) = (await found(hub, words="林权")).hits

    assert hit.matches == (
        Match(field="title", how="variant", word="林权"),
        Match(field="responsible_parties", how="literal", word="林权"),
    )
    assert hit.stage == "title"


async def test_a_bare_search_finds_the_same_hits_and_says_nothing_about_them(hub: Hub) -> None:
    """Who shows the hits elsewhere, as a lookup does, pays neither for groups nor for reasons."""
    for number, title in enumerate(("林权证", "林权证", "茶园林权", "关于林权的请示"), 1):
        await hub.tell(described(number, fictitious(number, title=title)))
    query = Query(words="林权")
    whole, bare = await hub.database.read(
        lambda connection: (search(connection, query), search(connection, query, is_bare=True))
    )

    assert {(hit.record.record_id, hit.stage) for hit in bare.hits} == {
        (hit.record.record_id, hit.stage) for hit in whole.hits
    }
    assert (bare.total, bare.exact, bare.cursor) == (whole.total, whole.exact, whole.cursor)
    assert ({hit.matches for hit in bare.hits}, {hit.likeness.count for hit in bare.hits}) == ({()}, {0})


async def test_two_character_name_is_found_inside_a_title(hub: Hub) -> None:
    await hub.tell(described(1, fictitious(1, title="关于村民王甲承包林地的批复")))

    assert len(await titles(hub, words="王甲")) == 1


async def test_former_codes_are_found(hub: Hub) -> None:
    await hub.tell(described(1, fictitious(1, ref_code="Z109-WS-2011-0001")))

    assert len(await titles(hub, words="Z109-WS-2011-0001")) == 1


@pytest.mark.parametrize(
    ("date_from", "date_to", "expected"),
    [
        ((1986, 3, 15), None, 1),
        ((1986, 4, 1), None, 0),
        (None, (1986, 3, 1), 1),
        (None, (1986, 2, 28), 0),
        ((1980, 1, 1), (1990, 1, 1), 1),
    ],
)
async def test_dates_are_intervals(
    hub: Hub, date_from: tuple[int, int, int] | None, date_to: tuple[int, int, int] | None, expected: int
) -> None:
    await hub.tell(described(1, fictitious(1, title="合同", **DATES)))
    bounds = {"date_from": date_from and datetime.date(*date_from), "date_to": date_to and datetime.date(*date_to)}

    assert len(await titles(hub, words="合同", **bounds)) == expected
    assert len(await titles(hub, **bounds)) == expected


async def test_filters_narrow_words_and_work_without_words(hub: Hub) -> None:
    await hub.tell(
        described(1, fictitious(1, title="合同甲", fonds_no="J001", livelihood_kind="marriage")),
        described(2, fictitious(2, title="合同乙", fonds_no="J002", access_status=AccessStatus.OPEN)),
        described(3, fictitious(3, title="合同丙", fonds_no="J003", level=Level.VOLUME)),
    )

    assert await titles(hub, words="合同", fonds_no="J001") == ["合同甲"]
    assert await titles(hub, livelihood_kind="marriage") == ["合同甲"]
    assert await titles(hub, words="合同", access_status=AccessStatus.OPEN) == ["合同乙"]
    assert await titles(hub, level=Level.VOLUME) == ["合同丙"]
    assert await titles(hub, words="合同", fonds_no="J002", livelihood_kind="marriage") == []


async def test_sites_are_chosen_by_pattern(hub: Hub) -> None:
    await hub.tell(described(1, fictitious(1, title="合同")))
    await hub.tell(described(1, fictitious(2, title="合同")), site=OTHER_VILLAGE)

    assert (await found(hub, words="合同", site_glob="330523108*")).total == 2
    assert [hit.site for hit in (await found(hub, words="合同", site_glob=OTHER_VILLAGE.code)).hits] == [
        OTHER_VILLAGE.code
    ]


@pytest.mark.parametrize("more", [{}, {"fonds_no": "J001"}, {"date_from": datetime.date(1986, 1, 1)}, {"limit": 1}])
async def test_site_filter_lets_through_what_is_of_the_sites(hub: Hub, more: dict[str, object]) -> None:
    for site, first in ((VILLAGE, 1), (OTHER_VILLAGE, 101)):
        records = [fictitious(first + n, title=f"合同第{n}号", fonds_no=f"J00{n % 2}", **DATES) for n in range(30)]
        await hub.tell(*(described(n, record) for n, record in enumerate(records, 1)), site=site)
    await hub.tell(withdrawn(31, fictitious(1).record_id))
    seen = []
    for glob in (VILLAGE.code, "330523108*", "331*"):
        query = msgspec.structs.replace(Query(words="合同", site_glob=glob), **more)
        page = await hub.database.read(partial(search, query=query))
        seen.append((page.total, sum((await hub.database.read(partial(totals_by_site, query=query)))[0].values())))

    assert seen == ([(15, 15), (30, 30), (0, 0)] if "fonds_no" in more else [(29, 29), (59, 59), (0, 0)])


async def test_total_is_exact_up_to_its_bound_and_more_than_beyond(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    await hub.tell(*(described(number, fictitious(number)) for number in range(1, 31)))

    assert ((await found(hub, words="村民")).total, (await found(hub, words="村民")).exact) == (30, True)
    monkeypatch.setattr(searching, "TOTAL_MAX", 20)
    assert ((await found(hub, words="村民")).total, (await found(hub, words="村民")).exact) == (20, False)
    assert ((await found(hub, words="村民", fonds_no="J001")).total) == 20


async def test_totals_are_told_by_site(hub: Hub) -> None:
    await hub.tell(*(described(number, fictitious(number)) for number in range(1, 6)))
    await hub.tell(described(1, fictitious(9)), site=OTHER_VILLAGE)
    counts = await hub.database.read(lambda connection: totals_by_site(connection, Query(words="村民")))

    assert counts == ({VILLAGE.code: 5, OTHER_VILLAGE.code: 1}, True)


@pytest.mark.parametrize("words", ["AND", "王-伟", "a:b", "NEAR(", "№1", "≈1", "'; DROP TABLE entry"])
async def test_words_are_never_read_as_syntax(hub: Hub, words: str) -> None:
    await hub.tell(described(1, fictitious(1)))

    assert (await found(hub, words=words)).total == 0


@pytest.mark.parametrize("words", ['"', "*", "()", "，", "-", "题名:", "日期:1986年13月", "x" * 10_000])
async def test_what_cannot_be_understood_is_refused_with_its_place(hub: Hub, words: str) -> None:
    with pytest.raises(BadQuery) as refused:
        await found(hub, words=words)

    assert 0 <= refused.value.start <= refused.value.end <= len(words)


async def test_hits_tell_how_many_are_like_them_and_where(hub: Hub) -> None:
    same = {"title": "防汛通知", "doc_no": "县政〔1997〕8号"}
    await hub.tell(described(1, fictitious(1, **same)))
    await hub.tell(described(1, fictitious(2, **same)), site=OTHER_VILLAGE)
    hits = (await found(hub, words="防汛")).hits

    assert [(hit.likeness.count, hit.likeness.sites) for hit in hits if hit.site == VILLAGE.code] == [
        (1, (OTHER_VILLAGE.code,))
    ]
