"""The console in a real browser: every page in both languages, looked at by axe-core, with its pictures kept.

Pictures go to the folder that ``DANGLIAN_PICTURES`` names, else to ``console-pictures`` in the project.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect
from sqlalchemy import Connection

from hub.sites.board import record_beats
from hub.staff import first_use
from hub.staff.roles import Role
from protocol.beats import Beat
from tests.consoles import PASSWORD, Desk, desk, fill_county

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

PROJECT = Path(__file__).resolve().parents[2]
PICTURES = Path(os.environ.get("DANGLIAN_PICTURES") or PROJECT / "console-pictures")
DESKTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
SILENT = "330599001203"


@pytest_asyncio.fixture(loop_scope="module")
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_county) as made:
        yield made


class Reader:
    """Somebody before a browser, who notices what the browser complains about."""

    def __init__(self, here: Desk, context: BrowserContext, page: Page, language: str) -> None:
        self.here = here
        self.context = context
        self.page = page
        self.language = language
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda line: self._hear(line.type, line.text))

    def _hear(self, kind: str, text: str) -> None:
        # A page that answers 4xx on purpose is told by the browser as an error; everything else is ours.
        if kind in ("error", "warning") and "Failed to load resource" not in text:
            self.complaints.append(text)

    async def go(self, path: str) -> None:
        await self.page.goto(self.here.url + path)

    async def sign_in(self, login: str) -> None:
        await self.go("/sign-in")
        await self.page.fill("#login", login)
        await self.page.fill("#password", PASSWORD)
        await self.send("main button.main")

    async def send(self, button: str) -> None:
        """Press a button, and wait until the page that answers is there: it may have the same fields as this one."""
        async with self.page.expect_navigation():
            await self.page.click(button)

    async def look(self, name: str, *, live: bool = False) -> None:
        """Keep a picture of the page, and have it looked at for barriers."""
        # Of half a page axe would say that its heading is missing.
        await self.page.wait_for_load_state()
        if live:
            await expect(self.page.locator(".is-live")).to_be_visible()
        folder = PICTURES / self.language
        folder.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=folder / f"{name}.png", full_page=True)
        found = await Axe().run(self.page)
        self.complaints += [
            f"{name}: {one['id']} ({one['impact']}): {[node['html'][:160] for node in one['nodes'][:3]]}"
            for one in found.response["violations"]
        ]
        wide = await self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        if wide:
            self.complaints.append(f"{name}: wider than the window")


async def reader(here: Desk, browser: Browser, language: str, **more: object) -> Reader:
    locale = "zh-CN" if language == "zh" else "en-GB"
    context = await browser.new_context(**{"viewport": DESKTOP, "locale": locale, **more})  # type: ignore[arg-type]
    # axe is put into the page by the test, which the content policy rightly forbids to everybody else.
    return Reader(here, context, await context.new_page(), language)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_every_page_of_the_first_administrator(here: Desk, browser: Browser, language: str) -> None:
    """From the first link to a locked colleague, as it is done on the first day."""
    secret = await here.database.write(lambda connection: first_use.invite(connection, here.clock()))
    me = await reader(here, browser, language)
    await me.go(f"/set-up/{secret}")
    await me.look("set-up")
    for field, text in (("#login", "guan.li"), ("#name", "管理员甲"), ("#password", PASSWORD), ("#again", PASSWORD)):
        await me.page.fill(field, text)
    await me.send("main button.main")
    await me.look("sign-in")
    await me.page.fill("#password", "错误的密码错误的密码")
    await me.send("main button.main")
    await me.look("sign-in-wrong")
    await me.page.fill("#password", PASSWORD)
    await me.send("main button.main")
    await me.look("today", live=True)
    for path, name in (("/sites", "sites"), (f"/sites/{SILENT}", "site"), ("/sites?state=alarm", "sites-alarmed")):
        await me.go(path)
        await me.look(name, live=True)
    await me.go("/users")
    await me.page.fill("#login", "lin.min")
    await me.page.fill("#name", "林敏")
    await me.page.check("input[value=clerk]")
    await me.look("users")
    await me.send("main button.main")
    await me.look("user-link")
    await me.go("/users/lin.min")
    me.page.on("dialog", lambda dialog: dialog.accept())
    await me.look("user")
    await me.send("button.danger")
    await me.look("user-locked")
    locked = await me.page.locator(".notice").inner_text()
    await me.go("/audit")
    await me.look("forbidden")
    await me.go("/nowhere")
    await me.look("missing")
    await me.context.close()

    assert (me.complaints, locked) == ([], "账户已停用。" if language == "zh" else "The account is locked.")


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_own_account_with_one_time_codes(here: Desk, browser: Browser, language: str) -> None:
    await here.person("lin.min", Role.CLERK)
    me = await reader(here, browser, language)
    await me.sign_in("lin.min")
    await me.go("/account")
    await me.look("account")
    await me.send('form[action="/account/codes/begin"] button')
    await me.look("account-codes")
    key = (await me.page.locator("code.key").inner_text()).replace(" ", "")
    await me.page.fill("#code", pyotp.TOTP(key).at(here.clock() // 1000))
    await me.send('form[action="/account/codes/confirm"] button')
    await me.look("account-codes-on")
    await me.send('form[action="/sign-out"] button')
    here.clock.forward(60)
    await me.sign_in("lin.min")
    await me.look("code")
    await me.page.fill("#code", pyotp.TOTP(key).at(here.clock() // 1000))
    await me.send("main button.main")
    await expect(me.page).to_have_url(f"{here.url}/today")
    await me.context.close()

    assert me.complaints == []


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_auditor_verifies_the_log(here: Desk, browser: Browser, language: str) -> None:
    await here.person("shen.ji", Role.AUDITOR, name="审计员乙")
    me = await reader(here, browser, language)
    await me.sign_in("shen.ji")
    await me.go("/audit")
    await me.look("audit")
    await me.send('form[action="/audit/verify"] button')
    await me.look("audit-verified")
    told = await me.page.locator(".notice.good").inner_text()
    await me.context.close()

    said = "完好：共 3 条，末条 3，" if language == "zh" else "Whole: 3 lines, the last is 3 with "
    assert (me.complaints, told.strip()[: len(said)]) == ([], said)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_dark_at_125_percent_and_on_a_phone(here: Desk, browser: Browser, language: str) -> None:
    await here.person("lin.min", Role.ARCHIVIST)
    kinds: dict[str, dict[str, object]] = {
        "dark": {"color_scheme": "dark", "viewport": {"width": 1093, "height": 614}, "device_scale_factor": 1.25},
        "phone": {"viewport": PHONE, "is_mobile": True, "has_touch": True},
    }
    complaints: list[str] = []
    for kind, more in kinds.items():
        me = await reader(here, browser, language, **more)
        await me.sign_in("lin.min")
        for path, name in (
            ("/today", "today"),
            ("/sites", "sites"),
            (f"/sites/{SILENT}", "site"),
            ("/account", "account"),
        ):
            await me.go(path)
            await me.look(f"{name}-{kind}")
        complaints += me.complaints
        await me.context.close()

    assert complaints == []


async def test_an_open_page_moves_by_itself(here: Desk, browser: Browser) -> None:
    await here.person("lin.min", Role.CLERK)
    me = await reader(here, browser, "zh")
    await me.sign_in("lin.min")
    await me.go("/sites")
    await me.look("sites-live", live=True)
    beat = Beat(site=SILENT, node="U", epoch="e1", seq=4148, records=7_654, software="1.0.0")
    await here.database.write(lambda connection: record_beats(connection, [beat], here.clock()))
    await expect(me.page.locator(f"#site-{SILENT}")).to_contain_text("7,654 条", timeout=15_000)
    await me.context.close()

    assert me.complaints == []


async def test_an_alarm_is_attended_by_keyboard_alone(here: Desk, browser: Browser) -> None:
    await here.person("lin.min", Role.ARCHIVIST)
    me = await reader(here, browser, "zh")
    await me.sign_in("lin.min")
    await me.go(f"/sites/{SILENT}")
    for _ in range(30):
        await me.page.keyboard.press("Tab")
        if await me.page.evaluate("document.activeElement.name") == "note":
            break
    await me.page.keyboard.type("已电话联系，周一换电源")
    await me.page.keyboard.press("Enter")
    await expect(me.page.locator(".notice")).to_contain_text("由您处理")
    await me.context.close()

    assert me.complaints == []


async def test_pages_work_without_the_script(here: Desk, browser: Browser) -> None:
    await here.person("lin.min", Role.ARCHIVIST)
    context = await browser.new_context(
        java_script_enabled=False, locale="zh-CN", viewport={"width": 1366, "height": 768}
    )
    page = await context.new_page()
    await page.goto(f"{here.url}/sites")
    await page.fill("#login", "lin.min")
    await page.fill("#password", PASSWORD)
    await page.click("main button.main")
    await page.wait_for_url("**/sites")
    await page.fill("#find", "枫树")
    async with page.expect_navigation():
        await page.press("#find", "Enter")
    found = await page.locator(".tile").count()
    async with page.expect_navigation():
        await page.click("button[name=language]")
    heading = await page.locator("h1").inner_text()
    async with page.expect_navigation():
        await page.click('form[action="/sign-out"] button')
    where = page.url
    await context.close()

    assert (found, heading, where) == (1, "Sites", f"{here.url}/sign-in?why=left")


async def test_a_page_that_finds_the_hub_again_goes_on(here: Desk, browser: Browser) -> None:
    """The store is away for a moment: the page says so, and comes back by itself."""
    await here.person("lin.min", Role.CLERK)
    me = await reader(here, browser, "zh")
    await me.sign_in("lin.min")

    def rename(connection: Connection, old: str, new: str) -> None:
        connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")

    await here.database.write(lambda connection: rename(connection, "web_session", "elsewhere"))
    await me.go("/today")
    await me.look("store-away")
    away = await me.page.locator("h1").inner_text()
    await here.database.write(lambda connection: rename(connection, "elsewhere", "web_session"))
    await expect(me.page.locator("h1")).to_have_text("今日", timeout=20_000)
    await me.context.close()

    assert (away, me.complaints) == ("数据库暂时无法访问", [])
