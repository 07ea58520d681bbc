"""The catalogue's pages over real HTTP and a real store: what is found and why, what each role sees, what is noted."""

import asyncio
import csv
import datetime
import errno
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import httpx
import openpyxl
import pytest
from sqlalchemy import Connection

from hub import audit
from hub.catalogue_files import FileFormat, Heading, Line, begun
from hub.commands.fields import ACCESS
from hub.decisions.duplicates import decisions_about
from hub.searching.search import Names, Page, Query, search
from hub.staff.administration import Actor
from hub.staff.roles import Role
from hub.web import exporting
from hub.web.asked_words import ASKED_KEPT_MAX, AskedWords
from hub.web.hits import stretches
from hub.web.reach import Reach
from hub.web.sightings import note_listed
from protocol.calls import Match
from protocol.sites import parse_site
from protocol.vocabularies import AccessStatus, Level
from replication.asking import Asker
from tests.answering_sites import AnsweringSite, answering
from tests.catalogue import described, fictitious, record_id
from tests.catalogue_desks import (
    COPY,
    FOREST,
    ITEM,
    OTHER_TOWN,
    SEALED,
    SEALED_TITLE,
    TOWN,
    VILLAGE,
    VOLUME,
    fill_catalogue,
    path_of,
    record,
    tell,
)
from tests.consoles import Browser, Desk, browsing, desk, words_in
from tests.fakes import FakeBroker


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_catalogue) as made:
        yield made


CATALOGUE = ("entries_listed", "entry_read", "told_apart", "brought_together", "catalogue_exported")


async def noted(here: Desk) -> list[tuple[str, str, str]]:
    """What the audit log says of the catalogue."""
    lines = await here.database.read(lambda connection: audit.listed(connection, limit=100))
    return [(one.action, one.object, one.outcome) for one in reversed(lines) if one.action in CATALOGUE]


async def asked(browser: Browser, words: str, **more: str) -> httpx.Response:
    """The answer to some words, as a form asks for it."""
    away = await browser.post("/catalogue", {"words": words, **more}, shown_at="/account")
    assert away.status_code == 303, away.text
    return await browser.get(away.headers["location"])


