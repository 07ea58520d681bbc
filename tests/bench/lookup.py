"""First results of a lookup on the screen, from the index and live, with sites that hang and sites that are away.

    python -m tests.bench.lookup --sites 232 --rounds 30

A real hub with its console, real nodes (several in a process), the bundled broker over TLS. A clerk sends a request
through the console's own pages: the page that comes back holds what the index has; what the sites say comes over the
page's stream. Each site writes its audit line to its disk before it answers; all of them share one disk here.
"""

import argparse
import asyncio
import csv
import os
import re
import signal
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

import msgspec

from hub.staff.roles import Role
from node.home import NodeHome
from tests.bench.clerks import Shown, asked, clerk, pieces
from tests.bench.county import (
    County,
    county,
    enrolled,
    fetched,
    nodes_running,
    settling,
    sites,
    until_applied,
    until_seen,
)
from tests.bench.figures import percentile
from tests.bench.programs import Load, Program, cpu_s
from tests.bench.rows import HEADINGS, TITLE, TOPIC, rows
from tests.consoles import Browser
from tests.servers import free_port

HANGING = 5
"""Sites that hear the question and never answer."""

AWAY = 20
"""Sites that are offline."""

PROCESSES = 3
"""Processes that share the nodes that answer."""

LOADED_S = 600.0
"""Seconds that all sites together may take until the hub has everything."""

COUNTED_S = 180.0
"""Seconds until the hub has counted what each site holds."""

STREAM_S = 30.0
"""Seconds after which a stream that tells nothing new is given up."""

PAUSE_S = 0.5
"""Seconds between the end of one question and the next."""

WARM_ROUNDS = 2
"""Questions before the measured ones."""

_LIVE = "tag live-tag"
_COPY = '<ul class="finds">'
_SPOKEN = re.compile(r"(?:有|没有|拒绝答复) <b>(\d+)</b>")
_ASKING = re.compile(r"正在问 <b>")


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What one question took, in milliseconds from sending it."""

    index: float
    live: float
    answered: float
    """When the last of the sites that answered in time stood on the screen."""
    spoken: int
    """How many did."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, in milliseconds."""

    sites: int
    rounds: int
    index_p50: float
    index_p95: float
    live_p50: float
    live_p95: float
    answered_p50: float
    answered_p95: float
    spoken: int
    """Sites that answered in time, fewest; the others answer by letter."""
    hub_cpu: float
    """Processor time of the hub for one question."""
    nodes_cpu: float
    """Processor time of all nodes for one question."""
    busy_cores: float
    """Cores in use on the machine meanwhile, this benchmark's own among them."""
    load: float
    """The machine's load average at the end."""


async def measured(root: Path, count: int, rounds: int, records: int, words: str) -> Figures:
    """Build a county, ask it, and return the figures."""
    async with county(root, web_port=free_port()) as here, AsyncExitStack() as stack:
        homes = await enrolled(here, sites(count))
        for number, home in enumerate(homes):
            settling(home, 0.2)
            _write_sheet(home, number, records)
        nodes = await _started(stack, here, homes, records)
        browser = await stack.enter_async_context(clerk(here, "lin.min", Role.CLERK))
        os.kill(nodes[0].pid, signal.SIGSTOP)
        stack.callback(os.kill, nodes[0].pid, signal.SIGCONT)
        answering = count - HANGING - AWAY
        for _ in range(WARM_ROUNDS):
            await _round(browser, words, answering)
        load, hub_s, nodes_s = Load(), cpu_s(here.hub.pid), sum(cpu_s(one.pid) for one in nodes)
        taken = [await _round(browser, words, answering) for _ in range(rounds)]
        busy = load.busy_cores()
        hub_s, nodes_s = cpu_s(here.hub.pid) - hub_s, sum(cpu_s(one.pid) for one in nodes) - nodes_s
    return _figures(count, taken, hub_s, nodes_s, busy)


