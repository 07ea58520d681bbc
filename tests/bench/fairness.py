"""Fairness: what one site's million rows do to the others, to those who search, and to the memory of both ends."""

import asyncio
import csv
import time
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

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
from tests.bench.programs import Program, cpu_s, make_nicer, peak_rss_mb, running, worker
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

NODE_NICENESS = 10
"""Niceness of a node as its unit file has it (``deploy/systemd/danglian-node.service``)."""

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
#
# Asked for is what the hub's own work on the frames costs those who search. Here the importing node computes on the
# hub's processors, as it never does in a county, so there are two imports. In the first, node and hub have equal
# rights: the hardest case, whose questions stand beside the quiet ones and beside those that are asked while two
# strangers compute. In the second the node has the niceness of its unit file, and takes what the others leave; beside
# it stand the questions that are asked while one stranger of that niceness computes in the node's place. What is left
# between those two is the hub's.


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
        equal = await _import(here, busy, questions, count, 99, working)
        quiet += await _quiet(questions)
        make_nicer(importing.pid, NODE_NICENESS)
        nice = await _import(here, busy, questions, count, 98, working)
        quiet += await _quiet(questions)
        strange = await _beside_strangers(folder, questions, STRANGERS)
        stranger = await _beside_strangers(folder, questions, 1, NODE_NICENESS)
        del others
    how = f", the node at niceness {NODE_NICENESS}"
    return [
        *_search_figures(count, "", quiet, equal, strange, f"{STRANGERS} strangers compute"),
        *_search_figures(count, how, quiet, nice, stranger, f"1 stranger computes at niceness {NODE_NICENESS}"),
    ]


async def _quiet(questions: _Questions) -> list[Asked]:
    await asyncio.sleep(3)
    begun = time.monotonic()
    await asyncio.sleep(QUIET_S)
    return questions.between(begun, time.monotonic())


class _Import(msgspec.Struct, frozen=True, kw_only=True):
    """The questions that were asked while a sheet was imported, and what the import was like."""

    asked: Sequence[Asked]
    cores: float
    """Processor cores that the programs at work used."""
    took_s: float


async def _import(
    here: County, busy: NodeHome, questions: _Questions, count: int, seed: int, working: Sequence[int]
) -> _Import:
    """Import a sheet while questions are asked."""
    before = head_of(busy)
    # What is asked for is not in it: a longer answer would take longer by itself.
    await asyncio.to_thread(write_sheet, busy, f"import-{seed}", count, seed, without=TOPIC)
    async with asyncio.timeout(IMPORTED_S):
        while head_of(busy) == before:
            await asyncio.sleep(0.05)
    begun, begun_cpu_s = time.monotonic(), sum(map(cpu_s, working))
    await until_applied(here, busy.root.name, before + count, IMPORTED_S)
    ended, spent_s = time.monotonic(), sum(map(cpu_s, working)) - begun_cpu_s
    took_s = ended - begun
    return _Import(asked=questions.between(begun, ended), cores=spent_s / took_s, took_s=took_s)


async def _beside_strangers(folder: Path, questions: _Questions, count: int, niceness: int = 0) -> list[Asked]:
    """Ask while some processes compute something that has nothing to do with us."""
    async with AsyncExitStack() as stack:
        for _ in range(count):
            burning = await stack.enter_async_context(
                running(*worker("burning"), log=folder / "burning.log", listen=False)
            )
            make_nicer(burning.pid, niceness)
        return await _quiet(questions)


def _search_figures(
    count: int, how: str, quiet: Sequence[Asked], imported: _Import, strange: Sequence[Asked], strangers: str
) -> list[Figure]:
    during, found = imported.asked, []
    for what, field in (
        (f"live search of {1 + ANSWERING} sites at the console, all answers", "end_ms"),
        ("the page with the hub's own hits", "index_ms"),
    ):
        times = {name: [getattr(one, field) for one in some] for name, some in _phases(quiet, during, strange)}
        found += [
            Figure(
                bench="fairness",
                what=f"{what}, p{percent}, while {count:,} rows are imported{how} ({len(during)} questions)",
                unit="ms",
                ours=percentile(times["during"], percent),
                floor=percentile(times["quiet"], percent),
                peer=percentile(times["strange"], percent),
                peer_name=strangers,
                target="≤ 1.2 × the floor" if percent == 95 else "",
            )
            for percent in (50, 95)
        ]
    answered = min(one.live for one in during)
    return [
        *found,
        Figure(bench="fairness", what=f"rows of that import{how}", unit="rows/s", ours=count / imported.took_s),
        Figure(bench="fairness", what="cores that node, hub and broker used for it", unit="", ours=imported.cores),
        Figure(bench="fairness", what="sites that answered, fewest", unit="", ours=answered, target=str(ANSWERING + 1)),
    ]


def _phases(
    quiet: Sequence[Asked], during: Sequence[Asked], strange: Sequence[Asked]
) -> tuple[tuple[str, Sequence[Asked]], ...]:
    return ("quiet", quiet), ("during", during), ("strange", strange)
