"""Searching beside an import: what the hub's work on one site's rows costs those who search all sites at the console.

In a county the importing node computes on the site's own PC. Two cores here hold everything: hence three imports.

- Apart: the importing node has one core to itself, as the site's PC; the hub, its broker, the nodes that answer and
  the browser share the other. What is asked for (target 1.2 ×), as near to a county as two cores come.
- Together: everybody computes on both cores with equal rights, the hardest case.
- Together, the node at the niceness of its unit file: it takes what the others leave.

Beside each stand the questions that are asked in the same places while nothing else happens, and while strangers merely
compute in the place of the import: what sharing a machine costs, whatever it is shared with. The importing node's
files lie in memory, where there is such a disk: on the hub's own its fsyncs and the hub's would wait for each other.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Final

import msgspec

from hub.staff.roles import Role
from node.home import NodeHome
from tests.bench.asking_on import Asked, ask_on
from tests.bench.clerks import clerk
from tests.bench.county import (
    County,
    county,
    enrolled,
    head_of,
    node,
    nodes_running,
    settling,
    sites,
    until_applied,
    until_seen,
)
from tests.bench.figures import Figure, Scale, percentile
from tests.bench.programs import cpu_s, keep_to, make_nicer, running, worker
from tests.bench.rows import TOPIC
from tests.bench.sheets import IMPORTED_S, ROWS_FACTOR, SETTLE_S, write_sheet
from tests.consoles import Browser
from tests.servers import free_port

ANSWERING: Final = 24
"""Sites that answer while another one imports; all in one process."""

NODE_NICENESS: Final = 10
"""Niceness of a node as its unit file has it (``deploy/systemd/danglian-node.service``)."""

QUIET_S: Final = 30.0
"""Seconds over which questions are asked while nothing else happens: before the import and after it."""

MEMORY_DISK: Final = Path("/dev/shm")

TARGET: Final = 1.2
"""Times the quiet p95 that a question may take beside an import of a site's own PC."""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One arrangement of who computes where."""

    what: str
    is_apart: bool = False
    niceness: int = 0
    """Of the importing node, and of the strangers in its place."""
    strangers: int = 1
    target: str = ""


WAYS: Final = (
    Way(what="the node on a core of its own", is_apart=True, target=f"≤ {TARGET} × the floor"),
    # An import keeps two at work, its node and the hub.
    Way(what="all on both cores", strangers=2),
    Way(what=f"all on both cores, the node at niceness {NODE_NICENESS}", niceness=NODE_NICENESS),
)


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """The questions of one arrangement, and what the import was like."""

    way: Way
    quiet: Sequence[Asked]
    during: Sequence[Asked]
    strange: Sequence[Asked]
    cores: float
    """Processor cores that the importing node, the hub and the broker used."""
    took_s: float


async def measure(scale: Scale, folder: Path) -> Sequence[Figure]:
    """Ask on at the console, in each arrangement: quiet, beside an import, quiet, beside strangers."""
    with ExitStack() as disks:
        return await _measured(scale, folder, disks)


async def _measured(scale: Scale, folder: Path, disks: ExitStack) -> Sequence[Figure]:
    count = scale.rows * ROWS_FACTOR
    async with county(folder, web_port=free_port()) as here, AsyncExitStack() as stack:
        codes = sites(1 + ANSWERING)
        _give_a_disk(disks, folder / "nodes" / codes[0].code)
        busy, *answering = await enrolled(here, codes)
        for number, home in enumerate((busy, *answering), 1):
            settling(home, SETTLE_S)
            write_sheet(home, "before", scale.records, number)
        importing = await stack.enter_async_context(node(busy))
        others = await stack.enter_async_context(nodes_running(folder, answering, "answering"))
        for home in (busy, *answering):
            await until_applied(here, home.root.name, scale.records)
        await until_seen(here, 1 + ANSWERING)
        browser = await stack.enter_async_context(clerk(here, "lin.min", Role.ARCHIVIST))
        questions = _Questions(browser, TOPIC)
        stack.callback(questions.asking.cancel)
        stack.callback(keep_to, os.getpid(), os.sched_getaffinity(0))
        beside = _Beside(here, busy, importing.pid, (here.hub.pid, here.broker_pid, others.pid, os.getpid()), questions)
        phases = [await beside.one(way, count, number) for number, way in enumerate(WAYS)]
    return [figure for phase in phases for figure in _figures(phase, count)]


def _give_a_disk(stack: ExitStack, home: Path) -> None:
    """Have a node's home lie on a disk of its own, in memory; on the same as all others where there is none."""
    if os.access(MEMORY_DISK, os.W_OK):
        home.parent.mkdir(parents=True, exist_ok=True)
        home.symlink_to(stack.enter_context(tempfile.TemporaryDirectory(dir=MEMORY_DISK)))


