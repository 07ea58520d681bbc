"""The main thread with real parts: a dropped sheet, the search at the hub, live, and at each end without the other."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from protocol.limits import HEARTBEAT_S, OFFLINE_AFTER_S
from tests.system.programs import Program, until

pytestmark = pytest.mark.timeout(180)

VILLAGE = "330523108204"
TOWN = "330523108000"

SHEET = """\
档号,题名,责任者,文号,日期,保管期限,页数
Z109-WS·2011·Y-BGS-0001,关于王家坞山林承包合同的批复,天荒坪镇人民政府,天政发〔2011〕3号,2011.3.5,永久,4
Z109-WS·2011·Y-BGS-0002,關於余村林權證的通知,天荒坪镇人民政府,天政发〔2011〕4号,2011年3月,永久,2
Z109-WS·2011·Y-BGS-0003,机密事项登记,天荒坪镇人民政府,,2011,永久,1
"""


@pytest.fixture
async def hub(tmp_path: Path, free_port: Callable[[], int], store_of_homes: str) -> AsyncIterator[Program]:
    program = Program("hub", tmp_path / "hub")
    await program.run(
        *("init", "--county", "330523000000", "--name", "安吉县档案馆", "--host", "127.0.0.1", "--listen", "127.0.0.1"),
        *("--port", str(free_port()), "--enrol-port", str(free_port())),
    )
    await program.start()
    try:
        await until("the hub to listen", lambda: "hub_ready" in program.tail())
        yield program
    finally:
        assert await program.stop() == 0, program.tail()


async def joined(hub: Program, stack: AsyncExitStack, home: Path, site: str) -> Program:
    """Enrol a site's node and start it."""
    settings = (hub.home / "hub.toml").read_text(encoding="utf-8")
    door = next(line for line in settings.split("[enrolment]")[1].splitlines() if line.startswith("port")).split("=")[1]
    issued = await hub.json("enrol", site, "--name", "档案室")
    node = Program("node", home)
    await node.run("init", "--hub", f"127.0.0.1:{door.strip()}", "--code", issued["code"])
    await node.start()
    stack.push_async_callback(node.stop)
    return node


async def found(hub: Program, query: str, *options: str) -> list[str]:
    """Return the titles that the hub finds."""
    answer = await hub.json("search", query, *options, expect=None)
    return [hit["title"] for hit in answer["hits"]]


async def test_a_dropped_sheet_is_found_at_the_hub_live_and_at_the_node_alone(hub: Program, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        village = await joined(hub, stack, tmp_path / "village", VILLAGE)
        town = await joined(hub, stack, tmp_path / "town", TOWN)
        (village.home / "catalogues" / "目录.csv").write_bytes(SHEET.encode("gb18030"))

        await until("the sheet to be searchable", lambda: found(hub, "林权"))
        assert await found(hub, "林权") == ["關於余村林權證的通知"]
        assert await found(hub, "山林 承包 2011") == ["关于王家坞山林承包合同的批复"]

        live = await hub.json("search", "山林", "--live")
        outcomes = {site["site"]: site["outcome"] for site in live["sites"]}
        assert (outcomes[VILLAGE], outcomes[TOWN]) == ("answered", "nothing")

        await until("both sites to be proven equal", lambda: equal(hub))

        await town.stop()
        silent = await hub.json("search", "山林", "--live")
        outcomes = {site["site"]: site["outcome"] for site in silent["sites"]}
        assert outcomes[VILLAGE] == "answered"
        assert outcomes[TOWN] in ("late", "offline")
        assert silent["complete"] is False

        await hub.stop()
        alone = await village.json("search", "山林")
        assert [hit["record"]["title"] for hit in alone["hits"]] == ["关于王家坞山林承包合同的批复"]


async def test_a_node_that_is_stopped_in_order_is_offline_at_once_and_a_killed_one_is_late(
    hub: Program, tmp_path: Path
) -> None:
    """Without a goodbye the county waits for a closed office until it was silent for ``OFFLINE_AFTER_S``."""
    async with AsyncExitStack() as stack:
        town = await joined(hub, stack, tmp_path / "town", TOWN)
        await until("the town to answer", lambda: outcome_is(hub, "nothing"))

        assert await town.stop() == 0
        await until("the board to hear the goodbye", lambda: is_stopped(hub))
        answer = await hub.json("search", "山林", "--live")
        said = town_in(answer)
        assert (said["outcome"], said["reason"]["en"]) == ("offline", "the site's program stopped and said so")
        assert (answer["complete"], answer["outcomes"]) == (False, {"offline": 1})

        await town.start()
        await until("the town to answer again", lambda: outcome_is(hub, "nothing"))
        assert not await is_stopped(hub)

        killed_at = time.monotonic()
        await town.kill()
        said = town_in(await hub.json("search", "山林", "--live"))
        assert "reason" not in said
        # On a machine that is very busy, it may have been silent for long enough by now.
        assert said["outcome"] == "late" or time.monotonic() - killed_at > OFFLINE_AFTER_S - HEARTBEAT_S
        assert not await is_stopped(hub)


def town_in(answer: Any) -> Any:  # noqa: ANN401 - a command's answer
    """Return what a live search says of the town."""
    (said,) = [site for site in answer["sites"] if site["site"] == TOWN]
    return said


async def outcome_is(hub: Program, outcome: str) -> bool:
    """Tell whether a live search ends so for the town."""
    return bool(town_in(await hub.json("search", "山林", "--live", expect=None))["outcome"] == outcome)


async def is_stopped(hub: Program) -> bool:
    """Tell whether the board knows that the town said goodbye; then its word is offline."""
    line = town_in(await hub.json("sites"))
    stopped = bool(line.get("stopping", False))
    assert not stopped or line["word"] == "offline"
    return stopped


async def equal(hub: Program) -> bool:
    """Tell whether the hub proves that it agrees with every site."""
    report = await hub.json("verify", expect=None)
    return all(site["state"] == "equal" for site in report["sites"])
