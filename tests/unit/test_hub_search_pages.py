"""Pages of hits: ranks, cursors, facets, groups, names that sound alike, and the time that a search may take."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hub.searching import walks
from hub.searching.search import Page, Query, search
from hub.storage import sqlite_index
from hub.vocabulary.gazetteer import Gazetteer
from hub.vocabulary.readings import Readings
from hub.vocabulary.synonyms import Synonyms
from protocol.errors import BadSetting
from protocol.events import WithdrawalCause
from protocol.vocabularies import AccessStatus, Level
from replication.database import opened
from tests.catalogue import access_changed, described, fictitious, record_id, withdrawn
from tests.hubs import MIGRATIONS, Hub


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    async with opened(tmp_path / "hub.db", MIGRATIONS) as database:
        yield Hub(database)


@contextmanager
def statements(connection: Connection) -> Iterator[list[str]]:
    """The statements of a connection, as the store is told them."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    told: list[str] = []
    raw.set_trace_callback(told.append)
    yield told
    raw.set_trace_callback(None)


async def found(hub: Hub, **query: object) -> Page:
    return await hub.database.read(lambda connection: search(connection, Query(**query)))  # type: ignore[arg-type]


async def test_words_in_the_title_come_before_words_elsewhere(hub: Hub) -> None:
    await hub.tell(
        described(1, fictitious(1, title="通知", note="山林承包", date_raw="")),
        described(2, fictitious(2, title="承包山林", note="")),
        described(3, fictitious(3, title="山林承包", note="")),
    )
    page = await found(hub, words="山林 承包")

    assert [(hit.record.title, hit.stage) for hit in page.hits] == [
        ("山林承包", "joined"),
        ("承包山林", "title"),
        ("通知", "anywhere"),
    ]


async def test_cursor_that_was_altered_or_is_of_another_query_is_refused(hub: Hub) -> None:
    await hub.tell(*(described(number, fictitious(number)) for number in range(1, 6)))
    cursor = (await found(hub, words="村民", limit=2)).cursor

    assert cursor
    altered = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    for words, given in (("关于", cursor), ("村民", altered), ("村民", "§"), ("村民", "x" * 10_000)):
        with pytest.raises(BadSetting):
            await found(hub, words=words, cursor=given)


async def test_facets_count_what_was_counted(hub: Hub) -> None:
    statuses = (AccessStatus.OPEN, AccessStatus.OPEN, AccessStatus.RESTRICTED)
    await hub.tell(*(described(at, fictitious(at, access_status=status)) for at, status in enumerate(statuses, 1)))
    facets = (await found(hub, words="村民", with_facets=True)).facets

    assert facets is not None
    assert [(one.value, one.count) for one in facets.access.values] == [("open", 2), ("restricted", 1)]
    assert sum(one.count for one in facets.year.values) == len(statuses)


async def test_a_page_behind_the_first_says_what_was_counted_for_it(hub: Hub) -> None:
    """Somebody who turns pages is not counted for again; the hits are those that there are now."""
    await hub.tell(*(described(number, fictitious(number)) for number in range(1, 6)))
    first = await found(hub, words="村民", limit=2, with_facets=True)
    await hub.tell(*(described(number, fictitious(number)) for number in range(6, 9)))
    behind = Query(words="村民", limit=2, with_facets=True, cursor=first.cursor)
    kept = await hub.database.read(lambda connection: search(connection, behind, tally=first.tally))
    anew = await hub.database.read(lambda connection: search(connection, behind))

    assert (kept.total, kept.facets, anew.total) == (5, first.facets, 8)
    assert kept.hits == anew.hits


async def test_item_stands_before_its_volume_and_beside_it(hub: Hub) -> None:
    volume = fictitious(1, title="山林卷", level=Level.VOLUME)
    item = fictitious(2, title="山林纠纷", parent_id=volume.record_id)
    await hub.tell(described(1, volume), described(2, item), described(3, fictitious(3, title="山林")))
    groups = [(hit.record.title, hit.group) for hit in (await found(hub, words="山林")).hits]

    place = groups.index(("山林纠纷", dict(groups)["山林纠纷"]))
    assert groups[place + 1] == ("山林卷", dict(groups)["山林纠纷"])
    assert len(set(dict(groups).values())) == 2


async def test_closing_and_withdrawal_reach_the_index_at_once(hub: Hub) -> None:
    await hub.tell(described(1, fictitious(1, access_status=AccessStatus.OPEN)), described(2, fictitious(2)))
    await hub.tell(access_changed(3, fictitious(1, access_status=AccessStatus.RESTRICTED), AccessStatus.RESTRICTED))

    assert (await found(hub, words="村民 开放:开放")).total == 0
    assert (await found(hub, words="村民 开放:控制")).total == 1
    await hub.tell(withdrawn(4, record_id(1), WithdrawalCause.ROW_VANISHED))
    assert (await found(hub, words="村民 开放:控制")).total == 0


