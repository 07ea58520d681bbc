"""First results of a lookup, from the index and live, with sites that hang and sites that are away.

    python -m tests.bench.lookup --sites 60 --rounds 30

Hub and sites are real stores in one process, joined by a bus in memory: what is measured is our own work, with the
audit line that each site writes to its disk before it answers. Beside it stand the raw floors of the same run: the
index searched by itself, and one site's search without policy and log.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from hub.searching.search import Query, search
from hub.window.lookup_views import LookupOrder
from node.search import find
from protocol.calls import Search
from protocol.limits import SCREEN_DEADLINE_S
from tests.window_county import CASE, DAY_MS, NOW_MS, County, county, row

HANGING = 5
"""Sites that never answer."""

AWAY = 20
"""Sites that are offline."""

ROWS = 20
"""Entries of each site."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, in milliseconds."""

    sites: int
    rounds: int
    index_p50: float
    index_p95: float
    index_floor_p50: float
    live_p50: float
    live_p95: float
    live_floor_p50: float
    all_answered_p95: float


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which so many lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def measured(root: Path, sites: int, rounds: int) -> Figures:
    """Build a county, ask it, and return the figures."""
    async with county(root, deadline_s=SCREEN_DEADLINE_S) as (made, stack):
        await _filled(made, stack, sites)
        index: list[float] = []
        live: list[float] = []
        answered: list[float] = []
        for number in range(rounds):
            first, hits, last = await _asked(made, number, sites - HANGING - AWAY)
            index.append(first)
            live.append(hits)
            answered.append(last)
        index_floor = [await _index_alone(made, number) for number in range(rounds)]
        site_floor = [await _site_alone(made, number) for number in range(rounds)]
    return Figures(
        sites=sites,
        rounds=rounds,
        index_p50=statistics.median(index),
        index_p95=percentile(index, 0.95),
        index_floor_p50=statistics.median(index_floor),
        live_p50=statistics.median(live),
        live_p95=percentile(live, 0.95),
        live_floor_p50=statistics.median(site_floor),
        all_answered_p95=percentile(answered, 0.95),
    )


async def _filled(made: County, stack: AsyncExitStack, sites: int) -> None:
    for number in range(sites):
        rows = [row(one, f"第{one}号山林承包合同", f"19{80 + one % 20}0101") for one in range(1, ROWS + 1)]
        end = await made.add(stack, f"330523108{number + 201:03d}", f"第{number}村档案室", rows)
        if number < HANGING:
            end.hangs = True
        elif number < HANGING + AWAY:
            await end.go()


async def _asked(made: County, number: int, expected: int) -> tuple[float, float, float]:
    """Return after how many ms the index's hits were there, those of the first site, and those of the last."""
    order = LookupOrder(
        lookup_id=uuid.uuid4(),
        case=CASE,
        query=Query(words=f"第{number % ROWS + 1}号山林承包"),
        asked_by="bench",
        expires_at_ms=NOW_MS + DAY_MS,
    )
    began = time.perf_counter()
    first = live = last = 0.0
    async for view in made.desk.start(order):
        now = (time.perf_counter() - began) * 1000
        spoken = sum(one.answered_at_ms is not None for one in view.sites)
        first = first or now
        live = live or (now if spoken else 0.0)
        if spoken >= expected and not last:
            last = now
    return first, live, last


async def _index_alone(made: County, number: int) -> float:
    began = time.perf_counter()
    query = Query(words=f"第{number % ROWS + 1}号山林承包", limit=200)
    await made.database.read(lambda connection: search(connection, query))
    return (time.perf_counter() - began) * 1000


async def _site_alone(made: County, number: int) -> float:
    end = list(made.sites.values())[-1]
    began = time.perf_counter()
    await find(end.node.database, Search(asker="b", question="q", query=f"第{number % ROWS + 1}号山林承包"))
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=60, help=f"more than {HANGING + AWAY}")
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="danglian-lookup-") as folder:
        figures = asyncio.run(measured(Path(folder), args.sites, args.rounds))
    f = figures
    print(f"{f.sites} sites ({HANGING} hang, {AWAY} away), {f.rounds} rounds")
    print(
        f"first results of the index   p50 {f.index_p50:.0f} ms, p95 {f.index_p95:.0f} ms (goal 300);"
        f" {f.index_p50 / f.index_floor_p50:.1f} × the index alone ({f.index_floor_p50:.1f} ms)"
    )
    print(
        f"first results live           p50 {f.live_p50:.0f} ms, p95 {f.live_p95:.0f} ms (goal 1000);"
        f" {f.live_p50 / f.live_floor_p50:.1f} × one site without policy and log ({f.live_floor_p50:.1f} ms)"
    )
    print(f"last site that answers       p95 {f.all_answered_p95:.0f} ms")


if __name__ == "__main__":
    main()
