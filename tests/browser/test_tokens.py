"""Tokens for other systems in a real browser, in both languages, looked at by axe-core."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from hub.staff.roles import Role
from tests.browser.test_console import reader
from tests.consoles import Desk, desk
from tests.decisions import fill_queues

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def county(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_queues) as made:
        yield made


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_an_administrator_makes_and_revokes_a_token(county: Desk, browser: Browser, language: str) -> None:
    await county.person("guan.li", Role.ADMINISTRATOR)
    me = await reader(county, browser, language)
    me.page.on("dialog", lambda dialog: dialog.accept())
    await me.sign_in("guan.li")
    await expect(me.page).to_have_url(f"{county.url}/today")
    await me.look("today-needs")
    await me.go("/users")
    await me.page.click('a[href="/tokens"]')
    await me.page.fill("#name", "省档案馆目录平台")
    await me.page.check("[value=sites]")
    await me.page.click("main form button.main")
    await expect(me.page.locator("#secret")).to_be_visible()
    await me.look("token-made")
    await me.page.click("table button.danger")
    await expect(me.page.locator(".notice.good")).to_be_visible()
    await me.look("tokens")
    await me.context.close()

    assert me.complaints == []
