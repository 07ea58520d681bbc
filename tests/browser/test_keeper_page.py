"""The keeper's page in a real browser: a village's transfer, taken over by its township, from both ends."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from node.certifying.desk import KeeperDesk
from node.certifying.local_page import OrdersRoom, Room, served
from node.commands.transfer_page import TransfersRoom
from node.config import load
from node.home import home_at
from tests.browser.test_console import DESKTOP, PHONE, PICTURES
from tests.keeper_pages import furnished
from tests.unit.test_transfer_custody import County, county, submitted
from tests.unit.test_transfer_thread import WAIVED

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]


class Ends:
    """A village and its township, the hub between them, and the page of each."""

    def __init__(self, here: County, root: Path, browser: Browser) -> None:
        self.here, self.root, self.browser = here, root, browser
        self.village, self.township = furnished(here, root)
        self.complaints: list[str] = []

    async def opened(self, address: str, **more: object) -> Page:
        context = await self.browser.new_context(viewport=DESKTOP, bypass_csp=True, locale="zh-CN", **more)  # type: ignore[arg-type]
        page = await context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(address)
        return page

    async def look(self, page: Page, name: str) -> None:
        """Keep a picture of the page, and have it looked at for barriers."""
        (PICTURES / "zh").mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=PICTURES / "zh" / f"{name}.png", full_page=True)
        found = await Axe().run(page)
        self.complaints += [
            f"{name}: {one['id']}: {one['nodes'][0]['html'][:160]}" for one in found.response["violations"]
        ]
        if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            self.complaints.append(f"{name}: wider than the window")

    def rooms(self, folder: str, transfers: TransfersRoom) -> dict[str, Room]:
        home = home_at(self.root / folder)
        return {"transfers": transfers, "orders": OrdersRoom(KeeperDesk(home, load(home.settings), "page"))}


@pytest_asyncio.fixture(loop_scope="module")
async def ends(tmp_path: Path, browser: Browser) -> AsyncIterator[Ends]:
    async with county(tmp_path) as here:
        yield Ends(here, tmp_path, browser)


async def accepted(town: Page) -> None:
    """Give the reasons that are asked for, and accept what was not returned."""
    await expect(town.locator("#do-accept")).to_be_visible()
    for rule, why in WAIVED.items():
        if await town.locator(f"#waive-{rule}").count():
            await town.fill(f"#waive-{rule}", why)
    await town.fill("#handler", "丁")
    await town.click("#do-accept")
    await expect(town.locator(".good")).to_contain_text("已审定")


async def entered(page: Page) -> None:
    """Look at the only transfer that there is."""
    await page.click("#to-transfers")
    await page.click(".row")


async def signed(page: Page, signer: str) -> None:
    await page.fill("#signer", signer)
    await page.click("#do-sign")
    await expect(page.locator(".good")).to_contain_text("已签字")


async def returned_in_part(ends: Ends, town: Page) -> None:
    """Look at what came, send the first item back, accept the rest."""
    await expect(town.locator(".row")).to_contain_text("收进")
    await ends.here.witnessed()
    await ends.here.received()
    await town.click("#to-transfers")
    await expect(town.locator(".row.waiting")).to_have_count(1)
    await ends.look(town, "keeper-transfers")
    await town.click(".row")
    await town.click("button.link >> nth=0")
    await expect(town.locator("figure img").first).to_be_visible()
    await ends.look(town, "keeper-transfer-to-rule")
    await town.check("td input >> nth=0")
    await town.fill("#reason", "第 1 页模糊，请重扫")
    await town.click("#do-return")
    await expect(town.locator(".good")).to_be_visible()
    await town.click("#do-accept")
    await expect(town.locator("p.bad")).to_contain_text("必查项未通过")
    await accepted(town)
    await ends.here.post()


async def mended(ends: Ends, village: Page) -> None:
    """Read what came back, and send it again."""
    await village.click("#to-transfers")
    await expect(village.locator(".row.waiting")).to_contain_text("交出")
    await village.click(".row")
    await expect(village.locator("#here")).to_contain_text("第 1 页模糊，请重扫")
    await ends.look(village, "keeper-transfer-to-mend")
    await village.click("#do-send")
    await expect(village.locator(".good")).to_contain_text("已提交", timeout=60_000)
    await ends.here.post()
    await ends.here.witnessed()
    await ends.here.received()


async def test_a_township_takes_a_villages_records_over_and_the_village_mends_one(ends: Ends) -> None:
    await submitted(ends.here)
    with (
        served(ends.rooms("site", ends.village)) as at_village,
        served(ends.rooms("town", ends.township)) as at_town,
    ):
        village, town = await ends.opened(at_village.address), await ends.opened(at_town.address)
        await returned_in_part(ends, town)
        await mended(ends, village)
        await entered(town)
        await accepted(town)
        await ends.here.post()
        await entered(village)
        await ends.look(village, "keeper-transfer-to-sign")
        await signed(village, "甲")
        await ends.here.post()
        await town.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        await entered(town)
        await signed(town, "丙")
        await expect(town.locator("#here")).to_contain_text("双方已签")
        await ends.look(town, "keeper-transfer-signed-phone")
        await town.click("#to-orders")
        await expect(town.locator("#here")).to_contain_text("没有申请")
        for page in (village, town):
            await page.context.close()

    assert ends.complaints == []
