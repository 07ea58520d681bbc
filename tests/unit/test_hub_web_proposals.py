"""Proposals of change: from an entry's page to the owner's keeper and back, over real HTTP and two real stores."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from html import unescape
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from hub import audit
from hub.application import Application
from hub.decisions import proposal_answers, proposals
from hub.decisions.proposals import ProposalState
from hub.staff.roles import Role
from node import proposals as at_node
from protocol.errors import Refused
from protocol.letters import Letter
from protocol.limits import PROPOSED_VALUE_CHARS_MAX
from protocol.proposals import PROPOSAL_DECIDED, ProposalDecided
from protocol.sites import parse_site
from replication.acceptance import whole
from tests.catalogue import accepted, withdrawn
from tests.consoles import Browser, Desk, browsing, desk, words_in
from tests.decisions import HELD, SITE, fill_queues
from tests.node_site import NodeSite, node_site, rows, write_csv
from tests.proposing import NOW_MS, carry

ENTRY = f"/catalogue/{SITE}/{HELD.record_id}"
RIGHT = "关于上石村毛竹林承包合同的批复"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_queues) as made:
        yield made


class County:
    """A console and the site whose records it shows."""

    def __init__(self, here: Desk, site: NodeSite, browser: Browser) -> None:
        self.here, self.site, self.browser = here, site, browser
        self._sink = Application(lambda: NOW_MS)

    async def carry(self) -> tuple[int, int]:
        """Carry letters both ways."""
        return await carry(self.here.database, self.site.database, SITE)

    async def carry_events(self) -> None:
        """Apply at the hub everything that the site has minted."""
        events = await self.site.events()
        frame = accepted(events, parse_site(SITE), epoch="n1")
        frame.prepared = whole(self._sink.preparing(frame))
        await self.here.database.write(lambda connection: self._sink.apply(connection, [frame]))

    async def entry(self) -> str:
        """Address of the second record."""
        record = next(one for title, one in (await self.site.records()).items() if "第2号" in title)
        return f"/catalogue/{SITE}/{record.record_id}"


@pytest.fixture
async def county(tmp_path: Path, here: Desk) -> AsyncIterator[County]:
    async with node_site(tmp_path / "node", code=SITE) as site, AsyncExitStack() as stack:
        write_csv(site.folder / "目录.csv", rows(3))
        await site.settle()
        browser = await here.signed_in(Role.ARCHIVIST, login="lin.min")
        await stack.enter_async_context(browsing(browser))
        made = County(here, site, browser)
        await made.carry_events()
        yield made


async def send(browser: Browser, path: str, **fields: str) -> str:
    """Send the form of an entry; returns where it leads, or the code of the answer."""
    answer = await browser.post(f"{path}/propose", {"reason": "原件题名如此", **fields}, shown_at=path)
    return str(answer.headers.get("location", answer.status_code))


async def known(here: Desk) -> list[tuple[str, str]]:
    found = await here.database.read(
        lambda connection: [*proposals.waiting(connection, 50), *proposals.decided(connection, 50)]
    )
    return [(one.state.value, ",".join(one.fields)) for one in found]


async def told(here: Desk) -> list[tuple[str, str]]:
    found = await here.database.read(lambda connection: audit.listed(connection, limit=100))
    return [(one.who, one.action) for one in reversed(found) if "propos" in one.action]


# The whole way


async def test_what_the_keeper_accepts_comes_back_as_the_owners_own_change(county: County) -> None:
    path = await county.entry()
    sent = await send(county.browser, path, title=RIGHT)
    under_way = words_in((await county.browser.get("/decisions/proposals")).text)
    await county.carry()
    brought = words_in((await county.browser.get("/decisions/proposals")).text)
    await county.site.database.write(lambda found: at_node.accept(found, 1, "王守仁", "", NOW_MS))
    await county.site.settle()
    await county.carry()
    await county.carry_events()
    page = words_in((await county.browser.get(path)).text)
    queue = words_in((await county.browser.get("/decisions/proposals")).text)

    assert sent == f"{path}?done=proposed"
    assert ("等该站上线后送达" in under_way, "已送达该站" in brought, RIGHT in brought) == (True, True, True)
    assert (page.count(RIGHT) >= 1, "已采纳 题名" in page, "由 王守仁 于" in page) == (True, True, True)
    assert ("没有等待决定的修改建议" in queue, "已采纳" in queue) == (True, True)
    assert await told(county.here) == [("lin.min", "change_proposed"), (f"site:{SITE}", "proposal_decided")]


async def test_the_queue_names_who_proposed(county: County) -> None:
    """A login is for signing in: whoever reads the queue calls a colleague by name."""
    await send(county.browser, await county.entry(), title=RIGHT)
    queue = words_in((await county.browser.get("/decisions/proposals")).text)

    assert ("林敏 提出于" in queue, "lin.min 提出于" in queue) == (True, False)


async def test_a_refusal_brings_its_reason(county: County) -> None:
    path = await county.entry()
    await send(county.browser, path, title=RIGHT)
    await county.carry()
    await county.site.database.write(lambda found: at_node.refuse(found, 1, "王守仁", "原件不是这样写的", NOW_MS))
    await county.carry()
    page = words_in((await county.browser.get(path)).text)

    assert ("未采纳 题名" in page, "原件不是这样写的" in page) == (True, True)


async def test_the_values_are_forgotten_once_nobody_waits_for_them(county: County) -> None:
    """A value that its owner masks later must not live on here."""
    path = await county.entry()
    await send(county.browser, path, note="毛竹林四至另见附图")
    await county.carry()
    await county.site.database.write(lambda found: at_node.refuse(found, 1, "王守仁", "不必写", NOW_MS))
    await county.carry()
    kept = await county.here.database.fetch("SELECT proposed FROM proposal")
    written = await county.here.database.fetch("SELECT body FROM letter_out")

    assert (kept, [one for one in written if "毛竹林四至".encode() in bytes(str(one[0]), "utf-8")]) == ([(None,)], [])


async def test_a_proposal_taken_back_is_taken_back_at_the_site_too(county: County) -> None:
    path = await county.entry()
    await send(county.browser, path, title=RIGHT)
    await county.carry()
    taken = await county.browser.post("/proposals/1/withdraw", {"back": "queue"}, shown_at=path)
    await county.carry()
    states = await county.site.database.read(lambda found: at_node.listed(found, with_past=True))

    assert taken.headers["location"] == "/decisions/proposals?done=withdrawn"
    assert [one.state.value for one in states] == ["withdrawn"]
    assert await known(county.here) == [("withdrawn", "title")]


async def test_a_decision_that_crosses_a_withdrawal_stands(county: County) -> None:
    """The owner's word is the last (promise 1): it was published already."""
    path = await county.entry()
    await send(county.browser, path, title=RIGHT)
    await county.carry()
    await county.site.database.write(lambda found: at_node.accept(found, 1, "王守仁", "", NOW_MS))
    await county.site.settle()
    await county.browser.post("/proposals/1/withdraw", {"back": "entry"}, shown_at=path)
    await county.carry()
    again = await county.browser.post("/proposals/1/withdraw", {"back": "entry"}, shown_at=path)

    assert await known(county.here) == [("accepted", "title")]
    assert again.headers["location"] == f"{path}?done=decided"


