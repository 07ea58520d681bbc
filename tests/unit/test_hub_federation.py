"""The federated answer: index and sites merged, each site's outcome told, completeness stated."""

import datetime
import time
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest
from sqlalchemy import Connection

from hub.courier import couriers
from hub.membership import keyring
from hub.membership.keyring_tables import enrolled_node
from hub.searching import federation
from hub.searching.federation import federated
from hub.searching.gathering import STOPPED, Gathering, SiteReport
from hub.searching.search import Names, Query, totals_by_site
from hub.sites.board import record_beats
from protocol.beats import Beat
from protocol.calls import Match, Outcome
from protocol.errors import BrokenStore
from protocol.limits import OFFLINE_AFTER_S
from protocol.records import Record
from protocol.sites import Site, parse_site
from protocol.vocabularies import AccessStatus
from replication.asking import Asker
from tests.answering_sites import AnsweringSite, answering
from tests.catalogue import OTHER_VILLAGE, VILLAGE, described, fictitious
from tests.fakes import FakeBroker
from tests.hubs import Hub
from tests.stores import Store

NOW_MS = 1_790_000_000_000
TOWN = parse_site("330523108000")


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened(readers=2) as database:
        yield Hub(database)


async def expect(hub: Hub, *sites: Site, silent: Sequence[Site] = ()) -> None:
    """Expect some sites, all of which just gave a sign of life, except the silent ones."""

    def step(connection: Connection) -> None:
        for site in sites:
            keyring.expect(connection, site, f"档案室{site.village}", datetime.date(2026, 1, 1))
        record_beats(connection, [beat(site) for site in sites if site not in silent], NOW_MS - 1000)
        record_beats(connection, [beat(site) for site in silent], NOW_MS - int(OFFLINE_AFTER_S * 1000) - 1)

    await hub.database.write(step)


async def carried(hub: Hub, site: Site, at_ms: int) -> None:
    """Have a site come by courier, with its last bundle at a moment."""

    def step(connection: Connection) -> None:
        row = {"site": site.code, "name": "", "software": "", "enrolled_at_ms": 1}
        connection.execute(enrolled_node.insert().values(public_key="U", **row))
        couriers.expect(connection, "U", site.code)
        couriers.take(connection, "U", 1, at_ms)

    await hub.database.write(step)


def beat(site: Site) -> Beat:
    return Beat(site=site.code, node="U", epoch="e1", seq=1)


def contract(number: int, title: str = "林地承包合同", **changes: object) -> Record:
    return fictitious(number, title=title, **changes)


async def asked(
    hub: Hub, query: Query, sites: Sequence[AnsweringSite], deadline_s: float = 1.5
) -> tuple[Gathering, list[int]]:
    """Return the finished answer, and how many hits there were at each step."""
    broker = FakeBroker()
    steps = []
    gathering: Gathering | None = None
    async with answering(broker.bus(), sites), Asker(broker.bus(), "test").opened() as asker:
        async for gathering in federated(hub.database, asker, query, NOW_MS, deadline_s=deadline_s):
            steps.append(len(gathering.newest()))
    assert gathering is not None
    assert gathering.finished
    return gathering, steps


def report_of(gathering: Gathering, site: Site) -> SiteReport:
    return gathering.reports[site.code]


async def test_live_hits_join_those_of_the_index(hub: Hub) -> None:
    await expect(hub, VILLAGE, OTHER_VILLAGE)
    await hub.tell(described(1, contract(1)))
    gathering, steps = await asked(
        hub,
        Query(words="林地"),
        [AnsweringSite(VILLAGE, [contract(1)]), AnsweringSite(OTHER_VILLAGE, [contract(2)])],
    )

    assert {(hit.site, hit.live) for hit in gathering.newest()} == {(VILLAGE.code, True), (OTHER_VILLAGE.code, True)}
    assert steps[0] == 1, "the index answers before any site"
    assert (gathering.summary().total, gathering.summary().complete, gathering.summary().partial) == (2, True, False)


async def test_newer_live_version_replaces_the_copy(hub: Hub) -> None:
    await expect(hub, VILLAGE)
    await hub.tell(described(1, contract(1, "林地承包合同旧稿")))
    site = AnsweringSite(VILLAGE, [contract(1, "林地承包合同新稿")], seq=5)
    site.seqs = dict.fromkeys(site.seqs, 5)
    gathering, _ = await asked(hub, Query(words="林地"), [site])

    assert [hit.record.title for hit in gathering.newest()] == ["林地承包合同新稿"]


