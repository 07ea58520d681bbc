"""One changed row: how long until the hub shows it, and what travelled for it."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from node.home import NodeHome
from tests.bench import plain_replication
from tests.bench.county import County, begun, county, enrolled, node, settling, sites, until_applied
from tests.bench.figures import Figure, Scale, median, percentile
from tests.bench.rows import TITLE, Row, rows, write_workbook
from tests.bench.steady import drop, found_at_hub
from tests.servers import NatsServer

SETTLE_S = 0.2
"""Seconds that a file settles here: the wait is a setting and no part of what is measured."""

SMALL_ROWS = 20
"""Rows of the sheet whose single changes are timed: what lies behind the commit does not depend on it."""

POLL_S = 0.001
"""Seconds between two looks at both databases: the error of a latency."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change that arrived."""

    seconds: float
    events: int
    """Events that travelled."""


async def measure(scale: Scale, folder: Path) -> Sequence[Figure]:
    """A row of a large sheet, then many rows of a small one, one after the other."""
    floor = await _floor_ms(scale, folder / "floor")
    async with county(folder / "county") as here:
        first, second = await enrolled(here, sites(2))
        for home in (first, second):
            settling(home, SETTLE_S)
        async with node(first):
            large = await _large_sheet(here, first, scale)
        async with node(second):
            ours = await _single_changes_ms(here, second, scale.changes)
    return [
        Figure(
            bench="change",
            what=f"one row of {scale.rows:,}: settled → visible at the hub",
            unit="s",
            ours=median([one.seconds for one in large]),
            target="≤ 2",
        ),
        Figure(
            bench="change", what="events that travelled", unit="", ours=max(one.events for one in large), target="1"
        ),
        *(
            Figure(
                bench="change",
                what=f"commit at the node → visible at the hub, p{percent}",
                unit="ms",
                ours=percentile(ours, percent),
                floor=percentile(floor, percent),
                target=target,
            )
            for percent, target in ((50, "≤ 20"), (99, "≤ 100"))
        ),
    ]


async def _floor_ms(scale: Scale, folder: Path) -> list[float]:
    folder.mkdir()
    server = NatsServer(folder / "nats")
    await server.start()
    try:
        return await plain_replication.latencies_ms(folder, server, scale.changes)
    finally:
        await server.stop()


def _changed(content: Sequence[Row], at: int, mark: str) -> list[Row]:
    changed = [*content[at]]
    changed[TITLE] = f"{changed[TITLE]}{mark}"
    return [*content[:at], tuple(changed), *content[at + 1 :]]


async def _large_sheet(here: County, home: NodeHome, scale: Scale) -> list[Change]:
    site, content, sheet = home.root.name, list(rows(scale.rows)), here.folder / "large.xlsx"
    write_workbook(sheet, content)
    await drop(sheet, home)
    await until_applied(here, site, scale.rows)
    changes = []
    for number in range(max(1, scale.rounds)):
        mark = f"更正{number}"
        await asyncio.to_thread(write_workbook, sheet, _changed(content, scale.rows // 2, mark))
        before = here.watermark(site)
        await drop(sheet, home)
        settled = await begun(home)
        done = await until_applied(here, site, before + 1)
        if found_at_hub(here, mark) != 1:
            raise RuntimeError("the changed row is not found at the hub")
        await asyncio.sleep(1)
        changes.append(Change(seconds=done - settled, events=here.watermark(site) - before))
    return changes


class CommittedChanges:
    """Single changes of a small sheet, each timed from the node's commit until the hub shows it."""

    def __init__(self, here: County, home: NodeHome) -> None:
        self._here = here
        self._home = home
        self._sheet = here.folder / "small.xlsx"
        self._content = list(rows(SMALL_ROWS))
        self._number = 0

    async def begin(self) -> None:
        """Have the sheet taken as it is."""
        write_workbook(self._sheet, self._content)
        await drop(self._sheet, self._home)
        await until_applied(self._here, self._home.root.name, SMALL_ROWS)

    async def one_ms(self) -> float:
        """Change a row; returns the milliseconds from the commit."""
        self._content = _changed(self._content, self._number % SMALL_ROWS, f"更正{self._number}")
        self._number += 1
        write_workbook(self._sheet, self._content)
        await drop(self._sheet, self._home)
        return await _committed_to_visible_ms(self._here, self._home)


async def _single_changes_ms(here: County, home: NodeHome, count: int) -> list[float]:
    changes = CommittedChanges(here, home)
    await changes.begin()
    return [await changes.one_ms() for _ in range(count)]


async def _committed_to_visible_ms(here: County, home: NodeHome) -> float:
    at_node = sqlite3.connect(f"file:{home.database}?mode=ro", uri=True)
    at_hub = sqlite3.connect(f"file:{here.home.database}?mode=ro", uri=True)
    with closing(at_node), closing(at_hub):
        before = _one(at_node, "SELECT seq FROM head")
        async with asyncio.timeout(60):
            while _one(at_node, "SELECT seq FROM head") == before:
                await asyncio.sleep(POLL_S)
            committed = time.monotonic()
            wanted = _one(at_node, "SELECT seq FROM head")
            while _one(at_hub, "SELECT position FROM watermark WHERE site = ?", home.root.name) < wanted:
                await asyncio.sleep(POLL_S)
    return (time.monotonic() - committed) * 1e3


def _one(connection: sqlite3.Connection, sql: str, *parameters: str) -> int:
    return int(connection.execute(sql, parameters).fetchone()[0])