async def test_a_correction_that_the_sheet_overtakes_is_told(county: County) -> None:
    path = await county.entry()
    await send(county.browser, path, title=RIGHT)
    await county.carry()
    await county.site.database.write(lambda found: at_node.accept(found, 1, "王守仁", "", NOW_MS))
    await county.site.settle()
    table = rows(3)
    table[1][1] = RIGHT
    write_csv(county.site.folder / "目录.csv", table)
    await county.site.settle()
    await county.carry()
    page = words_in((await county.browser.get(path)).text)

    assert "此后该站的表格已自行写明" in page


# What cannot be proposed


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": HELD.title}, "没有提出任何不同的内容"),
        ({}, "没有提出任何不同的内容"),
        ({"title": RIGHT, "reason": "  "}, "请写明理由"),
        ({"title": "  "}, "题名不能为空"),
        ({"title": "长" * (PROPOSED_VALUE_CHARS_MAX + 1)}, "超过"),
        ({"date": "某年某月"}, "“日期”无法识别"),
        ({"page_count": "许多"}, "“页数”无法识别"),
        ({"retention": "看情况"}, "“保管期限”无法识别"),
    ],
)
async def test_a_proposal_that_cannot_stand_is_said_why_and_keeps_what_was_typed(
    here: Desk, fields: dict[str, str], words: str
) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        answer = await browser.post(f"{ENTRY}/propose", {"reason": "原件如此", **fields}, shown_at=ENTRY)

    assert (answer.status_code, words in unescape(answer.text)) == (400, True)
    assert await known(here) == []