async def test_copy_that_is_newer_in_the_same_epoch_stays(hub: Hub) -> None:
    """A site whose disk was restored says old things until it has a new epoch."""
    await expect(hub, VILLAGE)
    await hub.tell(described(7, contract(1, "林地承包合同新稿", access_status=AccessStatus.RESTRICTED)))
    gathering, _ = await asked(hub, Query(words="林地"), [AnsweringSite(VILLAGE, [contract(1)])])

    assert [(hit.record.title, hit.live) for hit in gathering.newest()] == [("林地承包合同新稿", False)]


async def test_copy_that_the_site_no_longer_finds_goes(hub: Hub) -> None:
    await expect(hub, VILLAGE)
    await hub.tell(described(1, contract(1)), described(2, contract(2)))
    gathering, steps = await asked(hub, Query(words="林地"), [AnsweringSite(VILLAGE, [contract(1)], seq=9)])

    assert (steps[0], len(gathering.newest()), gathering.summary().total) == (2, 1, 1)


async def test_copy_stays_if_the_site_named_only_some_of_its_hits(hub: Hub) -> None:
    await expect(hub, VILLAGE)
    await hub.tell(*(described(number, contract(number)) for number in range(1, 5)))
    site = AnsweringSite(VILLAGE, [contract(number) for number in range(1, 5)])
    site.hits_max = 2
    gathering, _ = await asked(hub, Query(words="林地"), [site])

    assert (len(gathering.newest()), gathering.summary().total) == (4, 4)


async def test_site_that_still_indexes_what_it_read_makes_the_answer_partial_and_says_so(hub: Hub) -> None:
    """Its answer is as of before what waits: what the copy has of that already stays and is counted."""
    await expect(hub, VILLAGE)
    await hub.tell(*(described(number, contract(number)) for number in range(1, 4)))
    site = AnsweringSite(VILLAGE, [contract(1)], seq=1)
    site.waiting = 2
    gathering, _ = await asked(hub, Query(words="林地"), [site])

    summary = gathering.summary()
    assert (len(gathering.newest()), summary.total, summary.exact, summary.complete) == (3, 3, False, False)
    reason = report_of(gathering, VILLAGE).reason
    assert reason is not None
    assert "约 2 条" in reason.zh
    assert "some 2 entries" in reason.en


async def test_every_outcome_is_told_with_its_as_of(hub: Hub) -> None:
    offline, hanging, refusing, empty = TOWN, VILLAGE, OTHER_VILLAGE, parse_site("330523108206")
    await expect(hub, offline, hanging, refusing, empty, silent=[offline])
    await hub.tell(described(1, contract(1)), site=offline)
    hung, no = AnsweringSite(hanging), AnsweringSite(refusing)
    hung.hangs, no.refuses = True, True
    gathering, _ = await asked(hub, Query(words="林地"), [hung, no, AnsweringSite(empty, epoch="e9", seq=4)])
    outcomes = {code: report.outcome for code, report in gathering.reports.items()}

    assert outcomes == {
        offline.code: Outcome.OFFLINE,
        hanging.code: Outcome.LATE,
        refusing.code: Outcome.REFUSED,
        empty.code: Outcome.NOTHING,
    }
    assert (report_of(gathering, empty).epoch, report_of(gathering, empty).seq) == ("e9", 4)
    assert report_of(gathering, offline).index_total == 1
    reason = report_of(gathering, refusing).reason
    assert reason is not None
    assert reason.zh == "正在维护"
    assert (gathering.summary().complete, gathering.summary().total) == (False, 1)


async def test_offline_site_is_not_asked(hub: Hub) -> None:
    await expect(hub, VILLAGE, silent=[VILLAGE])
    site = AnsweringSite(VILLAGE, [contract(1)])
    gathering, _ = await asked(hub, Query(words="林地"), [site], deadline_s=5)

    assert (site.asked, report_of(gathering, VILLAGE).outcome) == (0, Outcome.OFFLINE)


@pytest.mark.parametrize("others", [(), (OTHER_VILLAGE,)])
async def test_site_that_comes_by_courier_is_not_asked_and_its_copy_says_of_when_it_is(
    hub: Hub, others: tuple[Site, ...]
) -> None:
    """Its bundle is its last sign of life; to call it late or offline would make a rule look like a failure."""
    await expect(hub, VILLAGE, *others)
    await carried(hub, VILLAGE, NOW_MS - 500)
    await hub.tell(described(1, contract(1)))
    site = AnsweringSite(VILLAGE, [contract(1)])
    gathering, _ = await asked(hub, Query(words="林地"), [site, *(AnsweringSite(one) for one in others)])
    report = report_of(gathering, VILLAGE)

    assert (site.asked, report.outcome, report.index_total, report.live_total) == (0, Outcome.INDEX_ONLY, 1, None)
    assert report.reason is not None
    assert report.reason.en == "comes by courier, as of 2026-09-21"
    assert (len(gathering.newest()), gathering.summary().complete) == (1, False)


