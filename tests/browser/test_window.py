"""The mediation window in a real browser, over real stores of a hub and its sites: five stories from question to paper.

Nothing between the pages and the sites is pretended but the network: sites answer over a bus in memory, letters go as
they do over the wire, and who is away hears nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect
from sqlalchemy import Connection

from hub import audit
from hub.staff.administration import Actor
from hub.staff.roles import Role
from hub.window import desk, ledger
from hub.window.applicants import ApplicantGiven, Document, Paper, PaperShown, Requester
from hub.window.public_keys import key_list
from hub.window.requests import Draft, Purpose, Question, Use
from hub.window.states import State, Step
from hub.window.verifying import Finding, verify_pdf
from protocol.lookup_policy import Policy, PolicyRule, Treatment
from tests.browser.test_console import DESKTOP, PHONE, Reader, reader
from tests.certifying import COUNTY as CERTIFYING_COUNTY
from tests.certifying import REQUEST, Window
from tests.window_desks import KEY, NEW, NUMBER, OFFICE, WindowDesk, add_sites, certificate_desk, window_desk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]

DOES_NOT_EXIST = "不存在的结婚登记"


@pytest_asyncio.fixture(loop_scope="module")
async def here(tmp_path: Path) -> AsyncIterator[WindowDesk]:
    async with window_desk(tmp_path) as made:
        await add_sites(made)
        await made.person("lin.min", Role.CLERK)
        await made.person("wu.hai", Role.REVIEWER, name="吴海")
        await made.person("shen.ji", Role.AUDITOR, name="沈稽")
        yield made


async def begin(me: Reader, requester: str = "person", purpose: str = "marriage") -> None:
    """Fill in who asks and why, as far as the second page."""
    await me.go("/window")
    await me.page.click('a[href="/window/new"]')
    await me.page.fill("#name", "甲某")
    await me.page.check(f"input[name=requester][value={requester}]")
    if requester == "mediation":
        await me.page.fill("#organ", "竹溪镇人民调解委员会")
        await me.page.fill("#case_ref", "（2026）竹人调字第12号")
        await me.page.check("input[name=paper][value=unit_letter]")
        await me.page.check("input[name=paper][value=work_card]")
    await me.page.fill("#number", NUMBER)
    await me.page.select_option("#purpose", purpose)
    await expect(me.page.locator("#number-check .sign.good")).to_be_visible()
    await me.page.check("#seen")


async def ask(me: Reader, words: str, persons: str = "", **more: str) -> None:
    """Go on to the question, and ask it."""
    await me.page.click("button[value=next]")
    await me.page.fill("#q-text-1", words)
    await me.page.fill("#q-persons-1", persons)
    for name, value in more.items():
        await me.page.fill(f"#q-{name}-1", value)
    await me.page.click("button[value=submit]")
    await me.page.wait_for_url("**/window/requests/*")


async def state_of(here: WindowDesk) -> State:
    """The state of the one request that there is."""
    (one,) = await here.database.read(lambda connection: ledger.listed(connection, limit=5))
    return one.standing.state


async def told(here: WindowDesk) -> list[tuple[str, str]]:
    found = await here.database.read(lambda connection: audit.listed(connection, limit=200))
    return [(one.who, one.action) for one in reversed(found)]


@pytest.mark.parametrize(("language", "kind", "viewport"), [("zh", "desk", DESKTOP), ("en", "phone", PHONE)])
async def test_an_own_marriage_record_in_three_steps(
    here: WindowDesk, browser: Browser, language: str, kind: str, viewport: dict[str, int]
) -> None:
    """Who and why, the question, the result: his own file is his although it is closed to others."""
    me = await reader(here, browser, language, viewport=viewport)
    await me.sign_in("lin.min")
    await me.go("/window")
    await me.look(f"window-{kind}")
    await begin(me)
    await me.look(f"window-who-{kind}")
    await ask(me, "结婚登记", "甲某", place="天荒坪")
    await expect(me.page.locator("#review")).to_be_visible()
    await me.look(f"window-found-{kind}")
    await me.page.check("input[name=entry]")
    await me.page.click("#review button")
    await expect(me.page.locator("#request-state")).to_contain_text("R04", timeout=10_000)
    await me.look(f"window-approved-{kind}")
    address = me.page.url[len(here.url) :].partition("?")[0]
    for name in ("form", "receipt", "statement"):
        await me.go(f"{address}/{name}")
        await me.look(f"window-{name}-{kind}")
    await me.go("/window")
    link = await me.page.get_attribute("a[href^='/counter/']", "href")
    await me.look(f"window-listed-{kind}")
    await me.go(str(link))
    await me.look(f"window-counter-{kind}")
    counter = await me.page.inner_text("body")
    await me.context.close()

    assert me.complaints == []
    assert (await state_of(here), "甲某" in counter, "000001" in counter) == (State.APPROVED, False, True)


async def test_two_papers_of_one_hill_and_a_holder_that_is_away_at_first(here: WindowDesk, browser: Browser) -> None:
    """The page fills in by itself when the village is back; the late answer is marked until somebody has looked."""
    await here.county.sites[NEW].go()
    me = await reader(here, browser, "zh")
    await me.sign_in("lin.min")
    await begin(me, "mediation", "mediation")
    await ask(me, "山林", "麻竹生")
    lookups = me.page.locator("#request-lookups")
    await expect(lookups).to_contain_text("离线，等待答复")
    await expect(lookups).to_contain_text("1986-03-12")
    await me.look("window-one-away")
    before = await state_of(here)
    await here.county.sites[NEW].start()
    await here.county.correspond()
    await expect(lookups.locator(".finds .tag.new").first).to_contain_text("后来答复")
    await expect(lookups).to_contain_text("2014-05-06")
    await me.look("window-late-answer")
    first = await lookups.locator(".tag.new").count()
    await me.page.reload()
    await me.page.reload()
    seen = await lookups.locator("p.state .tag.new").count()
    await me.context.close()

    assert (me.complaints, before, await state_of(here)) == ([], State.PARTIAL, State.FOUND)
    assert (first >= 2, seen) == (True, 0)


async def test_nothing_is_found_and_the_statement_says_where_it_was_looked_for(
    here: WindowDesk, browser: Browser
) -> None:
    me = await reader(here, browser, "zh")
    await me.sign_in("lin.min")
    await begin(me)
    await ask(me, DOES_NOT_EXIST, place="天荒坪镇")
    await expect(me.page.locator("#request-state")).to_contain_text("未查到")
    address = me.page.url[len(here.url) :].partition("?")[0]
    await me.go(f"{address}/statement")
    await me.look("window-nothing-statement")
    said = await me.page.inner_text(".paper")
    await me.go(address)
    await me.page.click('form[action$="/no-record"] button')
    await expect(me.page.locator("#request-copies")).to_contain_text("查无此档证明")
    await me.look("window-no-record")
    await me.context.close()

    assert (me.complaints, await state_of(here)) == ([], State.CERTIFYING)
    assert ("均未查到" in said, "天荒坪镇档案室" in said, "没有提问的单位" in said) == (True, True, True)


async def test_a_refusal_stands_in_the_logs_of_both_ends(here: WindowDesk, browser: Browser) -> None:
    """The holder's own rule tells a mediator nothing of a marriage file; hub and holder both say so."""
    site = here.county.sites[OFFICE]
    rule = PolicyRule(treatment=Treatment.REFUSE, purposes=("mediation",))
    await site.stop()
    site.policy = Policy(name="own-1", rules=(rule,))
    await site.start()
    me = await reader(here, browser, "zh")
    await me.sign_in("lin.min")
    await begin(me, "mediation", "mediation")
    await ask(me, "结婚登记", "甲某", place="天荒坪镇")
    lookups = me.page.locator("#request-lookups")
    await expect(lookups).to_contain_text("不予提供")
    await me.look("window-refused")
    await me.context.close()
    auditor = await reader(here, browser, "zh")
    await auditor.sign_in("shen.ji")
    await auditor.go("/audit")
    await auditor.look("window-audit")
    listed = await auditor.page.inner_text("main")
    await auditor.context.close()

    lines = await site.lines()
    assert me.complaints + auditor.complaints == []
    assert [line.outcome for line in lines] == ["refused"]
    assert ("向站点提问" in listed, "甲某" in listed) == (True, False)
    assert ("lin.min", "request_read") in await told(here)


