"""Requests at several windows while a large catalogue is imported: how long each change of a request's state takes.

    python -m tests.bench.windows --windows 4 --per-hour 400 --seconds 90 --rows 100000
    python -m tests.bench.windows --per-hour 200 --seconds 600 --rows 250000      # as the county would see it

A real hub with its console, real nodes, the bundled broker over TLS. Each window is a clerk who works through the
console's pages: submits a request (identity compared, accepted, put to the sites), waits until it is found, has the
rules decide, hands it over, closes it. Beside it one node imports a sheet; the run ends when both are done or the time
is over. A change is late if it is not on the disk, and its page not answered, within ``SCREEN_DEADLINE_S``; finding has
the sites' deadline and the hub's grace besides.
"""

import argparse
import asyncio
import csv
import os
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

import msgspec

from hub.staff.roles import Role
from node.home import NodeHome
from protocol.limits import SCREEN_DEADLINE_S
from tests.bench.clerks import ANSWER_S, asked, clerk, pieces
from tests.bench.county import (
    County,
    county,
    enrolled,
    fetched,
    head_of,
    node,
    settling,
    sites,
    until_applied,
    until_seen,
)
from tests.bench.figures import percentile
from tests.bench.programs import Load, running, worker
from tests.bench.rows import HEADINGS, TITLE, rows
from tests.bench.sheets import write_sheet
from tests.consoles import Browser, token_in
from tests.servers import free_port

HOLDERS = 4
"""Sites that hold what is asked for, beside the one that imports."""

RECORDS = 50
"""Records of each of them."""

WORDS = "界址协议"
"""What is asked for: nothing of it is in the imported sheet."""

FOUND_S = SCREEN_DEADLINE_S + 1.0
"""Seconds within which a request must be found: the sites' deadline and the grace for storing what they said."""

DEADLINES_S = {
    "submitted": SCREEN_DEADLINE_S,
    "shown": SCREEN_DEADLINE_S,
    "found": FOUND_S,
    "decided": SCREEN_DEADLINE_S,
    "delivered": SCREEN_DEADLINE_S,
    "closed": SCREEN_DEADLINE_S,
}
"""Seconds of each change, from what the clerk did; ``shown`` is the page with what the index has."""

COUNTED_S = 120.0
"""Seconds until the hub has counted what each site holds."""

BEGUN_S = 120.0
"""Seconds until the import's first rows are stored at its node."""

_OPENNESS = HEADINGS.index("开放标识")
_ENTRY = re.compile(r'name="entry" value="([^"]+)"')
_FOUND = ("已查到", "部分查到")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of change took."""

    name: str
    deadline_s: float
    count: int
    p50_s: float
    p95_s: float
    longest_s: float
    late: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured."""

    windows: int
    requests: int
    per_hour: float
    """Requests that were closed, in an hour at this pace."""
    waited: int
    """Requests that began late because every window was busy."""
    imported: int
    """Rows that were applied meanwhile."""
    rows_a_second: float
    changes: tuple[Change, ...]
    busy_cores: float
    load: float

    @property
    def late(self) -> int:
        """Changes that came late."""
        return sum(one.late for one in self.changes)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done."""

    windows: int
    per_hour: float
    seconds: float
    rows: int


class _Window:
    """The clerks of all windows, who share one queue of applicants."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._next = 0
        self.began = time.perf_counter()
        self.took: dict[str, list[float]] = defaultdict(list)
        self.closed = 0
        self.waited = 0

    async def work(self, browser: Browser) -> None:
        """Serve one applicant after the other, each when it comes, until the time is over."""
        gap_s = 3600 / self._plan.per_hour
        while True:
            due, self._next = self.began + self._next * gap_s, self._next + 1
            now = time.perf_counter()
            if due >= self.began + self._plan.seconds:
                return
            self.waited += now > due + gap_s
            await asyncio.sleep(max(0.0, due - now))
            await self._serve(browser)

    async def _serve(self, browser: Browser) -> None:
        shown = await asked(browser, WORDS)
        self.took["submitted"].append(shown.submitted_ms / 1e3)
        self.took["shown"].append((shown.shown_ms - shown.submitted_ms) / 1e3)
        if not any(word in shown.html for word in _FOUND):
            await self._until_found(browser, shown.stream)
        self.took["found"].append(time.perf_counter() - shown.began - shown.submitted_ms / 1e3)
        page = (await browser.get(shown.path)).text
        entry = _ENTRY.search(page)
        if entry is None:
            raise RuntimeError(f"nothing to decide on {shown.path}")
        await self._timed(browser, "decided", f"{shown.path}/review", page, entry=entry[1], relation="subject")
        await self._timed(browser, "delivered", f"{shown.path}/step", page, step="deliver")
        await self._timed(browser, "closed", f"{shown.path}/step", page, step="close")
        self.closed += 1

    async def _until_found(self, browser: Browser, stream: str) -> None:
        async with asyncio.timeout(ANSWER_S), aclosing(pieces(browser, stream)) as told:
            async for parts in told:
                if any(word in parts.get("request-state", "") for word in _FOUND):
                    return

    async def _timed(self, browser: Browser, name: str, path: str, page: str, **fields: str) -> None:
        began = time.perf_counter()
        answer = await browser.client.post(path, data={"token": token_in(page), **fields})
        self.took[name].append(time.perf_counter() - began)
        if answer.status_code != 303:
            raise RuntimeError(f"{path} {fields}: {answer.status_code}")