async def test_site_that_is_heard_on_the_line_after_its_bundle_is_asked(hub: Hub) -> None:
    await expect(hub, VILLAGE)
    await carried(hub, VILLAGE, NOW_MS - 2000)
    gathering, _ = await asked(hub, Query(words="林地"), [AnsweringSite(VILLAGE, [contract(1)])])

    assert report_of(gathering, VILLAGE).outcome is Outcome.ANSWERED


async def test_site_that_said_goodbye_is_not_asked_and_the_answer_says_so(hub: Hub) -> None:
    """It was seen a second ago; waiting for it would cost everybody the whole deadline."""
    await expect(hub, VILLAGE, OTHER_VILLAGE)
    goodbye = msgspec.structs.replace(beat(VILLAGE), stopping=True)
    await hub.database.write(lambda connection: record_beats(connection, [goodbye], NOW_MS))
    site = AnsweringSite(VILLAGE, [contract(1)])
    began = time.perf_counter()
    gathering, _ = await asked(
        hub, Query(words="林地"), [site, AnsweringSite(OTHER_VILLAGE, [contract(2)])], deadline_s=60
    )

    assert (site.asked, report_of(gathering, VILLAGE).outcome) == (0, Outcome.OFFLINE)
    assert report_of(gathering, VILLAGE).reason == STOPPED
    assert gathering.summary().complete is False
    assert time.perf_counter() - began < 30


async def test_copy_is_counted_only_if_some_site_did_not_count_itself(hub: Hub) -> None:
    """Counting costs the hub more than anything else in a search, and a site's own word is better."""
    await expect(hub, VILLAGE, OTHER_VILLAGE)
    await hub.tell(described(1, contract(1)))
    silent = AnsweringSite(OTHER_VILLAGE)
    counted = []
    for hangs in (False, True):
        silent.hangs = hangs
        gathering, _ = await asked(hub, Query(words="林地"), [AnsweringSite(VILLAGE, [contract(1)]), silent])
        counted.append([report_of(gathering, site).index_total for site in (VILLAGE, OTHER_VILLAGE)])
        assert (gathering.summary().total, gathering.summary().exact) == (1, True)

    assert counted == [[None, None], [1, 0]]


