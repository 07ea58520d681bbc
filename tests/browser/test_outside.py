"""Signing in by a provider of identities in a real browser, which holds the pages to their content policy."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from hub.staff import administration
from hub.staff.administration import Actor
from hub.staff.roles import Role
from hub.web.reach import Reach
from tests.browser.test_console import reader
from tests.consoles import Desk, desk, fill_county
from tests.providers import provider_running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    with provider_running() as provider:
        reached = provider.reached()
        async with desk(tmp_path, fill=fill_county, reach=Reach(provider=reached)) as made:
            await made.person("lin.min", Role.CLERK)
            await made.database.write(
                lambda connection: administration.link(
                    connection, Actor(who="guan.li"), reached.settings, "lin.min", "7f1c-42", made.clock()
                )
            )
            yield made


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_clerk_comes_in_by_the_provider(here: Desk, browser: Browser, language: str) -> None:
    me = await reader(here, browser, language)
    await me.go("/sites")
    await me.look("outside-sign-in")
    await me.page.click('form[action="/sign-in/outside"] button')
    await me.page.fill("[name=sub]", "9a00-7")
    await me.page.click("text=Authorize >> nth=-1")
    await expect(me.page.locator(".notice")).to_contain_text("9a00-7")
    await me.look("outside-unlinked")
    await me.page.click('form[action="/sign-in/outside"] button')
    await me.page.fill("[name=sub]", "7f1c-42")
    await me.page.click('button[type="submit"]:not([name])')
    await expect(me.page.locator("h1")).to_be_visible()
    landed = me.page.url.removeprefix(here.url)
    await me.page.click('form[action="/sign-out"] button')
    await me.page.wait_for_url("**/oauth2/end_session?**")
    await me.go("/sites")
    left = me.page.url.removeprefix(here.url)
    await here.person("guan.li", Role.ADMINISTRATOR)
    await me.context.clear_cookies()
    await me.sign_in("guan.li")
    await me.go("/users/lin.min")
    await me.look("outside-user")
    await me.context.close()

    assert (landed, left.partition("?")[0], me.complaints) == ("/today", "/sign-in", [])