async def test_a_certificate_is_printed_verified_altered_and_revoked(tmp_path: Path, browser: Browser) -> None:
    """Paper is numbered, a spoilt sheet is written off, and whoever verifies the file learns what became of it."""
    async with certificate_desk(tmp_path) as (here, window):
        await here.person("lin.min", Role.CLERK)
        await here.database.write(lambda connection: _requested(connection, here.clock()))
        order = await window.ask()
        await window.post()
        await window.approve(order)
        made = await window.made(order)
        serial = made.asked.serial
        me = await reader(here, browser, "zh")
        await me.sign_in("lin.min")
        await me.go(f"/window/requests/{REQUEST}")
        copies = me.page.locator("#request-copies")
        await expect(copies).to_contain_text("已签章，可打印")
        await me.page.fill("#first", "A000001")
        await me.page.fill("#last", "A000040")
        await me.page.click('form[action$="/paper"] button')
        await me.look("window-certificate-ready")
        fetched = await me.context.request.get(f"{here.url}/window/certificates/{serial}.pdf")
        pdf = await fetched.body()
        await me.page.click('form[action$="/print"] button')
        await expect(copies).to_contain_text("已出具")
        await me.page.click("summary:has-text('用纸作废')")
        await me.page.fill(f"#spoilt-{serial}", "A000002")
        await me.page.fill(f"#spoilt-why-{serial}", "卡纸")
        await me.page.click('form[action$="/spoil"] button')
        await expect(copies).to_contain_text("卡纸")
        await me.look("window-certificate-spoilt")
        valid = await _verdict(window, pdf)
        altered = await _verdict(window, _with_a_pixel_changed(pdf))
        await me.page.click("summary:has-text('撤销证明')")
        await me.page.fill(f"#revoke-{serial}", "页码有误")
        me.page.on("dialog", lambda dialog: dialog.accept())
        await me.page.click("button.danger")
        await expect(copies).to_contain_text("已撤销")
        await me.look("window-certificate-revoked")
        revoked = await _verdict(window, pdf)
        again = await here.database.read(lambda connection: ledger.present(connection, REQUEST).standing.state)
        await me.context.close()

    assert (me.complaints, fetched.headers["content-type"], again) == ([], "application/pdf", State.CERTIFYING)
    assert (valid, altered, revoked) == (Finding.VALID, Finding.ALTERED, Finding.REVOKED)


