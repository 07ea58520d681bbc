"""Thirty days offline, by volume: a node is away while its folder fills with changes, and the broker's limits discard.

What the site had sent before it left was not read by the hub in time and is gone from the stream when the hub comes
back, as after ``STREAM_AGE_S``; the other sites worked on meanwhile.
"""

import asyncio

from nats.js import JetStreamContext

from replication.streams import EVENTS
from tests.chaos.county import County, county, started
from tests.chaos.proof import proved
from tests.chaos.stage import Stage
from tests.system.programs import until

SITES = 2
DAYS = 30
CHANGES_A_DAY = 20
"""Rows that change in a day; a quarter as many are taken out."""
DISCARDED_AGE_S = 1.0
"""Seconds that a frame stays in the stream while its limit is tightened: two weeks, in short."""


async def run(stage: Stage) -> None:
    """Run it."""
    async with county(stage.folder, SITES) as here:
        await stage.plant(here, stage.rows // 2)
        await here.until_held(stage.rows // 4, stage.patience_s)
        away = here.sites[stage.draw.randrange(SITES)]
        await here.hub.kill()
        stage.fault("kill -9 hub", "its broker goes on alone")
        for site in here.sites:
            site.sheets.add(stage.rows // 20)
        unread = await until("frames that nobody reads", here.unread, stage.patience_s)
        code = await away.node.stop()
        stage.fault("site away", f"{away.code} left (exit {code}) with frames that the hub never confirmed")
        await _discard(here, stage, unread)
        await started(here.hub)
        for day in range(DAYS):
            for site in here.sites:
                # Far more than a month's work: the volume stands for the days.
                await asyncio.to_thread(site.sheets.add, max(5, stage.rows * 2 // 5 // DAYS // SITES))
                site.sheets.change(stage.draw, CHANGES_A_DAY)
                if day % 4 == 0:
                    site.sheets.remove(stage.draw, CHANGES_A_DAY // 4)
        stage.note(f"{DAYS} days of changes pile up: {away.sheets.sent} rows said by the absent site")
        await asyncio.sleep(1.0 if stage.is_short else 90.0)
        await started(away.node)
        stage.note("the site is back")
        await proved(here, stage)


async def _discard(here: County, stage: Stage, unread: int) -> None:
    """Have the stream's own limit of age discard what nobody read; the hub sets the limit right when it starts."""

    async def tighten(manager: JetStreamContext) -> None:
        info = await manager.stream_info(EVENTS.name)
        age_s = DISCARDED_AGE_S
        await manager.update_stream(info.config.evolve(max_age=age_s, duplicate_window=age_s))

    await here.stream(tighten)

    async def is_empty() -> bool:
        return await here.messages() == 0

    await until("the stream to discard", is_empty, stage.patience_s)
    stage.fault("stream discarded", "everything in it, by its limit of age")
    stage.outcome.notes.append(f"{unread} acknowledged frames were discarded before the hub had read them")
