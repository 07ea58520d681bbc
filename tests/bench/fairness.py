"""Fairness: what one site's million rows do to the others, to those who search, and to the memory of both ends."""

import asyncio
import csv
import time
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from hub.staff.roles import Role
from node.home import NodeHome
from tests.bench.asking_on import Asked, ask_on
from tests.bench.change import CommittedChanges
from tests.bench.clerks import clerk
from tests.bench.county import (
    County,
    county,
    enrolled,
    head_of,
    logged,
    node,
    settling,
    sites,
    until_applied,
    until_seen,
)
from tests.bench.figures import Figure, Scale, percentile
from tests.bench.programs import Program, cpu_s, peak_rss_mb, running, worker
from tests.bench.rows import HEADINGS, TITLE, TOPIC, rows
from tests.consoles import Browser
from tests.servers import free_port

BACKLOG_SHEETS = 4
"""Sheets of the backlog, each with ``ROWS_FACTOR`` times the rows of the scale: a million at the usual one."""

ROWS_FACTOR = 5

SETTLE_S = 0.2
"""Seconds that a file settles here: a setting, and no part of what is measured."""

CROWD = 24
"""Sites that come back with a backlog each at the same moment."""

ANSWERING = 24
"""Sites that answer while another one imports; all in one process."""

STRANGERS = 2
"""Processes that compute without a pause: what sharing a machine costs whoever asks, whatever it is shared with. An
import keeps two at work, its node and the hub, which in a county are not on one machine."""

QUIET_S = 30.0
"""Seconds over which questions are asked while nothing else happens: before the import and after it."""

IMPORTED_S = 1_200.0
"""Seconds that an import, or the applying of a backlog, may take."""


async def measure(scale: Scale, folder: Path) -> Sequence[Figure]:
    """One site with a large backlog, many with a small one, then searching beside an import."""
    return [
        *await _backlog(scale, folder / "backlog"),
        *await _crowd(scale, folder / "crowd"),
        *await _searching(scale, folder / "searching"),
    ]


def write_sheet(home: NodeHome, name: str, count: int, seed: int, *, without: str = "") -> None:
    """Put a catalogue, without rows about a topic, into the node's folder; it is whole when it has its name."""
    arriving = home.catalogues / f"{name}.part"
    with arriving.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        for row in rows(count, fonds=f"X{seed:03d}", seed=seed):
            title = str(row[TITLE])
            writer.writerow((*row[:TITLE], title.replace(without, "林地确权") if without else title, *row[TITLE + 1 :]))
    arriving.replace(home.catalogues / f"{name}.csv")


async def until_minted(home: NodeHome, position: int) -> None:
    """Wait until a node's history has reached a position."""
    async with asyncio.timeout(IMPORTED_S):
        while head_of(home) < position:
            await asyncio.sleep(0.2)


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
    async with _nodes(folder, crowd, "crowd"):
        for home in crowd:
            await until_minted(home, each)
    async with county(folder) as here, node(other):
        changes = CommittedChanges(here, other)
        await changes.begin()
        quiet = [await changes.one_ms() for _ in range(min(scale.changes, 10))]
        async with _nodes(folder, crowd, "crowd"):
            waiting = (until_applied(here, home.root.name, each, IMPORTED_S) for home in crowd)
            applied = asyncio.create_task(_all(waiting))
            delayed = await _changes_until(changes, applied)
    return _delays(f"while {CROWD} sites bring {each:,} rows each at once", quiet, delayed)


async def _all(waiting: Iterable[Awaitable[float]]) -> float:
    return max(await asyncio.gather(*waiting))


@asynccontextmanager
async def _nodes(folder: Path, homes: Sequence[NodeHome], name: str) -> AsyncIterator[Program]:
    command = worker("nodes", *(home.root for home in homes))
    async with running(*command, log=folder / f"{name}.log") as program:
        await program.heard("ready")
        yield program


# Searching beside an import


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