async def test_a_search_tells_what_was_found_and_why(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        answer = await asked(browser, "山林承包合同")

    told = words_in(answer.text)
    assert (answer.status_code, "共 3 条" in told, "命中 题名" in told) == (200, True, True)
    assert f'href="{path_of(FOREST)}"' in answer.text
    assert "另有 1 条可能是同一件" in told


async def test_words_stand_in_no_address(here: Desk) -> None:
    """Addresses are kept by browsers and by whatever stands between; names of persons are none of their business."""
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        away = await browser.post("/catalogue", {"words": "山林承包"})
        page = await browser.get(away.headers["location"])

    addresses = [away.headers["location"], *(part.partition('"')[0] for part in page.text.split('href="')[1:])]
    assert [one for one in addresses if "山林" in unquote(one)] == []


async def test_somebody_elses_words_are_not_shown(here: Desk) -> None:
    one, other = await here.signed_in(Role.CLERK, login="one"), await here.signed_in(Role.CLERK, login="other")
    async with browsing(one, other):
        away = await one.post("/catalogue", {"words": "山林承包"})
        page = await other.get(away.headers["location"])

    assert (page.status_code, 'value="山林承包"' in page.text) == (200, False)
    assert "检索词已不在" in page.text


def test_words_are_kept_for_the_last_searches_only() -> None:
    kept = AskedWords()
    first = kept.keep("a", "words")
    numbers = [kept.keep("a", f"words {at}") for at in range(ASKED_KEPT_MAX)]

    assert (kept.of("a", first), kept.of("a", numbers[-1]), kept.of("a", "")) == (None, f"words {len(numbers) - 1}", "")


async def test_a_fault_in_the_query_is_pointed_at(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        answer = await asked(browser, "山林 类别:结昏")

    assert (answer.status_code, '<mark class="wrong">结昏</mark>' in answer.text) == (400, True)


async def test_a_facet_narrows_and_can_be_taken_away(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        every = await browser.get("/catalogue")
        narrowed = await browser.get("/catalogue?kind=forest_contracts")

    assert 'href="/catalogue?kind=forest_contracts"' in every.text
    assert ("共 2 条" in words_in(narrowed.text), 'href="/catalogue"' in narrowed.text) == (True, True)


async def test_every_entry_is_on_exactly_one_page(here: Desk) -> None:
    browser = await here.signed_in(Role.ARCHIVIST)
    seen: list[str] = []
    path = "/catalogue"
    async with browsing(browser):
        while path:
            text = (await browser.get(path)).text
            hits = text.partition('<ol class="hits')[2].partition("</ol>")[0]
            seen += [part.partition('"')[0] for part in hits.split('<h2><a href="')[1:]]
            path = text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")

    assert (len(seen), len(set(seen))) == (62, 62)


@pytest.mark.parametrize(
    "path",
    [
        "/catalogue?cursor=forged",
        "/catalogue?q=0000&year=99999&kind=nothing&access=x&level=y&site=%00&fonds=%F0%9F",
        "/catalogue?cursor=" + "A" * 3000,
    ],
)
async def test_a_forged_address_breaks_nothing(here: Desk, path: str) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        answer = await browser.get(path)

    assert answer.status_code in {200, 400}


async def test_hostile_words_break_no_page(here: Desk, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    naughty = json.loads(
        (shared_data / "12_test_vectors" / "big_list_of_naughty_strings.json").read_text(encoding="utf-8")
    )
    browser = await here.signed_in(Role.CLERK)
    # It is not the throttle that is tested.
    monkeypatch.setattr(here.backstage.requests, "wait_s", lambda _address: 0)
    async with browsing(browser):
        await browser.get("/catalogue")
        codes = {(await asked(browser, words)).status_code for words in naughty[::4]}

    assert codes <= {200, 400}


# Restricted entries


async def test_a_clerk_is_told_that_there_is_a_restricted_entry_and_no_more(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        listed = await asked(browser, "离婚调解")
        page = await browser.get(path_of(SEALED))

    hits = listed.text.partition('<ol class="hits')[2]
    assert ("控制使用的条目" in hits, SEALED_TITLE in listed.text, "命中" in hits) == (True, False, False)
    assert (page.status_code, SEALED_TITLE in page.text) == (403, False)
    assert await noted(here) == [("entry_read", f"{VILLAGE}/{record_id(SEALED)}", "refused")]


async def test_every_reading_of_an_entry_that_is_not_open_is_noted(here: Desk) -> None:
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        listed = await asked(browser, "离婚调解")
        pages = [await browser.get(path_of(FOREST)), await browser.get(path_of(SEALED))]

    assert "离婚调解" in words_in(listed.text.partition('<ol class="hits')[2]).replace(" ", "")
    assert [page.status_code for page in pages] == [200, 200]
    assert await noted(here) == [
        ("entries_listed", "/catalogue", "done"),
        ("entry_read", f"{VILLAGE}/{record_id(SEALED)}", "done"),
    ]


async def test_the_auditor_reads_in_words_what_kept_an_entry_closed(here: Desk) -> None:
    browser, auditor = await here.signed_in(Role.ARCHIVIST), await here.signed_in(Role.AUDITOR)
    async with browsing(browser, auditor):
        await browser.get(path_of(SEALED))
        log = words_in((await auditor.get("/audit?action=entry_read")).text.partition("<tbody>")[2])

    assert (str(record_id(SEALED)) in log, ACCESS[AccessStatus.RESTRICTED].zh in log, "restricted" in log) == (
        True,
        True,
        False,
    )


async def test_titles_that_stand_on_the_page_while_the_sites_are_asked_are_noted(tmp_path: Path) -> None:
    """The hub's copy is there at once: whoever goes away before the sites have spoken has read it all the same."""
    broker = FakeBroker()
    async with (
        answering(broker.bus(), [AnsweringSite(parse_site(TOWN))]),
        Asker(broker.bus(), "test").opened() as asker,
        desk(tmp_path, fill=fill_catalogue, reach=Reach(asker=asker)) as here,
    ):
        browser = await here.signed_in(Role.ARCHIVIST)
        async with browsing(browser):
            page = await asked(browser, "离婚调解", live="1")
            after_page = await noted(here)
            await browser.get(page.text.partition('data-stream="')[2].partition('"')[0])
        after_stream = await noted(here)

    assert 'data-stream="/stream/catalogue' in page.text
    assert "离婚调解" in words_in(page.text.partition('<ol class="hits')[2]).replace(" ", "")
    # Once more for the stream, which anybody may open without the page.
    assert (after_page, after_stream) == ([("entries_listed", "/catalogue", "done")], after_page * 2)


async def test_restricted_titles_beside_an_entry_are_noted_with_their_ids(here: Desk) -> None:
    """The page of an open volume lists what lies in it, and every entry's page what is like it."""
    sealed = record(
        900,
        TOWN,
        title=SEALED_TITLE,
        parent_id=record_id(VOLUME),
        level=Level.ITEM,
        access_status=AccessStatus.DEFERRED,
    )
    await here.database.write(
        lambda connection: tell(connection, TOWN, [described(20, sealed)], here.backstage.clock_ms())
    )
    clerk, archivist = await here.signed_in(Role.CLERK), await here.signed_in(Role.ARCHIVIST)
    async with browsing(clerk, archivist):
        hidden, shown = [await one.get(path_of(VOLUME, TOWN)) for one in (clerk, archivist)]

    lines = await here.database.read(lambda connection: audit.listed(connection, limit=100))
    named = [(one.who, one.object, one.detail) for one in lines if one.action == "entries_listed"]
    assert (SEALED_TITLE in hidden.text, SEALED_TITLE in shown.text) == (False, True)
    assert named == [("archivist", f"{TOWN}/{record_id(VOLUME)}", f"1: {record_id(900)}")]


async def test_every_entry_of_a_long_list_is_named(here: Desk) -> None:
    """A line of the log is cut at 500 characters; what it names no more was seen by nobody."""
    ids = [record_id(number) for number in range(30)]

    await note_listed(here.backstage, Actor(who="lin.min"), "/catalogue", ids)

    lines = await here.database.read(lambda connection: audit.listed(connection, limit=100))
    named = [word for one in reversed(lines) for word in one.detail.partition(": ")[2].split()]
    assert named == [str(one) for one in ids]


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
async def test_who_manages_accounts_or_reads_the_log_does_not_read_the_catalogue(here: Desk, role: Role) -> None:
    browser = await here.signed_in(role)
    async with browsing(browser):
        codes = [(await browser.get(path)).status_code for path in ("/catalogue", path_of(FOREST), "/stream/catalogue")]

    assert codes == [403, 403, 403]


# One entry


async def test_an_entry_tells_where_each_value_came_from(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        told = words_in((await browser.get(path_of(FOREST))).text)

    assert "1986-03-05 原文 1986年3月5日" in told
    assert ("附注 附图一张 第 3 号变更" in told, "更改了 附注、页数" in told) == (True, True)


async def test_an_entry_shows_its_volume_and_a_volume_its_contents(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        item, volume = await browser.get(path_of(ITEM, TOWN)), await browser.get(path_of(VOLUME, TOWN))

    assert f'href="{path_of(VOLUME, TOWN)}"' in item.text
    assert ("卷内 1 件" in volume.text, f'href="{path_of(ITEM, TOWN)}"' in volume.text) == (True, True)


async def test_an_archivist_tells_two_entries_apart_and_takes_it_back(here: Desk) -> None:
    browser = await here.signed_in(Role.ARCHIVIST)
    other = {"other": str(record_id(COPY))}
    async with browsing(browser):
        path = path_of(FOREST)
        apart = await browser.post(f"{path}/apart", other, shown_at=path)
        parted = await browser.get(apart.headers["location"])
        await browser.post(f"{path}/together", other, shown_at=path)
        again = await browser.get(path)

    assert ("已判定不是同一件" in parted.text, "已判定不是同一件" in again.text, "撤销" in again.text) == (
        True,
        False,
        True,
    )
    decisions = await here.database.read(lambda connection: decisions_about(connection, record_id(FOREST)))
    assert [(one.decided_by, one.reversed_by) for one in decisions] == [("archivist", "archivist")]
    assert [one[0] for one in await noted(here)] == ["told_apart", "brought_together"]


async def test_a_clerk_decides_nothing(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        path = path_of(FOREST)
        answer = await browser.post(f"{path}/apart", {"other": str(record_id(COPY))}, shown_at=path)

    assert (answer.status_code, "不是同一件</button>" in answer.text) == (403, False)


@pytest.mark.parametrize(
    "path", ["/catalogue/x/y", path_of(99), path_of(FOREST, OTHER_TOWN), "/catalogue/330599001201/%F0%9F"]
)
async def test_an_entry_that_is_not_there_is_missing(here: Desk, path: str) -> None:
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        assert (await browser.get(path)).status_code == 404


# Asking the sites


async def test_without_a_link_every_site_is_told_as_index_only(here: Desk) -> None:
    """No bare empty answer (promise 10): the page says that nobody was asked."""
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        told = words_in((await browser.get("/catalogue?kind=forest_contracts&live=wait")).text)

    assert ("仅目录副本 20" in told, "结果不完整" in told) == (True, True)


async def test_the_stream_ends_with_the_whole_answer(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        told = (await browser.get("/stream/catalogue?kind=forest_contracts")).text

    assert told.rstrip().endswith("event: done\ndata: {}")
    pieces = json.loads(told.split("data: ")[-2].partition("\n")[0])
    assert sorted(pieces) == ["outcomes", "results", "total"]
    assert ("共 2 条" in pieces["total"], path_of(FOREST) in pieces["results"]) == (True, True)


async def test_the_sites_own_answers_stand_on_the_page(tmp_path: Path) -> None:
    """One village answers with an entry that the hub has not got yet, one refuses, the others do not answer in time."""
    broker = FakeBroker()
    fresh = fictitious(900, repository_id=VILLAGE, title="刚刚著录的山林承包清册", access_status=AccessStatus.OPEN)
    village = AnsweringSite(parse_site(VILLAGE), [fresh])
    town = AnsweringSite(parse_site(TOWN))
    town.refuses = True
    async with (
        answering(broker.bus(), [village, town]),
        Asker(broker.bus(), "test").opened() as asker,
        desk(tmp_path, fill=fill_catalogue, reach=Reach(asker=asker)) as here,
    ):
        browser = await here.signed_in(Role.CLERK)
        async with browsing(browser):
            away = await browser.post("/catalogue", {"words": "山林承包", "live": "1"}, shown_at="/account")
            asking = await browser.get(away.headers["location"])
            streamed = (await browser.get(away.headers["location"].replace("/catalogue", "/stream/catalogue"))).text
            plain = await browser.get(away.headers["location"].replace("live=1", "live=wait"))

    number = away.headers["location"].partition("q=")[2].partition("&")[0]
    assert f'data-stream="/stream/catalogue?q={number}"' in asking.text
    assert f'content="0; url=/catalogue?q={number}&amp;live=wait"' in asking.text
    last = json.loads(streamed.split("data: ")[-2].partition("\n")[0])
    for told in (words_in(last["results"] + last["outcomes"]), words_in(plain.text)):
        assert ("刚刚著录的 山林承包 清册" in told, "站点刚刚答复" in told) == (True, True)
        assert ("拒绝 1" in told, "正在维护" in told, "结果不完整" in told) == (True, True, True)


# Titles


def test_words_are_marked_where_they_stand_in_a_title() -> None:
    found = stretches("關於林權證的決定", [Match(field="title", how="variant", word="林权")])

    assert [(one.text, one.is_marked) for one in found] == [("關於", False), ("林權", True), ("證的決定", False)]


@pytest.mark.parametrize("word", ["", "没有", "  "])
def test_a_title_without_the_words_is_left_as_it_is(word: str) -> None:
    (one,) = stretches("山林承包", [Match(field="title", how="literal", word=word)])

    assert (one.text, one.is_marked) == ("山林承包", False)


# Exports


async def exported(browser: Browser, **more: str) -> httpx.Response:
    """The page of an export that is done."""
    away = await browser.post("/catalogue/exports", more, shown_at="/account")
    assert away.status_code == 303, away.text
    async with asyncio.timeout(20):
        while "/file" not in (page := await browser.get(away.headers["location"])).text:
            await asyncio.sleep(0.05)
    return page


async def test_an_export_has_every_entry_and_is_noted(here: Desk) -> None:
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        page = await exported(browser, format="csv")
        file = await browser.get(str(page.url.path) + "/file")
    rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))

    assert (len(rows), rows[0][3], len({row[-1] for row in rows[1:]})) == (63, "题名", 62)
    assert ("已写好，共 62 条" in page.text, "控制使用的 1 条" in page.text) == (True, True)
    assert [one[0] for one in await noted(here)] == ["catalogue_exported"]


async def test_a_workbook_holds_the_result_that_was_narrowed(here: Desk) -> None:
    browser = await here.signed_in(Role.REVIEWER)
    async with browsing(browser):
        page = await exported(browser, format="xlsx", kind="forest_contracts")
        file = await browser.get(str(page.url.path) + "/file")
    rows = list(openpyxl.load_workbook(io.BytesIO(file.content)).active.iter_rows(values_only=True))

    assert [row[3] for row in rows] == ["题名", *["关于开展山林承包合同清理工作的通知"] * 2]


async def test_a_finding_aid_is_well_formed_and_dates_its_entries(here: Desk) -> None:
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        page = await exported(browser, format="xml")
        file = await browser.get(str(page.url.path) + "/file")
    root = ElementTree.fromstring(file.content)  # noqa: S314 - we wrote it ourselves
    ead = "{http://ead3.archivists.org/schema/}"
    components = root.findall(f"{ead}archdesc/{ead}dsc/{ead}c")

    assert (root.tag, len(components), len({one.attrib["id"] for one in components})) == (f"{ead}ead", 62, 62)
    assert {one.attrib["level"] for one in components} == {"item", "file"}
    assert [one.tag.removeprefix(ead) for one in root] == ["control", "archdesc"]
    days = {one.attrib["standarddate"] for one in root.iter(f"{ead}datesingle")}
    assert "1986-03-05" in days


async def test_an_export_is_for_who_asked_and_no_clerk_makes_one(here: Desk) -> None:
    one, clerk = await here.signed_in(Role.ARCHIVIST), await here.signed_in(Role.CLERK)
    other = await here.signed_in(Role.REVIEWER)
    async with browsing(one, other, clerk):
        path = str((await exported(one, format="csv")).url.path)
        codes = [(await browser.get(path + end)).status_code for browser in (other, clerk) for end in ("", "/file")]
        made = await clerk.post("/catalogue/exports", {"format": "csv"}, shown_at="/account")

    assert (codes, made.status_code) == ([404, 404, 403, 403], 403)


async def test_a_format_that_is_none_is_missing(here: Desk) -> None:
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        answer = await browser.post("/catalogue/exports", {"format": "exe"}, shown_at="/account")

    assert answer.status_code == 404


async def test_an_export_ends_at_its_bound_and_says_so(here: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "EXPORT_ENTRIES_MAX", 10)
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        page = await exported(browser, format="csv")

    assert ("已写好，共 10 条" in page.text, "已到上限" in page.text) == (True, True)


async def test_an_export_that_ran_out_of_time_is_a_whole_file_says_so_and_is_noted(
    here: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workbook without its end opens nowhere, and what left the hub is in the log however little it is."""
    pages = iter(range(2))

    def late(connection: Connection, query: Query, names: Names | None) -> Page:
        if next(pages) == 1:
            raise TimeoutError
        return search(connection, query, names)

    monkeypatch.setattr(exporting, "SEARCH_HITS_MAX", 20)
    monkeypatch.setattr(exporting, "search", late)
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        page = await exported(browser, format="xlsx")
        file = await browser.get(str(page.url.path) + "/file")
    rows = list(openpyxl.load_workbook(io.BytesIO(file.content)).active.iter_rows(values_only=True))

    assert (len(rows), "已写好，共 20 条" in page.text, "可能缺少条目" in page.text) == (21, True, True)
    assert [one[0] for one in await noted(here)] == ["catalogue_exported"]


async def test_an_export_for_which_there_is_no_room_says_what_to_do(
    here: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(exporting, "_add", full)
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        away = await browser.post("/catalogue/exports", {"format": "csv"}, shown_at="/account")
        async with asyncio.timeout(20):
            while "没有完成" not in (page := await browser.get(away.headers["location"])).text:
                await asyncio.sleep(0.05)
        file = await browser.get(str(page.url.path) + "/file")

    assert ("No space left" in page.text, file.status_code) == (True, 404)


async def test_an_export_whose_time_is_over_stays_for_who_is_fetching_it(here: Desk) -> None:
    """A slow line fetches for longer than an hour's rest is left."""
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        number = (await exported(browser, format="csv")).url.path.rpartition("/")[2]
    export = here.backstage.exports.of("archivist", number)
    assert export is not None
    with export.fetched():
        here.clock.forward(exporting.KEPT_S + 1)
        gone = here.backstage.exports.of("archivist", number)
        part = export.part(0, 8)

    assert (gone, len(part), export.file.closed) == (None, 8, True)


async def test_the_stream_of_an_export_ends_when_it_is_done(here: Desk) -> None:
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        away = await browser.post("/catalogue/exports", {"format": "csv"}, shown_at="/account")
        number = away.headers["location"].rpartition("/")[2]
        told = (await browser.get(f"/stream/export/{number}")).text

    assert (told.rstrip().endswith("event: done\ndata: {}"), "已写好，共 62 条" in told) == (True, True)


@pytest.mark.parametrize("title", ["=1+1", "@SUM(A1)", "\x0b\ufffe<&>\"']]>", "a,b\nc"])
def test_a_hostile_title_is_text_in_every_format(title: str) -> None:
    """A spreadsheet that is opened must not calculate, and a finding aid must stay well-formed."""
    made = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    line = Line(site="330599001201", site_name=title, record=fictitious(1, title=title, note=title, scope=title))
    files: dict[FileFormat, bytes] = {}
    for kind in FileFormat:
        stream = io.BytesIO()
        file = begun(kind, stream, Heading(title=title, agency=title, language="zh", made_at=made))
        file.add([line])
        file.close()
        files[kind] = stream.getvalue()

    cell = list(csv.reader(io.StringIO(files[FileFormat.CSV].decode("utf-8-sig"), newline="")))[1][3]
    workbook = openpyxl.load_workbook(io.BytesIO(files[FileFormat.XLSX]))
    assert (cell.lstrip("'"), cell[0] in "=+-@") == (title, False)
    assert {one.data_type for one in next(workbook.active.iter_rows(min_row=2))} <= {"s", "inlineStr", "n"}
    assert workbook.active["D2"].data_type != "f"
    assert ElementTree.fromstring(files[FileFormat.EAD3]) is not None  # noqa: S314 - as above
