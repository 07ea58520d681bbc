"""Fairness: what one site's million rows do to the others, and to the memory of both ends."""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Sequence
from pathlib import Path

from node.home import NodeHome
from tests.bench.change import CommittedChanges
from tests.bench.county import (
    county,
    enrolled,
    logged,
    node,
    nodes_running,
    settling,
    sites,
    until_applied,
)
from tests.bench.figures import Figure, Scale, percentile
from tests.bench.programs import peak_rss_mb
from tests.bench.sheets import IMPORTED_S, ROWS_FACTOR, SETTLE_S, until_minted, write_sheet

BACKLOG_SHEETS = 4
"""Large sheets of the backlog: a million rows at the usual scale."""

CROWD = 24
"""Sites that come back with a backlog each at the same moment."""


async def measure(scale: Scale, folder: Path) -> Sequence[Figure]:
    """One site with a large backlog, then many with a small one."""
    return [*await _backlog(scale, folder / "backlog"), *await _crowd(scale, folder / "crowd")]


# One site with a million rows


async def _backlog(scale: Scale, folder: Path) -> list[Figure]:
    async with county(folder) as here:
        busy, other = await enrolled(here, sites(2))
        for home in (busy, other):
            settling(home, SETTLE_S)
    sheet = scale.rows * ROWS_FACTOR
    total = sheet * BACKLOG_SHEETS
    piled_mb = await _pile_up(busy, sheet)
    async with county(folder) as here, node(other) as quiet_node:
        changes = CommittedChanges(here, other)
        await changes.begin()
        quiet = [await changes.one_ms() for _ in range(min(scale.changes, 30))]
        hub_before_mb = peak_rss_mb(here.hub.pid)
        began = time.monotonic()
        async with node(busy) as program:
            applied = asyncio.create_task(until_applied(here, busy.root.name, total, IMPORTED_S))
            delayed = await _changes_until(changes, applied)
            rate = total / (time.monotonic() - began)
            sending_mb = peak_rss_mb(program.pid)
        hub_mb, broker_mb = peak_rss_mb(here.hub.pid), peak_rss_mb(here.broker_pid)
        quiet_mb = peak_rss_mb(quiet_node.pid)
    what = f"while {total:,} rows of another site arrive"
    return [
        *_delays(what, quiet, delayed),
        Figure(bench="fairness", what=f"{what}: rows applied", unit="rows/s", ours=rate),
        _memory(f"node, hub gone, {sheet:,} → {total:,} rows piled up", piled_mb[-1], piled_mb[0], "after a quarter"),
        _memory(f"node, sending {total:,} rows", sending_mb, quiet_mb, "a quiet node"),
        _memory(f"hub, {what}", hub_mb, hub_before_mb, "before"),
        _memory(f"broker, {what}", broker_mb, None, ""),
    ]


async def _pile_up(home: NodeHome, sheet: int) -> list[float]:
    """Have a node take sheet after sheet with its hub gone; returns its peak memory after each."""
    peaks = []
    async with node(home) as program:
        for number in range(1, BACKLOG_SHEETS + 1):
            seen = program.log.stat().st_size
            await asyncio.to_thread(write_sheet, home, f"sheet-{number}", sheet, number)
            await until_minted(home, sheet * number)
            await logged(program, "file_read", seen)
            peaks.append(peak_rss_mb(program.pid))
    return peaks


async def _changes_until(changes: CommittedChanges, done: asyncio.Task[float]) -> list[float]:
    """Make one change after the other until something else is done; returns what each took."""
    delayed = []
    while not done.done():
        delayed.append(await changes.one_ms())
    await done
    return delayed


def _delays(what: str, quiet: Sequence[float], delayed: Sequence[float]) -> list[Figure]:
    return [
        Figure(
            bench="fairness",
            what=f"{what}: a single change, commit → visible, {name} of {len(delayed)}",
            unit="s",
            ours=percentile(delayed, percent) / 1e3,
            peer=percentile(quiet, percent) / 1e3,
            peer_name="quiet",
            target=target,
        )
        for percent, name, target in ((50, "p50", ""), (100, "the longest", "≤ 5"))
    ]


def _memory(what: str, ours: float, peer: float | None, peer_name: str) -> Figure:
    return Figure(
        bench="fairness",
        what=f"peak resident: {what}",
        unit="MB",
        ours=ours,
        peer=peer,
        peer_name=peer_name,
        target="bounded",
    )


# Many sites that come back at once


async def _crowd(scale: Scale, folder: Path) -> list[Figure]:
    each = max(1, scale.rows // 5)
    async with county(folder) as here:
        other, *crowd = await enrolled(here, sites(1 + CROWD))
        for home in (other, *crowd):
            settling(home, SETTLE_S)
    for number, home in enumerate(crowd, 1):
        write_sheet(home, "sheet", each, number)
    async with nodes_running(folder, crowd, "crowd"):
        for home in crowd:
            await until_minted(home, each)
    async with county(folder) as here, node(other):
        changes = CommittedChanges(here, other)
        await changes.begin()
        quiet = [await changes.one_ms() for _ in range(min(scale.changes, 10))]
        async with nodes_running(folder, crowd, "crowd"):
            waiting = (until_applied(here, home.root.name, each, IMPORTED_S) for home in crowd)
            applied = asyncio.create_task(_all(waiting))
            delayed = await _changes_until(changes, applied)
    return _delays(f"while {CROWD} sites bring {each:,} rows each at once", quiet, delayed)


async def _all(waiting: Iterable[Awaitable[float]]) -> float:
    return max(await asyncio.gather(*waiting))