async def _searching(scale: Scale, folder: Path) -> list[Figure]:
    count = scale.rows * ROWS_FACTOR
    async with county(folder, web_port=free_port()) as here, AsyncExitStack() as stack:
        busy, *answering = await enrolled(here, sites(1 + ANSWERING))
        for number, home in enumerate((busy, *answering), 1):
            settling(home, SETTLE_S)
            write_sheet(home, "before", scale.records, number)
        importing = await stack.enter_async_context(node(busy))
        others = await stack.enter_async_context(_nodes(folder, answering, "answering"))
        for home in (busy, *answering):
            await until_applied(here, home.root.name, scale.records)
        await until_seen(here, 1 + ANSWERING)
        browser = await stack.enter_async_context(clerk(here, "lin.min", Role.ARCHIVIST))
        questions = _Questions(browser, TOPIC)
        stack.callback(questions.asking.cancel)
        quiet = await _quiet(questions)
        working = [importing.pid, here.hub.pid, here.broker_pid]
        # What is asked for is not in it: a longer answer would take longer by itself.
        sheet = asyncio.to_thread(write_sheet, busy, "import", count, 99, without=TOPIC)
        during, cores = await _import(here, busy, questions, sheet, scale.records + count, working)
        quiet += await _quiet(questions)
        strange = await _beside_strangers(folder, questions)
        del others
    return _search_figures(count, cores, quiet, during, strange)


async def _quiet(questions: _Questions) -> list[Asked]:
    await asyncio.sleep(3)
    begun = time.monotonic()
    await asyncio.sleep(QUIET_S)
    return questions.between(begun, time.monotonic())


async def _import(
    here: County,
    busy: NodeHome,
    questions: _Questions,
    sheet: Awaitable[None],
    position: int,
    working: Sequence[int],
) -> tuple[list[Asked], float]:
    """Import a sheet; returns the questions meanwhile, and how many cores the programs at work used."""
    before = head_of(busy)
    await sheet
    async with asyncio.timeout(IMPORTED_S):
        while head_of(busy) == before:
            await asyncio.sleep(0.05)
    begun, begun_cpu_s = time.monotonic(), sum(map(cpu_s, working))
    await until_applied(here, busy.root.name, position, IMPORTED_S)
    ended, spent_s = time.monotonic(), sum(map(cpu_s, working)) - begun_cpu_s
    return questions.between(begun, ended), spent_s / (ended - begun)


async def _beside_strangers(folder: Path, questions: _Questions) -> list[Asked]:
    """Ask while as many processes as are at work in an import compute something that has nothing to do with us."""
    async with AsyncExitStack() as stack:
        for _ in range(STRANGERS):
            await stack.enter_async_context(running(*worker("burning"), log=folder / "burning.log", listen=False))
        return await _quiet(questions)


def _search_figures(
    count: int, cores: float, quiet: Sequence[Asked], during: Sequence[Asked], strange: Sequence[Asked]
) -> list[Figure]:
    found = []
    for what, field in (
        (f"live search of {1 + ANSWERING} sites at the console, all answers", "end_ms"),
        ("the page with the hub's own hits", "index_ms"),
    ):
        times = {name: [getattr(one, field) for one in some] for name, some in _phases(quiet, during, strange)}
        found += [
            Figure(
                bench="fairness",
                what=f"{what}, p{percent}, while {count:,} rows are imported ({len(during)} questions)",
                unit="ms",
                ours=percentile(times["during"], percent),
                floor=percentile(times["quiet"], percent),
                peer=percentile(times["strange"], percent),
                peer_name=f"{STRANGERS} strangers compute",
                target="≤ 1.2 × the floor" if percent == 95 else "",
            )
            for percent in (50, 95)
        ]
    answered = min(one.live for one in during)
    used = "cores that node, hub and broker used for the import"
    return [
        *found,
        Figure(bench="fairness", what=used, unit="", ours=cores),
        Figure(bench="fairness", what="sites that answered, fewest", unit="", ours=answered, target=str(ANSWERING + 1)),
    ]


def _phases(
    quiet: Sequence[Asked], during: Sequence[Asked], strange: Sequence[Asked]
) -> tuple[tuple[str, Sequence[Asked]], ...]:
    return ("quiet", quiet), ("during", during), ("strange", strange)
