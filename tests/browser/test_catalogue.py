"""The catalogue in a real browser: its pages in both languages, at a desk and on a phone, looked at by axe-core."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from hub.staff.roles import Role
from tests.browser.test_console import DESKTOP, PHONE, reader
from tests.catalogue_desks import FOREST, TOWN, VOLUME, fill_catalogue, path_of
from tests.consoles import Desk, desk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_catalogue) as made:
        yield made


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("kind", "viewport"), [("desk", DESKTOP), ("phone", PHONE)])
async def test_the_catalogue_from_a_search_to_an_export(
    here: Desk, browser: Browser, language: str, kind: str, viewport: dict[str, int]
) -> None:
    await here.person("lin.min", Role.ARCHIVIST)
    me = await reader(here, browser, language, viewport=viewport)
    await me.sign_in("lin.min")
    await here.backstage.spreads.count()
    await me.go("/today")
    await me.look(f"today-pictures-{kind}")
    await me.go("/catalogue")
    await me.page.fill("#words", "山林 类别:结昏")
    await me.page.press("#words", "Enter")
    await me.look(f"catalogue-fault-{kind}")
    await me.page.fill("#words", "山林承包")
    await me.page.press("#words", "Enter")
    await me.look(f"catalogue-{kind}")
    await me.page.check("input[name=live]")
    await me.page.click("button.main")
    await me.look(f"catalogue-live-{kind}")
    for number, site, name in ((FOREST, "", "entry"), (VOLUME, TOWN, "volume")):
        await me.go(path_of(number, site) if site else path_of(number))
        await me.look(f"{name}-{kind}")
    await me.go("/catalogue")
    await me.page.click("button[value=csv]")
    await expect(me.page.locator('a[href$="/file"]')).to_be_visible(timeout=20_000)
    await me.look(f"export-{kind}")
    await me.context.close()

    assert me.complaints == []
