"""The broker's store is wiped: under the running broker with unread frames in it, and while everything is stopped."""

import asyncio

from tests.chaos.county import County, county, started
from tests.chaos.proof import proved
from tests.chaos.stage import Stage
from tests.system.programs import until

SITES = 2
FRAME_ROWS = 500
"""Rows of a full frame: what one unread message stands for at most."""


async def run(stage: Stage) -> None:
    """Run it."""
    part = stage.rows // 3
    async with county(stage.folder, SITES) as here:
        await stage.plant(here, part)
        await here.until_held(int(part * stage.draw.uniform(0.1, 0.6)), stage.patience_s)
        await _wipe_unread(here, stage)
        await stage.plant(here, part)
        await here.until_held(int(part * stage.draw.uniform(1.1, 1.6)), stage.patience_s)
        await _wipe_running(here, stage)
        await stage.plant(here, part)
        await here.until_held(int(part * stage.draw.uniform(2.1, 2.6)), stage.patience_s)
        await _wipe_stopped(here, stage)
        await proved(here, stage)


async def _wipe_unread(here: County, stage: Stage) -> None:
    """Take from the sites what the broker acknowledged and the hub never read (promise 3)."""
    await here.hub.kill()
    stage.fault("kill -9 hub", "so that the broker's frames stay unread")
    for site in here.sites:
        site.sheets.add(max(200, stage.rows // 50))
    unread = await until("frames that nobody reads", here.unread, stage.patience_s)
    here.wipe_store()
    stage.fault("store wiped", "with acknowledged, unread frames in it")
    if here.kill_broker():
        stage.fault("kill -9 broker", "so that it forgets them")
    stage.outcome.notes.append(f"{unread} acknowledged frames were wiped before the hub had read them")
    await started(here.hub)


async def _wipe_running(here: County, stage: Stage) -> None:
    here.wipe_store()
    stage.fault("store wiped", "while hub, broker and nodes run")
    await asyncio.sleep(stage.draw.uniform(1.0, 3.0))
    if here.kill_broker():
        stage.fault("kill -9 broker", "which finds no store when it starts again")


async def _wipe_stopped(here: County, stage: Stage) -> None:
    code = await here.hub.stop()
    stage.fault("store wiped", f"while the hub is stopped (it ended with {code})")
    here.wipe_store()
    await started(here.hub)