async def test_names_that_sound_alike_come_last_and_say_so(hub: Hub) -> None:
    await hub.tell(described(1, fictitious(1, title="王玮申请")), described(2, fictitious(2, title="王伟申请")))
    names = Readings(Gazetteer(()), Synonyms(()))
    page = await hub.database.read(lambda connection: search(connection, Query(words="王伟"), names))
    quiet = await hub.database.read(lambda connection: search(connection, Query(words="王伟", sounds=False), names))

    assert [(hit.record.title, hit.stage) for hit in page.hits] == [("王伟申请", "title"), ("王玮申请", "homophone")]
    assert [hit.record.title for hit in quiet.hits] == ["王伟申请"]


async def test_search_that_ran_out_of_time_says_so(hub: Hub) -> None:
    await hub.tell(*(described(number, fictitious(number)) for number in range(1, 200)))
    page = await hub.database.read(lambda connection: search(connection, Query(words="村民"), budget_s=0.0))

    assert (page.was_cut, page.exact) == (True, False)


@pytest.mark.parametrize(("known", "walked"), [(20, 1), (2, 2)])
async def test_ranks_behind_the_last_hit_are_not_walked(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, known: int, walked: int
) -> None:
    """What was counted tells when everything is found; every rank is a walk along lists of its own.

    What is so little that all of it was named needs no walk beyond that.
    """
    monkeypatch.setattr(walks, "KNOWN_MAX", known)
    await hub.tell(*(described(seq, fictitious(seq, title=f"{seq}号山林承包合同")) for seq in range(1, 4)))

    def asked(connection: Connection) -> tuple[Page, int]:
        with statements(connection) as told:
            page = search(connection, Query(words="山林承包"))
        return page, sum(sql.startswith("SELECT search.rowid AS docid") for sql in told)

    page, asked_for = await hub.database.read(asked)

    assert (len(page.hits), page.total, page.exact) == (3, 3, True)
    assert {hit.stage for hit in page.hits} == {page.hits[0].stage}
    assert asked_for == walked


@pytest.mark.parametrize(("near", "glimpse", "walked"), [(5, 500, 0), (5, 1, 1), (1, 1, 2)])
async def test_a_page_that_the_newest_fill_is_looked_for_among_them_alone(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, near: int, glimpse: int, walked: int
) -> None:
    """Of a word that very many have, every entry that is ranked with the newest would be walked along again."""
    await hub.tell(*(described(seq, fictitious(seq, title=f"{seq}号山林")) for seq in range(1, 31)))
    monkeypatch.setattr(walks, "TOTAL_MAX", 20)
    monkeypatch.setattr("hub.searching.search.TOTAL_MAX", 20)
    newest = (await found(hub, words="山林", limit=30)).hits[:2]
    monkeypatch.setattr(walks, "COUNTED_AT_ONCE", near)
    monkeypatch.setattr(sqlite_index, "GLIMPSE_OPS", glimpse)

    def asked(connection: Connection) -> tuple[Page, int]:
        with statements(connection) as told:
            page = search(connection, Query(words="山林", limit=2))
        return page, sum(sql.startswith("SELECT docid FROM (SELECT search.rowid") for sql in told)

    page, asked_for = await hub.database.read(asked)

    assert [hit.seq for hit in page.hits] == [hit.seq for hit in newest]
    assert asked_for == walked


@pytest.mark.parametrize(("looked_at", "total", "is_upper_bound"), [(20, 3, False), (9, 10, True)])
async def test_where_too_much_would_have_to_be_looked_at_the_total_is_an_upper_bound(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, looked_at: int, total: int, is_upper_bound: bool
) -> None:
    """The index is asked for a few pairs of a long phrase; titles that have them elsewhere are no hits."""
    monkeypatch.setattr(walks, "CHECKED_MAX", looked_at)
    meant, similar = "山林承包签订事项的通知", "通知事项的签订承包山林承包签订包签的通订事"
    titles = [meant] * 3 + [similar] * 7
    await hub.tell(*(described(seq, fictitious(seq, title=title)) for seq, title in enumerate(titles, 1)))

    page = await found(hub, words=meant, with_facets=True)

    assert (page.total, page.is_upper_bound, page.exact) == (total, is_upper_bound, not is_upper_bound)
    assert page.facets is not None
    assert sum(one.count for one in page.facets.year.values) == total
    assert {hit.record.title for hit in page.hits} == {meant}
