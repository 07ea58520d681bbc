"""The console of the real hub: there when the hub runs, says how its first user gets in, never delays the end."""

import re
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.consoles import PASSWORD, Browser, browsing
from tests.system.programs import Program, until

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def hub(tmp_path: Path, free_port: Callable[[], int]) -> AsyncIterator[Program]:
    program = Program("hub", tmp_path / "hub")
    await program.run(
        *("init", "--county", "330523000000", "--name", "安吉县档案馆", "--host", "127.0.0.1", "--listen", "127.0.0.1"),
        *("--port", str(free_port()), "--enrol-port", str(free_port()), "--web-port", str(free_port())),
    )
    await program.start()
    yield program
    await program.stop()


async def test_the_first_start_says_a_link_by_which_a_person_gets_in(hub: Program) -> None:
    await until("the hub to listen", lambda: "hub_ready" in hub.tail())
    link = re.search(r"(http://127\.0\.0\.1:\d+)(/set-up/[\w-]+)", hub.tail())
    assert link is not None
    browser = Browser(link[1], "zh")
    async with browsing(browser):
        fields = {"login": "guan.li", "name": "管理员甲", "password": PASSWORD, "again": PASSWORD}
        await browser.post(link[2], fields)
        await browser.sign_in("guan.li")
        today = await browser.get("/today")
        # An open stream, as every open page has one.
        request = browser.client.build_request("GET", "/stream/today")
        stream = await browser.client.send(request, stream=True)
        await anext(stream.aiter_lines())
        began_s = time.monotonic()
        code = await hub.stop()
        took_s = time.monotonic() - began_s
        await stream.aclose()
    listed = (await hub.json("user", "list"))["accounts"]
    verdict = await hub.json("audit", "verify")
    log = hub.tail()

    assert (today.status_code, code, took_s < 8) == (200, 0, True), log
    assert ([one["login"] for one in listed], verdict["lines"], verdict["head"][0]) == (["guan.li"], 4, 4)
    # What happened is in the audit log; the hub's own log names nobody.
    assert ("guan.li" in log, "管理员甲" in log) == (False, False)


async def test_a_hub_with_an_administrator_says_no_link(hub: Program) -> None:
    await until("the hub to listen", lambda: "hub_ready" in hub.tail())
    await hub.run("user", "add", "guan.li", "--name", "管理员甲", "--role", "administrator")
    await hub.stop()
    hub.log.unlink()
    await hub.start()
    await until("the hub to listen again", lambda: "hub_ready" in hub.tail())

    assert "/set-up/" not in hub.tail()
