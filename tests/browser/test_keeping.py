"""The receiving plan and the keeping of files with much on them, worked on in a real browser."""

import datetime
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from hub.staff.roles import Role
from hub.web.reach import Reach
from protocol.county_time import ZONE
from tests.browser.test_console import DESKTOP, PHONE, reader
from tests.catalogue import described, fictitious
from tests.consoles import Desk, desk, fill_county
from tests.handovers import receiving
from tests.hubs import Hub
from tests.unit.test_hub_web_keeping import COPIES, TOWN, hold

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]
YEAR = datetime.datetime.now(ZONE).year


def with_copies(reach: Reach) -> Reach:
    """The archive's own copies beside it."""
    held = reach.receiving
    assert held is not None
    holdings = msgspec.structs.replace(held.holdings, copy=COPIES)
    return msgspec.structs.replace(reach, receiving=msgspec.structs.replace(held, holdings=holdings))


@pytest_asyncio.fixture(loop_scope="module")
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_county, reach=with_copies(receiving(tmp_path))) as made:
        await made.person("lin.min", Role.ARCHIVIST)
        yield made


async def fill(here: Desk, folder: Path) -> None:
    """Records of five kinds from a township, and scans that are held."""
    kinds = ("marriage", "forest_rights", "land_contract", "settlement", "")
    day = datetime.date(YEAR - 12, 5, 1)
    records = [
        fictitious(
            number,
            filing_year=day.year,
            livelihood_kind=kinds[number % len(kinds)],
            date_raw=str(day.year),
            date_edtf=str(day.year),
            date_earliest=day,
            date_latest=day,
        )
        for number in range(1, 40)
    ]
    await Hub(here.database).tell(*(described(seq, one) for seq, one in enumerate(records, 1)), site=TOWN)
    await here.database.write(lambda connection: hold(connection, folder / "held", 12, here.clock() - 1000))


@pytest.mark.parametrize(("language", "size"), [("zh", DESKTOP), ("en", DESKTOP), ("en", PHONE)])
async def test_plan_and_keeping_are_worked_on(
    here: Desk, browser: Browser, tmp_path: Path, language: str, size: dict[str, int]
) -> None:
    await fill(here, tmp_path)
    me = await reader(here, browser, language, viewport=size)
    kind = "phone" if size == PHONE else "desk"
    me.page.on("dialog", lambda dialog: dialog.accept())
    await me.sign_in("lin.min")
    await me.go("/plan")
    await me.page.click('form[action="/plan/make"] button')
    await me.page.select_option("#site", TOWN.code)
    await me.page.select_option("#kind", "marriage")
    for field, text in (("after", "1"), ("agreed_by", "县档案局"), ("reason", "窗口利用频繁，提前进馆")):
        await me.page.fill(f"#{field}", text)
    await me.page.click("#agree button.main")
    await expect(me.page.locator(".notice.good")).to_be_visible()
    await me.page.click('form[action="/plan/make"] button')
    await expect(me.page.locator("tbody tr").first).to_be_visible()
    await me.look(f"plan-worked-{kind}")
    await me.page.click('tbody a[href$="#agree"] >> nth=0')
    await expect(me.page.locator("#site")).to_have_value(TOWN.code)
    await me.go("/keeping")
    await me.page.select_option("#target", "depot")
    await me.page.fill("#day", datetime.datetime.now(ZONE).date().isoformat())
    await me.page.fill("#how", "在异地库房用 bagit 核对全部校验和")
    await me.page.click('form[action="/keeping/note"] button')
    await expect(me.page.locator(".notice.good")).to_be_visible()
    await me.page.click('form[action="/keeping/read"] button')
    await expect(me.page.locator("section progress")).to_be_visible()
    await me.look(f"keeping-worked-{kind}")
    await me.context.close()

    assert me.complaints == []
