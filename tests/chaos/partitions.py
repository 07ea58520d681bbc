"""A village behind a bad line that swallows everything for minutes, beside one whose line is good."""

import asyncio

from tests.chaos.county import County, SiteAtWork, county
from tests.chaos.links import COUNTY_ADDRESS, LOSS, ONE_WAY_MS, RATE_KBIT, village
from tests.chaos.outcomes import Broken
from tests.chaos.proof import proved
from tests.chaos.stage import Stage
from tests.system.programs import until

VILLAGE_SHARE = 10
"""One of so many rows is the village's: 256 kbit/s carry a few hundred rows a second, and a village has no more."""

CUT_S = 150.0
"""Seconds of a cut: longer than the hub needs to call a site offline, and than a broker holds on to a dead socket."""

CUT_SHORT_S = 8.0

CUTS = 2


async def run(stage: Stage) -> None:
    """Run it."""
    with village(stage.draw) as line:
        async with county(stage.folder, 0, address=COUNTY_ADDRESS, within=line.at_the_county) as here:
            near = await here.join(within=line.at_the_county)
            far = await here.join(within=line.in_the_village)
            stage.note(f"village line: {RATE_KBIT} kbit/s, {2 * ONE_WAY_MS} ms there and back, {LOSS:.0%} loss")
            stage.outcome.notes.append(f"the line is made by {line.kind}")
            of_village = max(300, stage.rows // VILLAGE_SHARE)
            await asyncio.to_thread(near.sheets.add, stage.rows - of_village)
            cuts = 1 if stage.is_short else CUTS
            for number in range(cuts):
                await asyncio.to_thread(far.sheets.add, of_village // (cuts + 1))
                await _begun(here, stage, far)
                line.line.cut()
                try:
                    await _cut(here, stage, far, of_village // (cuts + 1) if number == cuts - 1 else 0)
                finally:
                    line.line.mend()
                stage.note("the line is back")
            await proved(here, stage, stage.patience_s + _line_s(of_village))


def _line_s(rows: int) -> float:
    """Seconds that the line may take for so many rows: 100 bytes each, and half of the line for what TCP repeats."""
    return rows * 100 * 8 / (RATE_KBIT * 1000 / 4)


async def _begun(here: County, stage: Stage, far: SiteAtWork) -> None:
    before = len(far.sheets) // 4
    await until("the village's rows to begin to arrive", lambda: here.held_of(far.code) > before, stage.patience_s)


async def _cut(here: County, stage: Stage, far: SiteAtWork, rows: int) -> None:
    cut_s = round((CUT_SHORT_S if stage.is_short else CUT_S) * stage.draw.uniform(0.8, 1.2), 1)
    stage.fault("black hole", f"for {cut_s} s")
    if rows:
        await asyncio.to_thread(far.sheets.add, rows)
        stage.note("a sheet is dropped in the village meanwhile")
    await asyncio.sleep(cut_s)
    if stage.is_short:
        return
    board = await here.hub.json("sites")
    words = {one["site"]: one["word"] for one in board["sites"]}
    if words[far.code] != "offline":
        raise Broken(f"after {cut_s} s of silence the hub calls the village {words[far.code]}")