async def test_count_for_a_hanging_site_is_there_at_the_deadline(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins while the site may still answer, so the last piece does not come later than it must."""
    monkeypatch.setattr(federation, "COUNT_AFTER_S", 0.05)
    begun_s = []

    def count(connection: Connection, query: Query, names: Names | None) -> tuple[dict[str, int], bool]:
        begun_s.append(time.perf_counter() - began)
        return totals_by_site(connection, query, names)

    monkeypatch.setattr(federation, "totals_by_site", count)
    await expect(hub, VILLAGE)
    await hub.tell(described(1, contract(1)))
    hung = AnsweringSite(VILLAGE)
    hung.hangs = True
    began = time.perf_counter()
    gathering, _ = await asked(hub, Query(words="林地"), [hung], deadline_s=1.5)

    assert (report_of(gathering, VILLAGE).outcome, report_of(gathering, VILLAGE).index_total) == (Outcome.LATE, 1)
    assert [begun < 1.0 for begun in begun_s] == [True]


async def test_copy_that_cannot_be_counted_is_an_error_and_no_zero(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: Connection, _query: Query, _names: object) -> tuple[dict[str, int], bool]:
        connection.exec_driver_sql("SELECT malformed(")
        return {}, True

    monkeypatch.setattr(federation, "totals_by_site", broken)
    await expect(hub, VILLAGE)

    with pytest.raises(BrokenStore):
        async for _ in federated(hub.database, None, Query(words="林地"), NOW_MS):
            pass


async def test_shown_hit_says_why_it_was_found_whether_the_site_says_so_or_not(hub: Hub) -> None:
    """A site of version 1.0 explains every hit; a later one is not asked to, and the hub explains those it shows."""
    await expect(hub, VILLAGE, OTHER_VILLAGE)
    old, new = AnsweringSite(VILLAGE, [contract(1)]), AnsweringSite(OTHER_VILLAGE, [contract(2, "林地承包合同")])
    old.matches = (Match(field="note", how="literal"),)
    gathering, _ = await asked(hub, Query(words="林地"), [old, new])

    assert {hit.site: hit.matches for hit in gathering.newest()} == {
        VILLAGE.code: (Match(field="note", how="literal"),),
        OTHER_VILLAGE.code: (Match(field="title", how="literal", word="林地"),),
    }


async def test_record_that_cannot_be_shown_leaves_its_place_to_the_next(hub: Hub) -> None:
    await expect(hub, VILLAGE)
    site = AnsweringSite(VILLAGE, [contract(number) for number in range(1, 5)])
    newest = max(site.records.values(), key=lambda record: record.date_latest or datetime.date.min)
    site.spoilt = {newest.record_id}
    gathering, _ = await asked(hub, Query(words="林地", limit=2), [site])
    shown = gathering.newest()

    assert len(shown) == 2
    assert newest.record_id not in {hit.record.record_id for hit in shown}


async def test_only_sites_that_match_the_filter_are_asked(hub: Hub) -> None:
    await expect(hub, VILLAGE, OTHER_VILLAGE)
    sites = [AnsweringSite(VILLAGE, [contract(1)]), AnsweringSite(OTHER_VILLAGE, [contract(2)])]
    gathering, _ = await asked(hub, Query(words="林地", site_glob=OTHER_VILLAGE.code), sites)

    assert [site.asked for site in sites] == [0, 1]
    assert (list(gathering.reports), gathering.summary().complete) == ([OTHER_VILLAGE.code], True)


async def test_site_that_nobody_expects_does_not_make_the_answer_partial(hub: Hub) -> None:
    await expect(hub, VILLAGE)
    await hub.database.write(lambda connection: record_beats(connection, [beat(OTHER_VILLAGE)], 0))
    gathering, _ = await asked(hub, Query(words="林地"), [AnsweringSite(VILLAGE, [contract(1)])])

    assert gathering.summary().complete
    assert report_of(gathering, OTHER_VILLAGE).outcome is Outcome.OFFLINE


async def test_without_sites_the_index_answers_and_says_that_it_is_partial(hub: Hub) -> None:
    await expect(hub, VILLAGE)
    await hub.tell(described(1, contract(1)))
    states = [state async for state in federated(hub.database, None, Query(words="林地"), NOW_MS)]
    summary = states[-1].summary()

    assert (summary.total, summary.exact, summary.complete) == (1, True, False)
    assert report_of(states[-1], VILLAGE).outcome is Outcome.INDEX_ONLY


async def test_lost_link_leaves_the_index_and_says_so(hub: Hub) -> None:
    await expect(hub, VILLAGE)
    await hub.tell(described(1, contract(1)))
    bus = FakeBroker().bus()
    bus.down()
    async with Asker(bus, "test").opened() as asker:
        states = [state async for state in federated(hub.database, asker, Query(words="林地"), NOW_MS)]
    report = report_of(states[-1], VILLAGE)

    assert (report.outcome, report.index_total, len(states[-1].newest())) == (Outcome.INDEX_ONLY, 1, 1)
    assert report.reason is not None


async def test_everybody_is_asked_with_one_message_when_they_are_many(hub: Hub) -> None:
    sites = [parse_site(f"330523108{number}") for number in range(200, 220)]
    await expect(hub, *sites)
    broker = FakeBroker()
    here = [AnsweringSite(site, [contract(index)]) for index, site in enumerate(sites)]
    async with answering(broker.bus(), here), Asker(broker.bus(), "test").opened() as asker:
        query = Query(words="林地", limit=100)
        states = [state async for state in federated(hub.database, asker, query, NOW_MS)]
    gathering = states[-1]

    assert (len(gathering.newest()), gathering.summary().complete) == (20, True)
    assert [site.asked for site in here] == [1] * 20


async def test_newest_come_first_whoever_said_so(hub: Hub) -> None:
    await expect(hub, VILLAGE, OTHER_VILLAGE)
    await hub.tell(*(described(number, contract(number)) for number in range(1, 9)))
    gathering, _ = await asked(
        hub,
        Query(words="林地", limit=10),
        [
            AnsweringSite(VILLAGE, [contract(number) for number in range(1, 9)]),
            AnsweringSite(OTHER_VILLAGE, [contract(number) for number in range(10, 15)]),
        ],
    )
    dates = [hit.record.date_edtf for hit in gathering.newest()]

    assert dates == sorted(dates, reverse=True)
    assert len(dates) == 10
