"""Live search over a whole county: every site answers for itself, with its reasons, and each one has an outcome."""

import csv
import os
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from node.home import NodeHome
from tests.bench import plain_scatter
from tests.bench.county import County, county, enrolled, nodes_running, settling, sites, until_applied, until_seen
from tests.bench.figures import Figure, Scale, percentile
from tests.bench.programs import cpu_s, peak_rss_mb, running, worker
from tests.bench.questions import WARM_QUESTIONS
from tests.bench.rows import HEADINGS, TOPIC, rows
from tests.servers import NatsServer

PROCESSES = 3
"""Processes that share the nodes, at the floor as well."""

HANGING = 5
"""Sites that hear the question and never answer."""

HANGING_QUESTIONS = 10
"""Questions while they hang; each takes the whole deadline."""

LOADED_S = 600.0
"""Seconds that all sites together may take until the hub has everything."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What one question took, in milliseconds, and what it brought."""

    first_ms: float
    answered_ms: float
    end_ms: float
    live: int
    late: int
    total: int
    shown: int


async def measure(scale: Scale, folder: Path) -> Sequence[Figure]:
    """The bare scatter-gather, then ours with all sites, then with some that hang."""
    floor, floor_cpu_ms = await _floor(scale, folder)
    async with county(folder / "county") as here, AsyncExitStack() as stack:
        homes = await enrolled(here, sites(scale.sites))
        for number, home in enumerate(homes):
            settling(home, 0.2)
            _write_sheet(home, number, scale.records)
        hanging = await stack.enter_async_context(nodes_running(here.folder, homes[:HANGING], "hanging"))
        parts = [homes[HANGING + part :: PROCESSES] for part in range(PROCESSES)]
        nodes = [hanging]
        for part, own in enumerate(parts):
            nodes.append(await stack.enter_async_context(nodes_running(here.folder, own, f"part-{part}")))
        for home in homes:
            await until_applied(here, home.root.name, scale.records, LOADED_S)
        await until_seen(here, scale.sites)
        answering = [*(program.pid for program in nodes), here.hub.pid, here.broker_pid]
        whole, cpu_ms = await _asked(here, scale.questions, answering)
        os.kill(hanging.pid, signal.SIGSTOP)
        try:
            partial, _ = await _asked(here, min(scale.questions, HANGING_QUESTIONS))
        finally:
            os.kill(hanging.pid, signal.SIGCONT)
        hub_mb = peak_rss_mb(here.hub.pid)
    spent = Figure(
        bench="live",
        what="processor time of a question: nodes, broker, hub and asker",
        unit="ms",
        ours=cpu_ms,
        floor=floor_cpu_ms,
    )
    return [*_figures(scale, floor, whole), spent, *_hanging_figures(scale, whole, partial), _memory(scale, hub_mb)]


async def _floor(scale: Scale, folder: Path) -> tuple[list[plain_scatter.Asked], float]:
    server = NatsServer(folder / "nats")
    await server.start()
    try:
        return await plain_scatter.measure(
            folder / "floor",
            server,
            sites=scale.sites,
            records=scale.records,
            questions=scale.questions,
            processes=PROCESSES,
        )
    finally:
        await server.stop()


def _write_sheet(home: NodeHome, number: int, records: int) -> None:
    with (home.catalogues / "sheet.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        writer.writerows(rows(records, fonds=f"X{number:03d}", seed=number))


async def _asked(here: County, count: int, answering: Sequence[int] = ()) -> tuple[list[Asked], float]:
    """What each question took, and the milliseconds of processor time that one cost all processes together."""
    command = worker("questions", here.home.root, TOPIC, count)
    async with running(*command, log=here.folder / "questions.log") as asking:
        await asking.heard("ready")
        pids = [*answering, asking.pid]
        before_s = sum(map(cpu_s, pids))
        heard = [(await asking.heard("asked")).values for _ in range(count)]
        spent_s = sum(map(cpu_s, pids)) - before_s
    asked = [
        Asked(
            first_ms=said[0],
            answered_ms=said[1],
            end_ms=said[2],
            live=int(said[3]),
            late=int(said[4]),
            total=int(said[5]),
            shown=int(said[6]),
        )
        for said in heard
    ]
    return asked, spent_s / (count + WARM_QUESTIONS) * 1e3


def _figures(scale: Scale, floor: Sequence[plain_scatter.Asked], ours: Sequence[Asked]) -> list[Figure]:
    answered = min(one.live for one in ours)
    where = f"{scale.sites} sites × {scale.records:,} records, {answered} answered"
    return [
        *(
            Figure(
                bench="live",
                what=f"{where}, p{percent}",
                unit="ms",
                ours=percentile([one.end_ms for one in ours], percent),
                floor=percentile([one.all_ms for one in floor], percent),
                target=target,
            )
            for percent, target in ((50, "≤ 4 × the floor"), (99, ""))
        ),
        Figure(
            bench="live",
            what="first hits, p50",
            unit="ms",
            ours=percentile([one.first_ms for one in ours], 50),
            floor=percentile([one.first_ms for one in floor], 50),
            target="≤ 80",
        ),
    ]


def _hanging_figures(scale: Scale, whole: Sequence[Asked], partial: Sequence[Asked]) -> list[Figure]:
    late = f"{min(one.late for one in partial)}–{max(one.late for one in partial)}"
    return [
        Figure(
            bench="live",
            what=f"{HANGING} sites hang: last of the other {scale.sites - HANGING} answers, p50",
            unit="ms",
            ours=percentile([one.answered_ms for one in partial], 50),
            peer=percentile([one.answered_ms for one in whole], 50),
            peer_name="none hangs",
            target="≈ 1.0",
        ),
        Figure(
            bench="live",
            what=f"{HANGING} sites hang: named late ({late}) after",
            unit="ms",
            ours=percentile([one.end_ms for one in partial], 50),
            target="2,000",
        ),
    ]


def _memory(scale: Scale, hub_mb: float) -> Figure:
    return Figure(bench="live", what=f"hub with {scale.sites} sites: peak resident", unit="MB", ours=hub_mb)