def _with_a_pixel_changed(pdf: bytes) -> bytes:
    """One byte of the scan in the file, as a forger would touch a page and leave everything else."""
    at = pdf.index(b"\xff\xda") + 60
    return pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]


async def _verdict(window: Window, pdf: bytes) -> Finding:
    keys = await window.hub.database.read(
        lambda connection: key_list(
            connection, CERTIFYING_COUNTY, "某县", window.county_key.public_key, {}, window.now_ms
        )
    )
    return verify_pdf(pdf, window.home.authority.read_bytes(), keys).finding


def _requested(connection: Connection, now_ms: int) -> None:
    """Put the request of the order on the register, as far as its certificate."""
    draft = Draft(
        request_id=REQUEST,
        applicant=ApplicantGiven(
            requester=Requester.PERSON,
            name="甲某",
            papers=(PaperShown(kind=Paper.IDENTITY, document=Document.RESIDENT, number=NUMBER),),
        ),
        purpose=Purpose.LAND_AND_FOREST,
        questions=(Question(question_id=UUID(int=5), text="山林"),),
        uses=(Use.CERTIFIED,),
    )
    clerk = Actor(who="lin.min")
    desk.draft(connection, clerk, draft, KEY, now_ms)
    steps = (Step.SUBMIT, Step.CHECK_IDENTITY, Step.ACCEPT, Step.ROUTE, Step.SEARCH, Step.FIND, Step.REVIEW_ACCESS)
    for step in steps:
        desk.take(connection, clerk, REQUEST, step, now_ms)
    desk.take(connection, Actor(who="wu.hai"), REQUEST, Step.APPROVE, now_ms)
    desk.take(connection, clerk, REQUEST, Step.CERTIFY, now_ms)


async def test_a_reload_in_the_middle_loses_nothing_and_a_second_press_makes_no_second_request(
    here: WindowDesk, browser: Browser
) -> None:
    me = await reader(here, browser, "zh")
    await me.sign_in("lin.min")
    await begin(me, "mediation", "mediation")
    await expect(me.page.locator("#draft-sign")).to_contain_text("已自动保存")
    await me.page.reload()
    kept = [await me.page.input_value(field) for field in ("#name", "#organ", "#case_ref", "#number")]
    ticked = await me.page.is_checked("input[value=unit_letter]")
    await me.page.click("button[value=next]")
    await me.page.fill("#q-text-1", "山林")
    await me.page.evaluate("document.querySelector('button[value=submit]').click()")
    await me.page.wait_for_url("**/window/requests/*")
    await me.page.go_back()
    await me.page.wait_for_url("**/window/**")
    address = me.page.url
    await me.context.close()

    found = await here.database.read(lambda connection: ledger.listed(connection, limit=5))
    assert kept == ["甲某", "竹溪镇人民调解委员会", "（2026）竹人调字第12号", NUMBER]
    assert (me.complaints, ticked, len(found), "/window/" in address) == ([], True, 1, True)


RELAY_S = 0.3
"""Seconds by which the relay between the window and the hub delays everything."""


async def _relayed(route: Route) -> None:
    await asyncio.sleep(RELAY_S)
    await route.continue_()


async def test_the_whole_way_by_keyboard_alone_and_through_a_slow_relay(here: WindowDesk, browser: Browser) -> None:
    """Tab, arrows, space and Enter are enough for the common case, and nothing waits for the line while it is typed."""
    me = await reader(here, browser, "zh")
    await me.sign_in("lin.min")
    await me.page.route("**/*", _relayed)
    await me.go("/window/new")
    await me.page.keyboard.press("Tab")
    await me.page.keyboard.type("甲某")
    for _ in range(3):
        await me.page.keyboard.press("Tab")
    await me.page.keyboard.type(NUMBER)
    await me.page.keyboard.press("Tab")
    await expect(me.page.locator("#number-check .sign.good")).to_be_visible()
    await me.page.focus("#purpose")
    await me.page.keyboard.press("ArrowDown")
    await me.page.keyboard.press("ArrowDown")
    await me.page.focus("#seen")
    await me.page.keyboard.press("Space")
    await me.page.focus("#name")
    await me.page.keyboard.press("Enter")
    await me.page.wait_for_url("**/question")
    await me.page.keyboard.type("结婚登记")
    await me.page.keyboard.press("Enter")
    await me.page.wait_for_url("**/window/requests/*")
    await expect(me.page.locator("#review")).to_be_visible()
    await me.context.close()

    assert (me.complaints, await state_of(here)) == ([], State.FOUND)
