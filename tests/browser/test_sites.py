"""A site's story, its declared settings, its files and their quality in a real browser, looked at by axe-core."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from hub.staff.roles import Role
from hub.web.reach import Reach
from protocol.calls import AskFiles, Body, Outcome
from protocol.sites import parse_site
from replication.answering import answer_calls
from replication.asking import Asker
from tests.browser.test_console import PHONE, reader
from tests.consoles import Desk, desk
from tests.fakes import FakeBroker
from tests.site_stories import FILES, SITE, fill_story

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]


async def _files(_: AskFiles) -> tuple[Outcome, Body | None]:
    return Outcome.ANSWERED, FILES


@pytest_asyncio.fixture(loop_scope="module")
async def county(tmp_path: Path) -> AsyncIterator[Desk]:
    bus = FakeBroker().bus()
    site = asyncio.create_task(answer_calls(bus, parse_site(SITE), lambda: ("e1", 1), {AskFiles: _files}))
    await asyncio.sleep(0.01)
    async with Asker(bus, "console").opened() as asker, desk(tmp_path, fill=fill_story, reach=Reach(asker=asker)) as it:
        yield it
    site.cancel()


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_site_and_its_files(county: Desk, browser: Browser, language: str) -> None:
    await county.person("lin.min", Role.ARCHIVIST)
    me = await reader(county, browser, language)
    await me.sign_in("lin.min")
    await expect(me.page).to_have_url(f"{county.url}/today")
    await me.go(f"/sites/{SITE}")
    await me.look("site-story", live=True)
    await me.page.click('a[href$="/files"]')
    await me.look("site-files")
    await me.context.close()

    assert me.complaints == []


async def test_a_site_and_its_files_on_a_phone_at_night(county: Desk, browser: Browser) -> None:
    await county.person("lin.min", Role.CLERK)
    me = await reader(county, browser, "zh", viewport=PHONE, is_mobile=True, has_touch=True, color_scheme="dark")
    await me.sign_in("lin.min")
    await expect(me.page).to_have_url(f"{county.url}/today")
    await me.go(f"/sites/{SITE}")
    await me.look("site-story-phone")
    await me.go(f"/sites/{SITE}/files")
    await me.look("site-files-phone")
    await me.context.close()

    assert me.complaints == []