async def _started(stack: AsyncExitStack, here: County, homes: Sequence[NodeHome], records: int) -> list[Program]:
    """Start all nodes, wait until the hub has and counted everything, stop those that are to be away."""
    hanging = await stack.enter_async_context(nodes_running(here.folder, homes[:HANGING], "hanging"))
    rest = homes[HANGING + AWAY :]
    parts = [nodes_running(here.folder, rest[part::PROCESSES], f"part-{part}") for part in range(PROCESSES)]
    nodes = [hanging, *[await stack.enter_async_context(part) for part in parts]]
    async with nodes_running(here.folder, homes[HANGING : HANGING + AWAY], "away"):
        for home in homes:
            await until_applied(here, home.root.name, records, LOADED_S)
        await until_seen(here, len(homes))
    async with asyncio.timeout(COUNTED_S):
        while fetched(here, "SELECT count(*) FROM site_holding_mark")[0][0] < len(homes):
            await asyncio.sleep(0.2)
    return nodes


def _write_sheet(home: NodeHome, number: int, records: int) -> None:
    with (home.catalogues / "sheet.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        *others, last = rows(records, fonds=f"X{number:03d}", seed=number)
        # Every site holds something of the topic, so that every site is asked.
        writer.writerows([*others, (*last[:TITLE], f"关于{TOPIC}的协议书（第{number}号）", *last[TITLE + 1 :])])


async def _round(browser: Browser, words: str, answering: int) -> Round:
    shown = await asked(browser, words)
    if _COPY not in shown.html:
        raise RuntimeError("the page shows nothing of the index")
    taken = await _heard(browser, shown, answering)
    # The hanging sites are given up and the question goes to them by letter: not while the next one is timed.
    await asyncio.sleep(max(0.0, 3.0 - (time.perf_counter() - shown.began)) + PAUSE_S)
    return taken


async def _heard(browser: Browser, shown: Shown, answering: int) -> Round:
    """Hear until the answer of every site that answers stands on the screen, or none is waited for any more."""
    live, spoken = shown.shown_ms if _LIVE in shown.html else 0.0, 0
    async with asyncio.timeout(STREAM_S), aclosing(pieces(browser, shown.stream)) as told:
        async for parts in told:
            html = parts.get("request-lookups", "")
            if not live and _LIVE in html:
                live = _since(shown)
            spoken = max(spoken, sum(map(int, _SPOKEN.findall(html))))
            if spoken >= answering or (html and not _ASKING.search(html)):
                break
    return Round(index=shown.shown_ms, live=live, answered=_since(shown), spoken=spoken)


def _since(shown: Shown) -> float:
    return (time.perf_counter() - shown.began) * 1e3


def _figures(count: int, taken: Sequence[Round], hub_s: float, nodes_s: float, busy: float) -> Figures:
    def at(field: str, percent: float) -> float:
        return percentile([getattr(one, field) for one in taken], percent)

    return Figures(
        sites=count,
        rounds=len(taken),
        index_p50=at("index", 50),
        index_p95=at("index", 95),
        live_p50=at("live", 50),
        live_p95=at("live", 95),
        answered_p50=at("answered", 50),
        answered_p95=at("answered", 95),
        spoken=min(one.spoken for one in taken),
        hub_cpu=hub_s * 1e3 / len(taken),
        nodes_cpu=nodes_s * 1e3 / len(taken),
        busy_cores=busy,
        load=os.getloadavg()[0],
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=60, help=f"more than {HANGING + AWAY}")
    parser.add_argument("--rounds", type=int, default=20, help="questions, one after the other")
    parser.add_argument("--records", type=int, default=40, help="entries of each site")
    parser.add_argument("--words", default=TOPIC, help="what is asked for; found in 25 of 1,000 entries")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="danglian-lookup-") as folder:
        f = asyncio.run(measured(Path(folder), args.sites, args.rounds, args.records, args.words))
    if args.json:
        print(msgspec.json.encode(f).decode())
        return
    print(f"{f.sites} sites ({HANGING} hang, {AWAY} away), {f.rounds} rounds; {f.spoken} answered in time at least")
    print(f"first results of the index on the screen  p50 {f.index_p50:.0f} ms, p95 {f.index_p95:.0f} ms (goal 300)")
    print(f"first results live on the screen          p50 {f.live_p50:.0f} ms, p95 {f.live_p95:.0f} ms (goal 1000)")
    print(f"last site that answers on the screen      p50 {f.answered_p50:.0f} ms, p95 {f.answered_p95:.0f} ms")
    print(f"processor time of a question              hub {f.hub_cpu:.0f} ms, nodes {f.nodes_cpu:.0f} ms")
    print(f"the machine: load {f.load:.1f}, {f.busy_cores:.1f} cores busy")


if __name__ == "__main__":
    main()