async def measured(folder: Path, plan: Plan) -> Figures:
    """Work at the windows beside an import, and return what each change took."""
    async with county(folder, web_port=free_port()) as here, AsyncExitStack() as stack:
        busy, *holders = await enrolled(here, sites(1 + HOLDERS))
        for number, home in enumerate(holders):
            settling(home, 0.2)
            _write_papers(home, number)
        settling(busy, 0.2)
        importing = await stack.enter_async_context(node(busy))
        holding = worker("nodes", *(home.root for home in holders))
        others = await stack.enter_async_context(running(*holding, log=folder / "holders.log"))
        await others.heard("ready")
        await _ready(here, holders)
        browsers = [
            await stack.enter_async_context(clerk(here, f"clerk.{number}", Role.CLERK))
            for number in range(plan.windows)
        ]
        before = here.watermark(busy.root.name)
        await asyncio.to_thread(write_sheet, busy, "import", plan.rows, 99)
        async with asyncio.timeout(BEGUN_S):
            while head_of(busy) == before:
                await asyncio.sleep(0.05)
        load, window = Load(), _Window(plan)
        async with asyncio.TaskGroup() as tasks:
            for browser in browsers:
                tasks.create_task(window.work(browser))
        seconds = time.perf_counter() - window.began
        applied = here.watermark(busy.root.name) - before
        busy_cores = load.busy_cores()
        del importing
    return Figures(
        windows=plan.windows,
        requests=window.closed,
        per_hour=window.closed / seconds * 3600,
        waited=window.waited,
        imported=applied,
        rows_a_second=applied / seconds,
        changes=tuple(_change(name, took) for name, took in window.took.items()),
        busy_cores=busy_cores,
        load=os.getloadavg()[0],
    )


async def _ready(here: County, holders: Sequence[NodeHome]) -> None:
    for home in holders:
        await until_applied(here, home.root.name, RECORDS)
    await until_seen(here, 1 + HOLDERS)
    async with asyncio.timeout(COUNTED_S):
        while fetched(here, "SELECT count(*) FROM site_holding_mark")[0][0] < HOLDERS:
            await asyncio.sleep(0.2)


def _write_papers(home: NodeHome, number: int) -> None:
    """Write a sheet of which one row, an open one, is what everybody asks for."""
    *others, last = rows(RECORDS, fonds=f"X{number:03d}", seed=number)
    cells = list(last)
    cells[TITLE], cells[_OPENNESS] = f"关于{WORDS}的批复（第{number}号）", "开放"
    with (home.catalogues / "sheet.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        writer.writerows([*others, cells])


def _change(name: str, took: Sequence[float]) -> Change:
    return Change(
        name=name,
        deadline_s=DEADLINES_S[name],
        count=len(took),
        p50_s=percentile(took, 50),
        p95_s=percentile(took, 95),
        longest_s=max(took),
        late=sum(one > DEADLINES_S[name] for one in took),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=4, help="clerks who work at the same time")
    parser.add_argument("--per-hour", type=float, default=400, help="requests that all of them together get in an hour")
    parser.add_argument("--seconds", type=float, default=90, help="for how long applicants come")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the sheet that is imported meanwhile")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    args = parser.parse_args()
    plan = Plan(windows=args.windows, per_hour=args.per_hour, seconds=args.seconds, rows=args.rows)
    with tempfile.TemporaryDirectory(prefix="danglian-windows-") as folder:
        f = asyncio.run(measured(Path(folder), plan))
    if args.json:
        print(msgspec.json.encode(f).decode())
        return
    print(f"{f.requests} requests at {f.windows} windows, {f.per_hour:.0f} an hour; {f.waited} had to wait for a clerk")
    print(f"imported meanwhile: {f.imported:,} rows, {f.rows_a_second:,.0f} a second")
    for one in f.changes:
        print(
            f"{one.name:10} p50 {one.p50_s:.2f} s, p95 {one.p95_s:.2f} s, longest {one.longest_s:.2f} s"
            f" (deadline {one.deadline_s:.0f} s): {one.late} of {one.count} late"
        )
    print(f"late changes: {f.late}; load {f.load:.1f}, {f.busy_cores:.1f} cores busy")


if __name__ == "__main__":
    main()
