"""A node daemon that has nothing to do, with a full store: memory, processor time, and how soon it is ready.

Node and floors run in the Python of a village (``village.py``); the figure says if that was not to be had.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from node.home import NodeHome
from tests.bench.county import County, county, enrolled, node, sites, until_applied, until_read
from tests.bench.figures import Figure, Scale, median
from tests.bench.plain_processes import BARE, IMPORTED, STARTS, floor, import_s, watched
from tests.bench.rows import rows, write_workbook
from tests.bench.steady import drop
from tests.bench.village import village


async def measure(scale: Scale, folder: Path) -> Sequence[Figure]:
    """The floors, then a node that loaded its sheet, was stopped, and runs again beside a running hub."""
    made = await village(folder)
    python = made.python
    bare = await floor(folder, BARE, 1, python)
    imported = await floor(folder, IMPORTED, scale.idle_s, python)
    imports = await import_s(folder, python)
    async with county(folder / "county") as here:
        (home,) = await enrolled(here, sites(1))
        await _loaded(here, home, scale.rows, python)
        starts = [await _start_s(home, python) for _ in range(STARTS)]
        async with node(home, python) as program:
            idle = await watched(program.pid, scale.idle_s)
    what = f"node with {scale.rows:,} records ({made.packages}), idle: "
    return [
        Figure(
            bench="idle",
            what=f"{what}peak resident",
            unit="MB",
            ours=idle.peak_rss_mb,
            floor=imported.peak_rss_mb,
            peer=bare.peak_rss_mb,
            peer_name="bare Python",
            target="≤ 80",
        ),
        Figure(
            bench="idle",
            what=f"{what}processor time",
            unit="ms/min",
            ours=idle.cpu_ms_a_minute,
            floor=imported.cpu_ms_a_minute,
            target="≤ 100",
        ),
        Figure(bench="idle", what=f"{what}wake-ups", unit="1/s", ours=idle.wake_ups_a_second),
        Figure(bench="idle", what="start → ready", unit="s", ours=median(starts), floor=imports, target="≤ 1.5"),
    ]


async def _loaded(here: County, home: NodeHome, count: int, python: Path) -> None:
    sheet = here.folder / "sheet.xlsx"
    write_workbook(sheet, rows(count))
    async with node(home, python):
        await drop(sheet, home)
        await until_applied(here, home.root.name, count)
        # The hub has everything a moment before the node has noted that the file is read: a node that is stopped
        # between the two reads it once more at its next start, and would not be idle.
        await until_read(home)


async def _start_s(home: NodeHome, python: Path) -> float:
    started = time.monotonic()
    async with node(home, python):
        return time.monotonic() - started
