"""Transfers in a real browser: the list, what is found beside the scans, ruling, deciding, signing, the paper."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from hub.staff.roles import Role
from tests.browser.test_console import PHONE, reader
from tests.consoles import Desk, desk, fill_county
from tests.handovers import RECORDS, TRANSFER, Handover, receiving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]
PAGE = f"/transfers/{TRANSFER}"


@pytest_asyncio.fixture(loop_scope="module")
async def county(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_county, reach=receiving(tmp_path)) as made:
        yield made


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_an_archivist_takes_a_transfer_over(
    county: Desk, browser: Browser, tmp_path: Path, language: str
) -> None:
    post = Handover(county.database, tmp_path)
    await post.submit()
    await county.person("lin.min", Role.ARCHIVIST)
    me = await reader(county, browser, language)
    me.page.on("dialog", lambda dialog: dialog.accept())
    await me.sign_in("lin.min")
    await expect(me.page).to_have_url(f"{county.url}/today")
    await me.go("/transfers")
    await me.look("transfers")
    await me.page.click("a.transfer")
    await me.look("transfer-coming", live=True)
    await post.arrive(boxes=True)
    await expect(me.page.locator("#transfer-progress")).to_contain_text("必查项" if language == "zh" else "mandatory")
    await me.go(PAGE)
    await me.look("transfer-to-rule")
    await me.page.click(".faulty a >> nth=0")
    await me.look("transfer-item")
    await me.page.click("button[value=return]")
    await me.go(f"{PAGE}/items/{RECORDS[2]}")
    await me.page.click("button[value=return]")
    await me.go(PAGE)
    await me.page.fill("[name=seen-1]", "2")
    await me.page.click('form[action$="/count"] button')
    await me.page.fill("#unit", "安吉县档案馆")
    await me.page.fill("[name=waive-virus_scan]", "已用另一台电脑杀毒")
    await me.page.click('form[action$="/decide"] button')
    await expect(me.page.locator(".notice.good")).to_be_visible()
    await me.look("transfer-decided")
    await me.go(f"{PAGE}/items")
    await me.look("transfer-items")
    await me.go("/transfers/codes")
    await me.page.fill("[name=fonds]", "M001")
    await me.page.fill("[name=pattern]", "{fonds}-WS·{year}·{item:4}")
    await me.page.click('form[action="/transfers/codes"] button')
    await expect(me.page.locator(".notice.good")).to_be_visible()
    await me.look("archive-codes")
    await me.go("/plan")
    await me.look("plan")
    await me.go("/keeping")
    await me.look("keeping")
    await me.context.close()

    assert me.complaints == []


async def test_signing_and_the_phone(county: Desk, browser: Browser, tmp_path: Path) -> None:
    post = Handover(county.database, tmp_path)
    await post.submit()
    await post.arrive(faulty=False)
    await county.person("lin.min", Role.ARCHIVIST)
    me = await reader(county, browser, "zh", viewport=PHONE, is_mobile=True, has_touch=True)
    me.page.on("dialog", lambda dialog: dialog.accept())
    await me.sign_in("lin.min")
    await expect(me.page).to_have_url(f"{county.url}/today")
    await me.go(f"{PAGE}/items/{RECORDS[0]}")
    await me.look("transfer-item-phone")
    await me.go(PAGE)
    await me.page.click('form[action$="/decide"] button')
    await expect(me.page.locator(".notice.good")).to_be_visible()
    await post.giver_signs()
    await me.go(PAGE)
    await me.look("transfer-sign-phone")
    await me.page.click('form[action$="/sign"] button')
    await expect(me.page.locator(".notice.good")).to_be_visible()
    await me.go(f"{PAGE}/certificate")
    await me.look("transfer-certificate-phone")
    await me.go("/transfers?state=all")
    await me.look("transfers-phone")
    await me.context.close()

    assert me.complaints == []