async def test_the_same_field_waits_only_once(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        outcomes = [
            await send(browser, ENTRY, title=RIGHT),
            await send(browser, ENTRY, title="另一题名"),
            await send(browser, ENTRY, page_count="9"),
        ]

    assert outcomes == [f"{ENTRY}?done=proposed", "400", f"{ENTRY}?done=proposed"]


async def test_a_withdrawn_record_shows_no_values_and_takes_no_proposals(here: Desk) -> None:
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        await send(browser, ENTRY, title=RIGHT)
        sink = Application(lambda: NOW_MS)
        frame = accepted([withdrawn(9, HELD.record_id)], parse_site(SITE))
        frame.prepared = whole(sink.preparing(frame))
        await here.database.write(lambda connection: sink.apply(connection, [frame]))
        queue = words_in((await browser.get("/decisions/proposals")).text)
        page = await browser.get(ENTRY)
        again = await browser.client.post(f"{ENTRY}/propose", data={"token": "0", "title": "乙"})

    assert ("所有者已撤下此条目" in queue, RIGHT in queue, HELD.title in queue) == (True, False, False)
    assert (f'action="{ENTRY}/propose"' in page.text, again.status_code >= 400) == (False, True)


# Who may


@pytest.mark.parametrize(
    ("role", "codes"),
    [
        (Role.CLERK, (303, 403)),
        (Role.ARCHIVIST, (303, 200)),
        (Role.REVIEWER, (303, 403)),
        (Role.ADMINISTRATOR, (403, 403)),
        (Role.AUDITOR, (403, 403)),
    ],
)
async def test_staff_propose_and_archivists_see_the_queue(here: Desk, role: Role, codes: tuple[int, int]) -> None:
    browser = await here.signed_in(role)
    async with browsing(browser):
        fields = {"title": RIGHT, "reason": "原件如此"}
        sent = await browser.post(f"{ENTRY}/propose", fields, shown_at="/account")
        queue = await browser.get("/decisions/proposals")

    assert (sent.status_code, queue.status_code) == codes


async def test_only_who_proposed_or_decides_takes_a_proposal_back(here: Desk) -> None:
    one, other = await here.signed_in(Role.CLERK, login="one"), await here.signed_in(Role.CLERK, login="other")
    async with browsing(one, other):
        await send(one, ENTRY, title=RIGHT)
        foreign = await other.post("/proposals/1/withdraw", {}, shown_at="/account")
        own = await one.post("/proposals/1/withdraw", {}, shown_at="/account")

    assert (foreign.status_code, own.headers["location"]) == (403, f"{ENTRY}?done=withdrawn")


@pytest.mark.parametrize("number", ["0", "77", "9223372036854775808", "x", "-1"])
async def test_a_forged_number_is_nothing(here: Desk, number: str) -> None:
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        answer = await browser.post(f"/proposals/{number}/withdraw", {}, shown_at="/account")

    assert answer.status_code == 404


@pytest.mark.parametrize("path", [f"/catalogue/330599001204/{HELD.record_id}", f"/catalogue/{SITE}/x"])
async def test_a_record_of_another_site_takes_none(here: Desk, path: str) -> None:
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        answer = await browser.post(f"{path}/propose", {"title": RIGHT, "reason": "甲"}, shown_at="/account")

    assert answer.status_code == 404


async def test_a_site_answers_only_for_its_own_proposals(here: Desk) -> None:
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        await send(browser, ENTRY, title=RIGHT)
    (one,) = await here.database.read(lambda connection: proposals.waiting(connection, 5))
    hear = proposal_answers.handlers(lambda: NOW_MS)[PROPOSAL_DECIDED]

    def letter(topic: UUID) -> Letter:
        body = msgspec.Raw(msgspec.json.encode(ProposalDecided(decision="accepted")))
        return Letter(letter_id=UUID(int=1), topic=topic, kind=PROPOSAL_DECIDED, body=body, written_at_ms=0)

    with pytest.raises(Refused):
        await here.database.write(lambda connection: hear(connection, "330599001204", letter(one.proposal_id)))
    await here.database.write(lambda connection: hear(connection, SITE, letter(UUID(int=5))))

    assert await known(here) == [(ProposalState.WAITING.value, "title")]


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_hostile_words_are_only_text(here: Desk, shared_data: Path, language: str) -> None:
    naughty = json.loads(
        (shared_data / "12_test_vectors" / "big_list_of_naughty_strings.json").read_text(encoding="utf-8")
    )
    browser = await here.signed_in(Role.ARCHIVIST, language=language)
    async with browsing(browser):
        codes = set()
        for at, words in enumerate(naughty[::41]):
            sent = await browser.post(
                f"{ENTRY}/propose", {"note": f"{at} {words}", "reason": f"甲 {words}"}, shown_at=ENTRY
            )
            shown = await browser.get("/decisions/proposals")
            taken = await browser.post(f"/proposals/{at + 1}/withdraw", {"back": words}, shown_at="/account")
            codes.add((sent.status_code, shown.status_code, taken.status_code, "<script>alert" in shown.text))

    assert codes <= {(303, 200, 303, False)}
