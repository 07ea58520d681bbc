"""The window behind a relay: the common case costs few round trips, and what a page loads it loads once."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Request, expect

from hub.staff.roles import Role
from tests.browser.test_console import reader
from tests.browser.test_window import ask, begin
from tests.relays import relayed
from tests.window_desks import WindowDesk, add_sites, window_desk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]

ROUND_TRIP_S = 0.3
"""Seconds that the relay adds to each question and its answer."""


@pytest_asyncio.fixture(loop_scope="module")
async def here(tmp_path: Path) -> AsyncIterator[WindowDesk]:
    async with window_desk(tmp_path) as made:
        await add_sites(made)
        await made.person("lin.min", Role.CLERK)
        yield made


def kind_of(one: Request) -> str:
    """Name what a request is for, without ids."""
    path = urlsplit(one.url).path
    for beginning in ("/static/", "/stream/"):
        if path.startswith(beginning):
            return beginning
    return "kept" if path.endswith("/kept") else f"page {one.method}"


async def test_three_steps_are_six_pages_and_what_they_load_is_loaded_once(here: WindowDesk, browser: Browser) -> None:
    """After the first page a browser asks for pages alone: files bear their digest in their name and are kept."""
    async with relayed(urlsplit(here.url).port or 0, ROUND_TRIP_S) as relay:
        direct, here.url = here.url, f"http://127.0.0.1:{relay.port}"
        me = await reader(here, browser, "zh")
        await me.sign_in("lin.min")
        await me.go("/window")
        seen: list[str] = []
        me.page.on("request", lambda one: seen.append(kind_of(one)))
        await begin(me)
        sent_at = time.monotonic()
        await ask(me, "结婚登记", "甲某", place="天荒坪")
        await expect(me.page.locator("#review")).to_be_visible()
        # For whoever wonders how it feels (`pytest -s`); how fast the machine is decides nothing here.
        print(f"who → question → result: {time.monotonic() - sent_at:.1f} s", dict(Counter(seen)))  # noqa: T201 - as above
        sizes = await me.page.evaluate(
            "performance.getEntriesByType('resource').filter(e => e.name.includes('/static/')).map(e => e.transferSize)"
        )
        await me.context.close()
        here.url = direct

    pages = [one for one in seen if one.startswith("page ")]
    # The desk; the form by its own address; both pages of it sent, each followed by what it leads to.
    assert pages.count("page POST") == 2
    assert len(pages) <= 8
    assert (set(sizes), me.complaints) == ({0}, [])
