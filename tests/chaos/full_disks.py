"""A node's disk fills up while it imports, stays full for a while, and has room again; three times, each otherwise.

The node's home and its log lie on a small disk of its own; the sheets lie elsewhere, as on a share.
"""

import asyncio
import time

from tests.chaos.county import County, SiteAtWork, county, started
from tests.chaos.disks import SmallDisk, small_disk
from tests.chaos.outcomes import Broken
from tests.chaos.proof import proved
from tests.chaos.stage import Stage

ROW_BYTES = 6 * 1024
"""Bytes of disk that a row needs with its sheet, its copy in the spool, index, outbox and log."""

SPARE_BYTES = 96 * 1024 * 1024
"""Bytes of disk beside the rows: the write-ahead log alone grows to 16 MB before it is folded back."""

FULL_S = 20.0
"""Seconds that the disk stays full after the node got stuck: two attempts of the node to go on."""

FULL_SHORT_S = 1.0

STUCK_S = 3.0
"""Seconds without anything new at the hub, though there is something to take, after which the node is stuck."""

LEFT_BYTES = (1024 * 1024, 0, 64 * 1024)
"""Bytes that are left on the full disk: enough for the log and nothing else; nothing; not enough for a spool."""


async def run(stage: Stage) -> None:
    """Run it."""
    with small_disk(stage.folder / "small", SPARE_BYTES + ROW_BYTES * stage.rows) as disk:
        async with county(stage.folder, 0) as here:
            share = stage.folder / "share"
            share.mkdir()
            site = await here.join(disk.place / "home", folder=share)
            await stage.plant(here, stage.rows // 2)
            for number, (leave_bytes, end) in enumerate(zip(LEFT_BYTES, (None, "kill -9", "SIGTERM"), strict=True)):
                await here.until_held(stage.rows // 8 * (number + 1), stage.patience_s)
                await _full(here, stage, site, disk, leave_bytes, end)
            await proved(here, stage)


async def _full(
    here: County, stage: Stage, site: SiteAtWork, disk: SmallDisk, leave_bytes: int, end: str | None
) -> None:
    disk.fill(leave_bytes)
    stage.fault("disk full", f"{leave_bytes // 1024} KiB left")
    await stage.plant(here, stage.rows // 6)
    await _stuck(here, stage)
    await asyncio.sleep(FULL_SHORT_S if stage.is_short else FULL_S)
    process = site.node.process
    if process is None or process.returncode is not None:
        raise Broken(f"the node ended because its disk was full\n{site.node.tail()}")
    if end is not None:
        stage.fault(f"{end} node", "on the full disk")
        code = await (site.node.stop() if end == "SIGTERM" else site.node.kill())
        if end == "SIGTERM" and code:
            raise Broken(f"the node ended with {code} when it was stopped on a full disk\n{site.node.tail()}")
    missing = here.planted - here.held()
    disk.empty()
    stage.note("room again")
    stage.outcome.notes.append(f"{missing} rows were not at the hub when there was room again")
    if end is not None:
        await started(site.node)


async def _stuck(here: County, stage: Stage) -> None:
    """Wait until nothing moves any more."""
    held, since = -1, time.monotonic()
    async with asyncio.timeout(stage.patience_s):
        while time.monotonic() - since < STUCK_S:
            now = here.held()
            if now != held:
                held, since = now, time.monotonic()
            await asyncio.sleep(STUCK_S / 10)
    if held == here.planted:
        raise Broken("everything was taken although the disk was full: the disk is too large for this scenario")
