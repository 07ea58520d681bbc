"""SIGTERM to node and hub in every phase: enrolment, first load, catch-up, search, idle."""

import asyncio
import time

from replication.lifetime import STOP_DEADLINE_S
from tests.chaos.county import County, SiteAtWork, county, started
from tests.chaos.outcomes import Broken
from tests.chaos.proof import proved
from tests.chaos.stage import Stage
from tests.system.programs import Program, until

SITES = 2
STOP_S_MAX = STOP_DEADLINE_S + 5.0
"""Seconds within which a stopped program is gone: its own deadline, and what the system takes to end a process."""


class _Stops:
    """Stops programs and keeps how long each took."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.slowest: dict[str, float] = {}

    async def stop(self, program: Program, phase: str) -> None:
        """Stop a program, which must end with 0 within its deadline."""
        self._stage.fault(f"SIGTERM {program.module}", f"during {phase}")
        began = time.monotonic()
        code = await program.stop()
        took_s = time.monotonic() - began
        name = f"{program.module} during {phase}"
        self.slowest[name] = max(took_s, self.slowest.get(name, 0.0))
        if code != 0 or took_s > STOP_S_MAX:
            raise Broken(f"{name} ended with {code} after {took_s:.1f} s\n{program.tail()}")


async def run(stage: Stage) -> None:
    """Run it."""
    stops = _Stops(stage)
    async with county(stage.folder, SITES - 1) as here:
        await _enrolment(here, stage, stops)
        await stage.plant(here, stage.rows // 2)
        await _first_load(here, stage, stops)
        await _catch_up(here, stage, stops)
        await _search(here, stage, stops)
        await _idle(here, stage, stops)
        await proved(here, stage)
    times = ", ".join(f"{name} {took_s:.1f} s" for name, took_s in sorted(stops.slowest.items()))
    stage.outcome.notes.append(f"slowest stops: {times}")


async def _enrolment(here: County, stage: Stage, stops: _Stops) -> None:
    """Stop the hub under a node that is enrolling, then the enrolling command; the same code still works."""
    code, node = here.newcomer()
    words = ("init", "--hub", here.door, "--code", await here.issue(code))
    applying = asyncio.create_task(node.result(*words))
    await asyncio.sleep(stage.draw.uniform(0.3, 1.2))
    await stops.stop(here.hub, "enrolment")
    await applying
    await started(here.hub)
    stage.fault("SIGTERM danglian-node init", "while it enrols")
    await node.interrupted(stage.draw.uniform(0.3, 1.2), *words)
    await node.run(*words)
    await here.take_in(code, node)


async def _first_load(here: County, stage: Stage, stops: _Stops) -> None:
    half = stage.rows // 2
    for share, victim in zip(sorted(stage.draw.uniform(0.05, 0.6) for _ in range(2)), _both(here), strict=True):
        await here.until_held(int(half * share), stage.patience_s)
        await stops.stop(victim, "first load")
        await started(victim)


async def _catch_up(here: County, stage: Stage, stops: _Stops) -> None:
    """Let changes pile up on the one side, then stop each side in turn while they pass."""
    await stops.stop(here.hub, "first load")
    await stage.plant(here, stage.rows // 2)
    await asyncio.sleep(2.0 if stage.is_short else 20.0)
    for victim in (here.hub, here.sites[0].node):
        if victim.process is None:
            await started(victim)
        await asyncio.sleep(stage.draw.uniform(0.1, 1.0))
        await stops.stop(victim, "catch-up")
    for victim in (here.sites[0].node, here.hub):
        await started(victim)


async def _search(here: County, stage: Stage, stops: _Stops) -> None:
    site: SiteAtWork = here.sites[-1]
    await until("a row of the site", lambda: here.held_of(site.code), stage.patience_s)
    title = site.sheets.says[0][1]
    for victim in (site.node, here.hub):
        searching = asyncio.create_task(here.hub.result("search", title, "--live"))
        await asyncio.sleep(stage.draw.uniform(0.4, 1.0))
        await stops.stop(victim, "search")
        await searching
        await started(victim)


async def _idle(here: County, stage: Stage, stops: _Stops) -> None:
    await here.until_held(here.planted, stage.patience_s)
    for victim in _both(here):
        await stops.stop(victim, "idle")
        await started(victim)


def _both(here: County) -> tuple[Program, Program]:
    return here.sites[0].node, here.hub
