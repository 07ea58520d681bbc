"""The console under load: signed-in people page and search while rows arrive.

    python -m tests.bench.console --entries 50000 --people 50 --arriving 10000 --seconds 30

Prints how long pages took, how far apart the outlooks of the live pages were, and the memory of the process. People
and hub share this process, so the figures are upper bounds. Five million entries take an hour to fill in.
"""

import argparse
import asyncio
import itertools
import random
import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from hub.staff.roles import Role
from hub.staff.tokens import Scope
from protocol.vocabularies import AccessStatus
from tests.catalogue import described, fictitious
from tests.consoles import Browser, Desk, desk, fill_county
from tests.hubs import Hub
from tests.interfaces import asking

FRAME_EVENTS = 500
"""Events of a frame, as sites send them."""

THINKING_S = 2.0
"""Seconds between two clicks of one person."""

WORDS = ("林地承包合同", "宅基地审批", "茶园改造 1986", "山林权属纠纷", "饮用水工程")


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured."""

    entries: int
    people: int
    pages: int
    page_p50_ms: float
    page_p95_ms: float
    outlook_gap_p95_ms: float
    arrived: int
    memory_mib: float
    failures: int


def p(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of all lie."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def memory_mib() -> float:
    """Return the resident memory of this process."""
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


async def measured(folder: Path, entries: int, people: int, arriving: int, seconds: float) -> Figures:
    """Fill a hub and load it."""
    async with desk(folder, fill=fill_county) as here:
        await _tell(here, 1, entries)
        # Everybody comes from one address here, which the throttles would slow down.
        here.backstage.requests._burst = here.backstage.attempts._burst = 1e9
        browsers = [await here.signed_in(Role.ARCHIVIST, login=f"person.{number}") for number in range(people)]
        took, feed, failures, end = list[float](), list[float](), list[int](), time.monotonic() + seconds
        async with asyncio.TaskGroup() as tasks, await asking(here, Scope.CATALOGUE_CLOSED) as system:
            for number, browser in enumerate(browsers):
                tasks.create_task(_person(browser, system.headers["authorization"], number, end, took, failures))
            tasks.create_task(_watcher(here, end, feed))
            arrived = await _arriving(here, entries + 1, arriving, end)
        for browser in browsers:
            await browser.close()
        return Figures(
            entries=entries,
            people=people,
            pages=len(took),
            page_p50_ms=1000 * p(took, 0.5),
            page_p95_ms=1000 * p(took, 0.95),
            outlook_gap_p95_ms=1000 * p(feed, 0.95),
            arrived=arrived,
            memory_mib=memory_mib(),
            failures=len(failures),
        )


async def _person(
    browser: Browser, token: str, number: int, end: float, took: list[float], failures: list[int]
) -> None:
    chance = random.Random(number)
    paths = itertools.cycle(("/today", "/sites", "/api/v1/search"))
    while time.monotonic() < end:
        await asyncio.sleep(chance.random() * 2 * THINKING_S)
        path = next(paths)
        is_search = path.startswith("/api")
        began = time.perf_counter()
        answer = await browser.client.get(
            path,
            params={"q": chance.choice(WORDS), "facets": "true"} if is_search else {},
            headers={"authorization": token} if is_search else {},
        )
        took.append(time.perf_counter() - began)
        if answer.status_code != 200:
            failures.append(answer.status_code)


async def _watcher(here: Desk, end: float, feed: list[float]) -> None:
    """Wait for news as an open page does: a change is told no later than the outlook after it."""
    newest = 0
    while time.monotonic() < end:
        found = await here.backstage.live.newer(newest, 5)
        if found is not None:
            if newest:
                feed.append((found.at_ms - newest) / 1000)
            newest = found.at_ms


async def _arriving(here: Desk, first: int, count: int, end: float) -> int:
    told = 0
    while told < count and time.monotonic() < end:
        await _tell(here, first + told, min(FRAME_EVENTS, count - told))
        told += FRAME_EVENTS
    return min(told, count)


async def _tell(here: Desk, first: int, count: int) -> None:
    hub = Hub(here.database)
    for start in range(first, first + count, FRAME_EVENTS):
        numbers = range(start, min(start + FRAME_EVENTS, first + count))
        await hub.tell(*(described(seq, fictitious(seq, access_status=AccessStatus.OPEN)) for seq in numbers))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=50_000, help="entries before it begins")
    parser.add_argument("--people", type=int, default=50, help="people who click, each every two seconds")
    parser.add_argument("--arriving", type=int, default=250_000, help="rows that arrive meanwhile at most")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measured(Path(folder), args.entries, args.people, args.arriving, args.seconds))
    print(msgspec.json.format(msgspec.json.encode(found)).decode())


if __name__ == "__main__":
    main()
