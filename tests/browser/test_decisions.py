"""The decision queues, a site's orders and enrolment in a real browser, in both languages, looked at by axe-core."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from hub.staff.roles import Role
from hub.web.reach import DoorSigns, Reach
from tests.browser.test_console import PHONE, reader
from tests.consoles import Desk, desk
from tests.decisions import SITE, fill_queues

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]
DOOR = DoorSigns(fingerprint=b"f" * 10, courier_fingerprint=b"c" * 10, address="10.20.0.5:4223", code_days=30)


@pytest_asyncio.fixture(loop_scope="module")
async def county(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_queues, reach=Reach(door=DOOR)) as made:
        yield made


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_an_archivist_settles_every_queue(county: Desk, browser: Browser, language: str) -> None:
    await county.person("lin.min", Role.ARCHIVIST)
    me = await reader(county, browser, language)
    me.page.on("dialog", lambda dialog: dialog.accept())
    await me.sign_in("lin.min")
    await expect(me.page).to_have_url(f"{county.url}/today")
    await me.look("today-decisions")
    await me.go("/decisions/conflicts")
    await me.look("conflicts")
    await me.page.click("table .button")
    await me.look("conflict")
    await me.page.fill("#note", "已电话核实")
    await me.page.click('form[action="/decisions/conflicts/settle"] button')
    await me.look("conflicts-settled")
    await me.go("/decisions/duplicates")
    await me.look("duplicates")
    await me.page.click("button[value=same]")
    await me.look("duplicates-decided")
    await me.go("/decisions/quarantine")
    await me.look("quarantine")
    await me.page.click("tr:has-text('lent') .button")
    await me.look("quarantined-unknown")
    await me.page.fill("#note", "测试电脑误报")
    await me.page.click("button.danger")
    await expect(me.page.locator(".notice.good")).to_be_visible()
    await me.page.click("table .button")
    await me.look("quarantined")
    await me.page.click('form[action$="/retry"] button')
    await me.look("quarantine-empty")
    await me.go("/decisions")
    await me.look("decisions")
    await me.page.click("table form button >> nth=0")
    await me.look("decisions-undone")
    await me.go(f"/sites/{SITE}")
    await me.look("site-orders")
    await me.go(f"/sites/{SITE}/brakes")
    await me.look("brakes")
    await me.context.close()

    assert me.complaints == []


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_an_administrator_replaces_a_pc(county: Desk, browser: Browser, language: str) -> None:
    await county.person("guan.li", Role.ADMINISTRATOR)
    me = await reader(county, browser, language)
    me.page.on("dialog", lambda dialog: dialog.accept())
    await me.sign_in("guan.li")
    await expect(me.page).to_have_url(f"{county.url}/today")
    await me.go(f"/sites/{SITE}")
    await me.look("site-administered", live=True)
    await me.page.click('a[href^="/enrolment"]')
    await me.look("enrolment")
    await me.page.click("main button.main")
    await me.look("enrolment-code", live=True)
    await expect(me.page.locator("#joining [aria-current=step]")).to_have_count(1)
    await me.go(f"/sites/{SITE}")
    await me.page.fill("[name=because]", "电脑丢失")
    await me.page.click('form[action$="/revoke"] button')
    await me.look("site-revoked")
    await me.context.close()

    assert me.complaints == []


async def test_the_queues_on_a_phone(county: Desk, browser: Browser) -> None:
    await county.person("lin.min", Role.ARCHIVIST)
    me = await reader(county, browser, "zh", viewport=PHONE, is_mobile=True, has_touch=True)
    await me.sign_in("lin.min")
    for name in ("conflicts", "duplicates", "quarantine"):
        await me.go(f"/decisions/{name}")
        await me.look(f"{name}-phone")
    await me.context.close()

    assert me.complaints == []
