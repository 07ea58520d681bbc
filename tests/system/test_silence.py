"""What the hub sees of a real broker: refused keys, what waits in the stream; and what it tells monitors of itself."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from hub.alarm.health import HubReport
from hub.alarm.refusals import Refusals
from tests.system.programs import Program, until

pytestmark = pytest.mark.timeout(120)

VILLAGE = "330523108204"
SHEET = "档号,题名,日期\nZ109-WS·2011·Y-BGS-0001,关于山林承包合同的批复,2011\n"


@pytest.fixture
async def hub(tmp_path: Path, free_port: Callable[[], int]) -> AsyncIterator[Program]:
    program = Program("hub", tmp_path / "hub")
    await program.run(
        *("init", "--county", "330523000000", "--name", "安吉县档案馆", "--host", "127.0.0.1", "--listen", "127.0.0.1"),
        *("--port", str(free_port()), "--enrol-port", str(free_port()), "--web-port", str(free_port())),
    )
    await program.start()
    try:
        await until("the hub to listen", lambda: "hub_ready" in program.tail())
        yield program
    finally:
        assert await program.stop() == 0, program.tail()


def port_of(hub: Program, table: str) -> int:
    settings = (hub.home / "hub.toml").read_text(encoding="utf-8").split(f"[{table}]")[1]
    return int(next(line for line in settings.splitlines() if line.startswith("port")).split("=")[1])


async def status_of(hub: Program) -> int:
    """Ask /health as a monitor does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(hub, "web"))
    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(10):
        head = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1])


def report_of(hub: Program) -> HubReport:
    with closing(sqlite3.connect(hub.home / "hub.db")) as raw:
        row = raw.execute("SELECT report FROM hub_report").fetchone()
    return msgspec.json.decode(row[0], type=HubReport) if row else HubReport()


async def test_a_running_hub_is_healthy_and_knows_its_broker_and_its_node(hub: Program, tmp_path: Path) -> None:
    issued = await hub.json("enrol", VILLAGE, "--name", "档案室")
    node = Program("node", tmp_path / "node")
    await node.run("init", "--hub", f"127.0.0.1:{port_of(hub, 'enrolment')}", "--code", issued["code"])
    (node.home / "catalogues" / "目录.csv").write_text(SHEET, encoding="utf-8")
    await node.start()
    try:
        taken = await until("the hub to see its stream", lambda: seen_of_stream(hub))
        line = (await hub.json("sites"))["sites"][0]
        checks = {check["name"]: check["standing"] for check in (await hub.json("health"))["checks"]}
        healthy = (await status_of(hub), {name for name, standing in checks.items() if standing != "ok"})
        refusals = Refusals(hub.home / "broker" / "broker.log")
        key = (await hub.json("nodes"))["nodes"][0]["public_key"]
        await hub.run("revoke", VILLAGE, "--because", "遗失")
        refused = await until("the broker to refuse the key", refusals.read)
    finally:
        await node.stop()

    # Nobody has named a backup target: the hub does its work, and a person should look.
    assert (taken.broker.is_connected, taken.broker.pending, healthy) == (True, 0, (200, {"backups"}))
    assert line["word"] != "offline"
    assert refused == {key}


def seen_of_stream(hub: Program) -> HubReport | None:
    report = report_of(hub)
    return report if report.broker.last and not report.broker.pending else None


async def test_a_node_declares_its_rhythm_and_the_hub_keeps_it(hub: Program, tmp_path: Path) -> None:
    issued = await hub.json("enrol", VILLAGE, "--name", "档案室")
    node = Program("node", tmp_path / "node")
    await node.run("init", "--hub", f"127.0.0.1:{port_of(hub, 'enrolment')}", "--code", issued["code"])
    with (node.home / "node.toml").open("a", encoding="utf-8") as settings:
        settings.write('\n[rhythm]\noffice-hours = ["2-4 10:00-11:00"]\nheartbeat-s = 5\n')
    await node.start()
    try:
        rhythm = await until("the rhythm to arrive", lambda: rhythm_of(hub))
    finally:
        await node.stop()

    assert rhythm == {"hours": [{"days": [2, 3, 4], "opens": 600, "closes": 660}], "heartbeat_s": 5.0}


def rhythm_of(hub: Program) -> object:
    with closing(sqlite3.connect(hub.home / "hub.db")) as raw:
        row = raw.execute("SELECT rhythm FROM node_state WHERE site = ?", (VILLAGE,)).fetchone()
    return msgspec.json.decode(row[0]) if row and row[0] else None
