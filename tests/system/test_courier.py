"""Courier bundles with the real programs: a site that no line reaches is a full member, and stays one on the line."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.system.programs import Program, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

VILLAGE = "330523108204"

HEADER = "档号,题名,责任者,文号,日期,保管期限,页数\n"
FIRST = "Z109-WS·2011·Y-BGS-0001,关于王家坞山林承包合同的批复,天荒坪镇人民政府,天政发〔2011〕3号,2011.3.5,永久,4\n"
SECOND = "Z109-WS·2011·Y-BGS-0002,关于余村林权证的通知,天荒坪镇人民政府,天政发〔2011〕4号,2011年3月,永久,2\n"
THIRD = "Z109-WS·2011·Y-BGS-0003,关于茶园改造的请示,天荒坪镇人民政府,天政发〔2011〕5号,2011年4月,永久,2\n"


@pytest.fixture
async def hub(tmp_path: Path, free_port: Callable[[], int]) -> AsyncIterator[Program]:
    program = Program("hub", tmp_path / "hub")
    await program.run(
        *("init", "--county", "330523000000", "--name", "安吉县档案馆", "--host", "127.0.0.1", "--listen", "127.0.0.1"),
        *("--port", str(free_port()), "--enrol-port", str(free_port())),
    )
    try:
        yield program
    finally:
        await program.stop()


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "U盘"
    folder.mkdir()
    return folder


async def board_line(hub: Program) -> dict[str, Any]:
    (line,) = (await hub.json("sites"))["sites"]
    return dict(line)


async def status(node: Program) -> dict[str, Any]:
    return dict(await node.json("status", expect=None))


async def titles(hub: Program, query: str) -> list[str]:
    answer = await hub.json("search", query, expect=None)
    return [hit["title"] for hit in answer["hits"]]


async def round_trip(node: Program, hub: Program, stick: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Carry a stick to the county and back; returns what each end said of what it took."""
    await node.json("bundle", "out", str(stick))
    taken = await hub.json("bundle", "in", str(stick))
    await hub.json("bundle", "out", str(stick))
    back = await node.json("bundle", "in", str(stick))
    return taken[-1], back[-1]


async def enrolled(node: Program, hub: Program, stick: Path) -> None:
    """Enrol a node that never sees a network."""
    issued = await hub.json("enrol", VILLAGE, "--name", "余村档案室", "--courier")
    await node.json("init", "--courier", str(stick), "--code", issued["code"])
    carried = b"".join(file.read_bytes() for file in stick.iterdir())
    assert issued["code"].encode() not in carried
    (admitted,) = await hub.json("bundle", "in", str(stick))
    assert (admitted["outcome"], admitted["site"]) == ("admitted", VILLAGE)
    await hub.json("bundle", "out", str(stick))
    county_key = (hub.home / "keys" / "county.key").read_bytes().strip()
    carried = b"".join(file.read_bytes() for file in stick.iterdir())
    assert county_key not in carried
    assert bytes.fromhex(county_key.decode()) not in carried
    (welcome,) = await node.json("bundle", "in", str(stick))
    assert (welcome["outcome"], welcome["site"]) == ("admitted", VILLAGE)
    assert (node.home / "keys" / "county.key").read_bytes().strip() == county_key


async def test_a_site_without_a_line_is_a_full_member_and_a_later_network_changes_nothing(
    hub: Program, tmp_path: Path, stick: Path
) -> None:
    """Enrolment, records, receipt, withdrawal and comparison travel by stick; then the network finds nothing to do."""
    node = Program("node", tmp_path / "village")
    await enrolled(node, hub, stick)
    assert (await board_line(hub))["word"] == "by_courier"
    await node.start()
    try:
        sheet = node.home / "catalogues" / "目录.csv"
        sheet.write_text(HEADER + FIRST + SECOND, encoding="utf-8")
        await until("the sheet to be taken", lambda: _has_records(node, 2))

        taken, back = await round_trip(node, hub, stick)
        assert (taken["outcome"], taken["compared"], back["outcome"]) == ("taken", "equal", "taken")
        assert await titles(hub, "林权") == ["关于余村林权证的通知"]
        assert (await status(node))["outbox_frames"] == 0
        line = await board_line(hub)
        assert (line["word"], line.get("lag", 0), line["hub_records"]) == ("by_courier", 0, 2)
        assert "in sync then" in await hub.run("sites")

        sheet.write_text(HEADER + FIRST + THIRD, encoding="utf-8")
        await until("the change to be taken", lambda: _has_title(node, "茶园"))
        await hub.start()
        await until("the hub to listen", lambda: "hub_ready" in hub.tail())
        await node.stop()
        # Now the hub runs and the node does not; the stick goes all the same.
        taken, _ = await round_trip(node, hub, stick)
        assert taken["compared"] == "equal"
        assert (await titles(hub, "林权"), await titles(hub, "茶园")) == ([], ["关于茶园改造的请示"])

        before = await board_line(hub)
        await node.start()
        await until("the site to be on the line and in sync", lambda: _is_in_sync(hub))
        after = await board_line(hub)
        assert (after["epoch"], after["applied"]) == (before["epoch"], before["applied"])
        assert (await titles(hub, "林权"), await titles(hub, "茶园")) == ([], ["关于茶园改造的请示"])

        # Every old bundle again, from both ends: all is known.
        again = await hub.json("bundle", "in", str(stick))
        assert {one["outcome"] for one in again} == {"repeated"}
        returned = await node.json("bundle", "in", str(stick))
        assert {one["outcome"] for one in returned} <= {"repeated", "older"}
        assert (await board_line(hub))["applied"] == before["applied"]
    finally:
        await node.stop()


async def _has_records(node: Program, count: int) -> bool:
    return bool((await status(node))["records"] == count)


async def _has_title(node: Program, word: str) -> bool:
    return bool((await node.json("search", word))["total"])


async def _is_in_sync(hub: Program) -> bool:
    return bool((await board_line(hub))["word"] == "in_sync")


async def test_what_is_not_for_us_is_refused_in_words_and_the_rest_is_taken(
    hub: Program, tmp_path: Path, stick: Path
) -> None:
    node = Program("node", tmp_path / "village")
    await enrolled(node, hub, stick)
    (reply,) = stick.glob("hub-to-*.dlb")
    code, out, _ = await hub.result("bundle", "in", str(reply))
    assert code == 1
    assert "to be taken at its site" in out
    (application,) = stick.glob("application-*.dlb")
    code, out, _ = await node.result("bundle", "in", str(application))
    assert code == 1
    assert "to be taken at the hub" in out
    (stick / "zz.dlb").write_bytes(reply.read_bytes()[:-1])
    answer = json.loads((await hub.result("bundle", "in", str(stick), "--json"))[1])
    assert [(one["outcome"], one.get("fault", "")) for one in answer] == [
        ("refused", "incomplete"),
        ("repeated", ""),
    ]
