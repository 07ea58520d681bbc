"""The floors of a waiting process: what Python costs, and what the libraries cost before any of our code runs."""

import asyncio
import sys
import time
from pathlib import Path

import msgspec

from tests.bench.figures import median
from tests.bench.programs import cpu_s, finished, peak_rss_mb, running, switches

WARM_S = 3.0
"""Seconds that a process is left alone before it is watched."""

STARTS = 5
"""Starts of which the median is shown."""

OURS = Path(sys.executable)

BARE = "import time; time.sleep(9999)"
IMPORTS = "aiosqlite, msgspec, nats, nkeys, python_calamine, sqlalchemy, structlog, watchfiles, zstandard"
IMPORTED = f"import asyncio, {IMPORTS}\nasyncio.run(asyncio.sleep(9999))"


class Idle(msgspec.Struct, frozen=True, kw_only=True):
    """What a waiting process costs."""

    peak_rss_mb: float
    cpu_ms_a_minute: float
    wake_ups_a_second: float


async def watched(pid: int, idle_s: float) -> Idle:
    """Watch a process that has nothing to do."""
    await asyncio.sleep(WARM_S)
    cpu_before, switches_before = cpu_s(pid), switches(pid)
    await asyncio.sleep(idle_s)
    return Idle(
        peak_rss_mb=peak_rss_mb(pid),
        cpu_ms_a_minute=(cpu_s(pid) - cpu_before) * 1e3 * 60 / idle_s,
        wake_ups_a_second=(switches(pid) - switches_before) / idle_s,
    )


async def floor(folder: Path, code: str, idle_s: float, python: Path = OURS) -> Idle:
    """Watch Python running this code."""
    async with running(python, "-c", code, log=folder / "plain.log") as program:
        return await watched(program.pid, idle_s)


async def import_s(folder: Path, python: Path = OURS) -> float:
    """Seconds from nothing to everything imported."""
    taken = []
    for _ in range(STARTS):
        started = time.monotonic()
        await finished(python, "-c", f"import asyncio, {IMPORTS}", log=folder / "imports.log")
        taken.append(time.monotonic() - started)
    return median(taken)
