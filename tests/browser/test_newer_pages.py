"""The further pages of the window and of transfers with much on them: both languages, a desk, a phone at night.

The stories are told by the neighbours; this walk looks at every page when it is full.
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from hub.staff.roles import Role
from hub.window import ledger
from hub.window.requests import Request
from protocol.lookup_policy import Policy, PolicyRule, Treatment
from tests.browser.test_console import DESKTOP, PHONE, Reader, reader
from tests.browser.test_window import ask, begin
from tests.consoles import Desk, desk, fill_county
from tests.handovers import RECORDS, TRANSFER, Handover, receiving
from tests.window_county import row
from tests.window_desks import NEW, OLD, WindowDesk, add_sites, window_desk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]
CASES = UUID(int=1), UUID(int=2)
HILLS = ("大溪", "横路", "石岭", "里庚", "长坞", "白茶", "桃林", "双桥")


@pytest_asyncio.fixture(loop_scope="module")
async def window(tmp_path: Path) -> AsyncIterator[WindowDesk]:
    """A window whose question finds much: answers, a refusal, a holder that is away."""
    async with window_desk(tmp_path) as made:
        await add_sites(made)
        county = made.county
        for at, name in enumerate(HILLS[2:]):
            rows = [
                row(
                    10 * at + line,
                    f"{name}村与麻竹生户山林承包合同（第{line}份，含四至图与村民代表会议记录）",
                    "19860312",
                )
                for line in range(1, 5)
            ]
            await county.add(made.stack, f"3305231082{at + 10}", f"{name}村档案室", rows)
        refusing = county.sites["330523108210"]
        await refusing.stop()
        rule = PolicyRule(treatment=Treatment.REFUSE, purposes=("mediation",))
        refusing.policy = Policy(name="own-1", rules=(rule,))
        await refusing.start()
        await county.sites[NEW].go()
        await made.person("lin.min", Role.CLERK, Role.ARCHIVIST)
        yield made


async def walk(me: Reader, pages: Sequence[tuple[str, str]], kind: str) -> None:
    """Look at every page."""
    for path, name in pages:
        await me.go(path)
        await me.look(f"{name}-{kind}")


async def at_night(me: Reader) -> None:
    """Take a phone instead of the desk, with dark colours."""
    await me.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await me.page.emulate_media(color_scheme="dark")


async def asked(here: WindowDesk, me: Reader) -> Request:
    """Ask the question that finds much, and order a copy of one of its finds."""
    await begin(me, "mediation", "mediation")
    await ask(me, "山林", "麻竹生")
    await expect(me.page.locator("#request-lookups")).to_contain_text("1986-03-12")
    (one,) = await here.database.read(lambda connection: ledger.listed(connection, limit=5))
    return one


async def fill_case(me: Reader, path: str, number: int) -> None:
    """Register a case."""
    await me.go(path)
    await me.page.fill("#case_no", f"（2026）竹人调字第{number}号")
    await me.page.fill("#body", "竹溪镇人民调解委员会")
    await me.page.fill("#place", "上石村")
    await me.page.fill("#cause", "两户对毛竹林四至界线说法不一，要求查阅当年承包合同")
    await me.page.fill("#party_count", "2")
    await me.page.fill("#opened_on", "2026-03-02")
    await me.page.click("form[data-once] button.main")
    await expect(me.page.locator("h1")).to_contain_text(f"第{number}号")


@pytest.mark.parametrize(("language", "kind"), [("zh", "desk"), ("en", "phone")])
async def test_the_windows_pages_with_much_on_them(
    window: WindowDesk, browser: Browser, language: str, kind: str
) -> None:
    me = await reader(window, browser, language, viewport=DESKTOP)
    await me.sign_in("lin.min")
    one = await asked(window, me)
    address = f"/window/requests/{one.request_id}"
    paths = [f"/window/cases/{name}" for name in CASES]
    for at, path in enumerate(paths):
        await fill_case(me, path, 12 + at)
    await me.page.fill("#number", one.number)
    await me.page.click('form[action$="/link"] button')
    await me.page.select_option("#item", index=0)
    await me.page.fill("#note", "申请人手书")
    await me.page.click('form[action$="/add"] button')
    await me.go(f"{address}/research")
    await me.page.fill("#title", "五十年代迁入人员")
    await me.page.fill("#columns", "姓名、迁入时间、原籍")
    await me.page.click("form[data-once] button.main")
    part = me.page.locator('form[action$="/part"]').last
    for name, text in (("title", "迁入名册"), ("site", OLD), ("scope", "1951—1959 年"), ("assignee", "lin.min")):
        await part.locator(f"[name={name}]").fill(text)
    await part.locator("button").click()
    for at, cell in enumerate(("乙某", "1955年春", "淳安县")):
        await me.page.fill(f"#cell-{at + 1}", cell)
    await me.page.click('form[action$="/line"] button')
    await me.go(address)
    entry = await me.page.locator("input[name=entry]").first.get_attribute("value")
    await me.page.locator("input[name=entry]").first.check()
    await me.page.click("#review button")
    link = f"{address}/copy?entry={entry}"
    pages = [
        (address, "newer-request"),
        (link, "newer-copy-order"),
        ("/window", "newer-window"),
        ("/window/cases", "newer-cases"),
        ("/window/cases/new", "newer-case-new"),
        (paths[1], "newer-case"),
        ("/window/cases/report?from=2026-01-01&to=2026-12-31", "newer-case-report"),
        (f"{address}/research", "newer-research"),
        ("/window/rules", "newer-rules"),
        (f"{address}/statement", "newer-statement"),
    ]
    if kind == "phone":
        await at_night(me)
    await walk(me, pages, kind)
    await me.context.close()

    assert me.complaints == []


@pytest_asyncio.fixture(loop_scope="module")
async def archive(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_county, reach=receiving(tmp_path)) as made:
        yield made


@pytest.mark.parametrize(("language", "kind"), [("zh", "desk"), ("en", "phone")])
async def test_the_pages_of_a_transfer(
    archive: Desk, browser: Browser, tmp_path: Path, language: str, kind: str
) -> None:
    """A faulty transfer with boxes, and beside it a year's plan and what is kept."""
    post = Handover(archive.database, tmp_path)
    await post.submit(boxes=True)
    await post.arrive(boxes=True)
    await archive.person("lin.min", Role.ARCHIVIST, Role.AUDITOR)
    me = await reader(archive, browser, language, viewport=DESKTOP)
    await me.sign_in("lin.min")
    await expect(me.page).to_have_url(f"{archive.url}/today")
    pages = [
        ("/transfers", "newer-transfers"),
        (f"/transfers/{TRANSFER}", "newer-transfer"),
        (f"/transfers/{TRANSFER}/items", "newer-transfer-items"),
        (f"/transfers/{TRANSFER}/items/{RECORDS[1]}", "newer-transfer-item"),
        ("/plan", "newer-plan"),
        ("/keeping", "newer-keeping"),
        ("/audit?who=lin.min", "newer-audit-filtered"),
    ]
    if kind == "phone":
        await at_night(me)
    await walk(me, pages, kind)
    await me.context.close()

    assert me.complaints == []
