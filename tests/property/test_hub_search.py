"""What the index finds is what the query means, and paging tells each of it once."""

import datetime
import functools
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, StaticPool, create_engine

from hub.application import Application
from hub.searching import walks
from hub.searching.search import Page, Query, search
from protocol.matching import Matcher
from protocol.queries import parse
from protocol.record_facts import subject_of
from protocol.records import Record
from protocol.vocabularies import AccessStatus, Level
from replication.acceptance import whole
from replication.migrations import migrate
from tests.catalogue import OTHER_VILLAGE, VILLAGE, accepted, described, fictitious
from tests.hubs import MIGRATIONS

WORDS = (
    "山林",
    "承包",
    "合同",
    "林地承包合同",
    "王伟",
    "政",
    "1986",
    "J001-WS",
    "石政〔1986〕7号",
    "题名:山林",
    "责任者:村",
    "86年",
    "86-87",
    "1986 年 3 月",
    "1986年山林",
    "一九八六年山林政策",
    "山林、承包",
    "改革开放后",
    "WS-1",
    "石政〔八六〕七号",
)
FILTERS = (
    "",
    "全宗:J001",
    "开放:开放",
    "层级:案卷",
    "日期:1986",
    "日期:1985-1987",
    "日期:1986年3月",
    "-合同",
    "-王伟",
    "站点:330523108204",
)
TITLES = (
    "关于山林承包合同的批复",
    "林地承包合同",
    "王伟承包山林",
    "山林与合同",
    "承包合同（王伟）",
    "防汛通知",
    "1986年山林政策",
)

queries = st.builds(
    lambda words, alternative, narrowed: " ".join(
        part for part in (*words, f"{alternative[0]}|{alternative[1]}" if alternative else "", narrowed) if part
    ),
    st.lists(st.sampled_from(WORDS), min_size=0, max_size=3),
    st.none() | st.tuples(st.sampled_from(WORDS[:5]), st.sampled_from(WORDS[:5])),
    st.sampled_from(FILTERS),
).filter(lambda text: text and not text.startswith("-"))


@st.composite
def records(draw: st.DrawFn) -> list[tuple[bool, Record]]:
    """Entries of two sites."""
    made = []
    for number in range(draw(st.integers(1, 14))):
        first = datetime.date(draw(st.sampled_from((1984, 1985, 1986, 1987))), draw(st.integers(1, 12)), 5)
        days = draw(st.sampled_from((0, 20, 500, 6_000)))
        dates = {"date_earliest": first, "date_latest": first + datetime.timedelta(days=days)}
        changes = {
            "title": draw(st.sampled_from(TITLES)),
            "responsible_parties": (draw(st.sampled_from(("上石村", "县政府", "王伟"))),),
            "doc_no": draw(st.sampled_from(("", "石政〔1986〕7号", "石政〔1986〕17号"))),
            "fonds_no": draw(st.sampled_from(("J001", "J002"))),
            "access_status": draw(st.sampled_from(tuple(AccessStatus))),
            "level": draw(st.sampled_from((Level.ITEM, Level.VOLUME))),
            "date_raw": first.isoformat(),
            **(dates if draw(st.booleans()) else {"date_earliest": None, "date_latest": None}),
        }
        made.append((draw(st.booleans()), fictitious(number + 1, **changes)))
    return made


@functools.cache
def empty() -> sqlite3.Connection:
    """A new hub's database, to be copied."""
    raw = sqlite3.connect(":memory:", check_same_thread=False)
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
    with engine.begin() as connection:
        migrate(connection, MIGRATIONS)
    return raw


def copied() -> sqlite3.Connection:
    raw = sqlite3.connect(":memory:", check_same_thread=False)
    empty().backup(raw)
    return raw


def filled(connection: Connection, entries: list[tuple[bool, Record]]) -> None:
    application = Application(lambda: 0)
    for site in (VILLAGE, OTHER_VILLAGE):
        mine = [one for here, one in entries if here is (site == VILLAGE)]
        if mine:
            frame = accepted([described(seq, one) for seq, one in enumerate(mine, 1)], site)
            frame.prepared = whole(application.preparing(frame))
            application.apply(connection, [frame])


def paged(connection: Connection, text: str, limit: int) -> list[Page]:
    pages = [search(connection, Query(words=text, limit=limit, with_facets=True))]
    while pages[-1].cursor:
        pages.append(search(connection, Query(words=text, limit=limit, cursor=pages[-1].cursor)))
    return pages


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    records(),
    queries,
    st.integers(1, 6),
    st.sampled_from((2, 5, 10_000)),
    st.sampled_from((1, 3, 1_000)),
    st.sampled_from((1, 500)),
)
def test_engine_finds_what_the_query_means_and_paging_tells_each_hit_once(
    entries: list[tuple[bool, Record]], text: str, limit: int, ranked_together: int, near: int, glimpse: int
) -> None:
    matcher = Matcher(parse(text))
    expected = sorted(
        str(one.record_id)
        for here, one in entries
        if matcher.satisfies(subject_of(one, site=(VILLAGE if here else OTHER_VILLAGE).code))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walks, "TOTAL_MAX", ranked_together)
        patch.setattr("hub.searching.search.TOTAL_MAX", ranked_together)
        patch.setattr(walks, "COUNTED_AT_ONCE", near)
        # So that in a small catalogue, too, terms are rare and common.
        patch.setattr("hub.searching.rarity.REACH_ENTRIES", 1)
        patch.setattr("hub.searching.ordering.COMMONER", 1)
        patch.setattr("hub.storage.sqlite_index.GLIMPSE_OPS", glimpse)
        raw = copied()
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
        with engine.begin() as connection:
            filled(connection, entries)
            pages = paged(connection, text, limit)
            patch.setattr(walks, "KNOWN_MAX", 0)
            walked = paged(connection, text, limit)
        engine.dispose()

    assert sorted(str(hit.record.record_id) for page in pages for hit in page.hits) == expected
    # What is found at once is told in the ranks in which it would be found.
    assert [page.hits for page in pages] == [page.hits for page in walked]
    if len(expected) <= ranked_together:
        assert (pages[0].total, pages[0].exact) == (len(expected), True)
        assert pages[0].facets is not None
        assert sum(one.count for one in pages[0].facets.site.values) == len(expected)
