"""``kill -9`` of node, hub and broker at random points of a load, again and again."""

import asyncio
from itertools import cycle, islice

import msgspec

from tests.chaos.county import County, county, started
from tests.chaos.proof import proved
from tests.chaos.stage import Stage
from tests.system.programs import Program

SITES = 3
SITES_SHORT = 2
KILLS = 36
KILLS_SHORT = 7
LAST_SHARE = 0.95
"""Share of the load at which the last kill falls."""
DOWN_S_MAX = 3.0
"""Seconds that a killed program stays down at most."""

VICTIMS = ("node", "hub", "broker", "node", "power cut at the county", "node", "hub")
"""Who is killed: every kind comes up in any seven."""


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """One kill: when, whom, for how long, and whether it is killed again while it starts."""

    share: float
    victim: str
    site: int
    down_s: float
    again_after_s: float | None


def drawn(stage: Stage) -> list[Kill]:
    """Draw the schedule."""
    count = KILLS_SHORT if stage.is_short else KILLS
    shares = sorted(stage.draw.uniform(0.0, LAST_SHARE) for _ in range(count))
    victims = list(islice(cycle(VICTIMS), count))
    stage.draw.shuffle(victims)
    return [
        Kill(
            share=share,
            victim=victim,
            site=stage.draw.randrange(_sites(stage)),
            down_s=round(stage.draw.uniform(0.0, DOWN_S_MAX / (3 if stage.is_short else 1)), 2),
            again_after_s=round(stage.draw.uniform(0.05, 1.5), 2) if stage.draw.random() < 0.3 else None,
        )
        for share, victim in zip(shares, victims, strict=True)
    ]


async def run(stage: Stage) -> None:
    """Run it."""
    kills = drawn(stage)
    async with county(stage.folder, _sites(stage)) as here:
        await stage.plant(here, stage.rows)
        for kill in kills:
            await here.until_held(int(kill.share * stage.rows), stage.patience_s)
            await _strike(here, stage, kill)
        await proved(here, stage)


def _sites(stage: Stage) -> int:
    return SITES_SHORT if stage.is_short else SITES


async def _strike(here: County, stage: Stage, kill: Kill) -> None:
    at = f"at {kill.share:.0%}"
    if kill.victim == "broker":
        if here.kill_broker():
            stage.fault("kill -9 broker", at)
        return
    program = here.sites[kill.site].node if kill.victim == "node" else here.hub
    stage.fault(f"kill -9 {program.module}", f"{program.home.name} {at}, down {kill.down_s} s")
    await program.kill()
    if kill.victim not in ("node", "hub") and here.kill_broker():
        stage.fault("kill -9 broker", "with the hub: a power cut")
    await asyncio.sleep(kill.down_s)
    if kill.again_after_s is not None:
        await _killed_at_start(stage, program, kill.again_after_s)
    await started(program)


async def _killed_at_start(stage: Stage, program: Program, after_s: float) -> None:
    await program.start()
    await asyncio.sleep(after_s)
    stage.fault(f"kill -9 {program.module}", f"{program.home.name} {after_s} s after its start")
    await program.kill()