class _Questions:
    """Questions that are asked all the time, and what they took in each phase."""

    def __init__(self, browser: Browser, words: str) -> None:
        self.heard: list[Asked] = []
        self.asking = asyncio.create_task(ask_on(browser, words, self.heard))

    def between(self, begun: float, ended: float) -> list[Asked]:
        """Return the questions that were asked and answered within a span; raises what ended the asking."""
        if self.asking.done():
            self.asking.result()
        return [one for one in self.heard if begun <= one.at - one.end_ms / 1e3 and one.at <= ended]

    async def quiet(self) -> list[Asked]:
        """Return those of some time in which the benchmark does nothing."""
        await asyncio.sleep(3)
        begun = time.monotonic()
        await asyncio.sleep(QUIET_S)
        return self.between(begun, time.monotonic())


class _Beside:
    """Has one arrangement after the other measured."""

    def __init__(
        self, here: County, busy: NodeHome, importing: int, others: Sequence[int], questions: _Questions
    ) -> None:
        self._here = here
        self._busy = busy
        self._importing = importing
        self._others = others
        """Processes that are not on the importing site's PC: hub, broker, the nodes that answer, the browser."""
        self._questions = questions
        self._cores = sorted(os.sched_getaffinity(0))

    async def one(self, way: Way, count: int, number: int) -> Phase:
        """Measure one arrangement."""
        theirs, ours = (self._cores[:1], self._cores[1:] or self._cores) if way.is_apart else (self._cores, self._cores)
        keep_to(self._importing, theirs)
        for pid in self._others:
            keep_to(pid, ours)
        make_nicer(self._importing, way.niceness)
        quiet = await self._questions.quiet()
        during, cores, took_s = await self._import(count, 90 + number)
        quiet += await self._questions.quiet()
        strange = await self._beside_strangers(way, theirs)
        return Phase(way=way, quiet=quiet, during=during, strange=strange, cores=cores, took_s=took_s)

    async def _import(self, count: int, seed: int) -> tuple[list[Asked], float, float]:
        """Import a sheet while questions are asked."""
        working = (self._importing, self._here.hub.pid, self._here.broker_pid)
        before = head_of(self._busy)
        # What is asked for is not in it: a longer answer would take longer by itself.
        await asyncio.to_thread(write_sheet, self._busy, f"import-{seed}", count, seed, without=TOPIC)
        async with asyncio.timeout(IMPORTED_S):
            while head_of(self._busy) == before:
                await asyncio.sleep(0.05)
        begun, begun_cpu_s = time.monotonic(), sum(map(cpu_s, working))
        await until_applied(self._here, self._busy.root.name, before + count, IMPORTED_S)
        ended, spent_s = time.monotonic(), sum(map(cpu_s, working)) - begun_cpu_s
        took_s = ended - begun
        return self._questions.between(begun, ended), spent_s / took_s, took_s

    async def _beside_strangers(self, way: Way, cores: Sequence[int]) -> list[Asked]:
        """Ask while some processes compute, in the node's place, something that has nothing to do with us."""
        async with AsyncExitStack() as stack:
            for _ in range(way.strangers):
                log = self._here.folder / "burning.log"
                burning = await stack.enter_async_context(running(*worker("burning"), log=log, listen=False))
                make_nicer(burning.pid, way.niceness)
                keep_to(burning.pid, cores)
            return await self._questions.quiet()


def _figures(phase: Phase, count: int) -> list[Figure]:
    way, asked, found = phase.way, len(phase.during), []
    spans = {"during": phase.during, "quiet": phase.quiet, "strange": phase.strange}
    for what, field in (
        (f"live search of {1 + ANSWERING} sites at the console, all answers", "end_ms"),
        ("the page with the hub's own hits", "index_ms"),
    ):
        times = {name: [getattr(one, field) for one in some] for name, some in spans.items()}
        found += [
            Figure(
                bench="beside",
                what=f"{what}, p{percent}, while {count:,} rows are imported, {way.what} ({asked} questions)",
                unit="ms",
                ours=percentile(times["during"], percent),
                floor=percentile(times["quiet"], percent),
                peer=percentile(times["strange"], percent),
                peer_name=f"{way.strangers} × a stranger computes",
                target=way.target if percent == 95 else "",
            )
            for percent in (50, 95)
        ]
    answered = min(one.live for one in phase.during)
    return [
        *found,
        Figure(bench="beside", what=f"rows of that import, {way.what}", unit="rows/s", ours=count / phase.took_s),
        Figure(bench="beside", what="cores that node, hub and broker used for it", unit="", ours=phase.cores),
        Figure(bench="beside", what="sites that answered, fewest", unit="", ours=answered, target=str(ANSWERING + 1)),
    ]
