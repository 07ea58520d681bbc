"""Proposals of change in a real browser: from an entry's page to the queue, looked at by axe-core."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from sqlalchemy import Connection

from hub.decisions import proposals
from hub.decisions.proposals import ProposalState, Wish
from hub.staff.administration import Actor
from hub.staff.roles import Role
from protocol.wording import Text
from tests.browser.test_console import PHONE, reader
from tests.consoles import Desk, desk
from tests.decisions import HELD, NOTICE, SITE, fill_queues

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]
ENTRY = f"/catalogue/{SITE}/{HELD.record_id}"


def fill(connection: Connection, now_ms: int) -> None:
    """What waits, and what was decided."""
    fill_queues(connection, now_ms)
    actor = Actor(who="zhou.ping")
    wishes = (
        Wish(site=SITE, record_id=NOTICE.record_id, wanted={"doc_no": "石政〔2014〕17号"}, reason="文号漏了一位"),
        Wish(site=SITE, record_id=NOTICE.record_id, wanted={"note": "附图一张"}, reason="附图在卷末"),
    )
    for at, wish in enumerate(wishes):
        made = proposals.propose(connection, actor, wish, now_ms - 86_400_000 * (at + 1))
        because = Text(zh="附图已另立一件", en="the map is an item of its own")
        if at:
            proposals.settle(connection, made, ProposalState.REFUSED, "王守仁", because, now_ms)


@pytest_asyncio.fixture(loop_scope="module")
async def county(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill) as made:
        yield made


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_clerk_proposes_and_an_archivist_sees_it(county: Desk, browser: Browser, language: str) -> None:
    await county.person("lin.min", Role.ARCHIVIST)
    me = await reader(county, browser, language)
    me.page.on("dialog", lambda dialog: dialog.accept())
    await me.sign_in("lin.min")
    await expect(me.page).to_have_url(f"{county.url}/today")
    await me.go(ENTRY)
    await me.page.click("#propose summary")
    await me.page.fill("#p-title", "关于上石村毛竹林承包合同的批复")
    await me.page.fill("#p-date", "某年某月")
    await me.page.fill("#p-reason", "原件题名如此，见第 1 页")
    await me.page.click("#propose button.main")
    await expect(me.page.locator(".notice.bad")).to_be_visible()
    await me.look("entry-proposing-refused")
    await me.page.fill("#p-date", "1986-03-05")
    await me.page.click("#propose button.main")
    await expect(me.page.locator(".notice.good")).to_be_visible()
    await me.look("entry-proposed")
    await me.go("/decisions/proposals")
    await me.look("proposals")
    await me.page.click('form[action$="/withdraw"] button >> nth=0')
    await expect(me.page.locator(".notice.good")).to_be_visible()
    await me.look("proposals-withdrawn")
    await me.context.close()

    assert me.complaints == []


async def test_the_queue_of_proposals_on_a_phone(county: Desk, browser: Browser) -> None:
    await county.person("lin.min", Role.ARCHIVIST)
    me = await reader(county, browser, "zh", viewport=PHONE, is_mobile=True, has_touch=True)
    await me.sign_in("lin.min")
    await expect(me.page).to_have_url(f"{county.url}/today")
    await me.go("/decisions/proposals")
    await me.look("proposals-phone")
    await me.go(ENTRY)
    await me.page.click("#propose summary")
    await me.look("entry-proposing-phone")
    await me.context.close()

    assert me.complaints == []
