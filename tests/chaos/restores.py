"""The hub's database is put back from a copy that was made in the middle of a load."""

import asyncio

from tests.chaos.county import County, county, started
from tests.chaos.proof import proved
from tests.chaos.stage import Stage

SITES = 2
CHANGED = 30
"""Rows of each site that change, and as many that are taken out, after the copy: the hub must learn of both again."""
ADDED = 3 * CHANGED
"""New rows of each site after the copy, more than are taken out: a hub that is quick holds all others in its copy."""
SHARES = ((0.25, 0.5), (0.6, 0.95))
"""Shares of the load at which a copy is made and put back."""


async def run(stage: Stage) -> None:
    """Run it."""
    async with county(stage.folder, SITES) as here:
        await stage.plant(here, stage.rows)
        for number, (copied_at, put_back_at) in enumerate(SHARES):
            if stage.is_short and number == 0:
                continue
            copy = stage.folder / f"yesterday-{number}.db"
            await here.until_held(int(stage.rows * copied_at), stage.patience_s)
            await asyncio.to_thread(here.copy_database, copy)
            copied = await asyncio.to_thread(here.held)
            stage.note(f"copied at {copied_at:.0%}")
            for site in here.sites:
                site.sheets.change(stage.draw, CHANGED)
                site.sheets.remove(stage.draw, CHANGED)
                site.sheets.add(ADDED)
            wanted = max(int(stage.rows * put_back_at) - CHANGED * SITES * 2, copied + CHANGED)
            await here.until_held(wanted, stage.patience_s)
            await _put_back(here, stage, copied_at, put_back_at, number)
        await proved(here, stage)


async def _put_back(here: County, stage: Stage, copied_at: float, put_back_at: float, number: int) -> None:
    is_crash = stage.draw.random() < 0.5
    await (here.hub.kill() if is_crash else here.hub.stop())
    before = here.held()
    here.put_back(stage.folder / f"yesterday-{number}.db")
    forgotten = before - here.held()
    stage.fault(
        "hub put back",
        f"at {put_back_at:.0%} to its copy of {copied_at:.0%}, after {'kill -9' if is_crash else 'SIGTERM'}",
    )
    stage.outcome.notes.append(f"the copy lacked {forgotten} entries that the hub had held")
    # What the last one took is counted with all that is missing when the last fault has ended.
    stage.outcome.repaired += forgotten if number + 1 < len(SHARES) else 0
    await started(here.hub)
