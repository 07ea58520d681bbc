"""Rebuilding a hub from its nodes, killed in the middle: how far it was, that it goes on, and how long it takes.

    python -m tests.bench.rebuild --sites 20 --records 1000

A real hub, real nodes in one process, the bundled broker. The hub is stopped and its catalogue set aside; it is
started, killed (-9) once a part is back, and started again. The end is equal when every record has its id back.
"""

import argparse
import asyncio
import os
import signal
import sqlite3
import sys
import tempfile
import time
from contextlib import AsyncExitStack, closing
from pathlib import Path

import msgspec

from hub.commands.rebuild import RebuildReport
from tests.bench.county import County, county, enrolled, settling, sites, until_applied
from tests.bench.programs import finished, running, worker
from tests.bench.sheets import write_sheet

KILLED_AT = 0.3
"""Share of the records at which the hub is killed."""

REBUILT_S = 600.0
"""Seconds that a rebuild may take."""

_POLL_S = 0.2


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured."""

    sites: int
    records: int
    killed_at: int
    """Records that were back when the hub was killed."""
    told_after_kill: int
    """Records that the command said were back, while no hub ran."""
    pending_after_kill: int
    first_s: float
    """Seconds from the start of the empty hub to its first record."""
    rebuilt_s: float
    """Seconds from the second start to the last site that is whole."""
    is_same: bool
    """Every record is back under its id."""


async def measured(folder: Path, count: int, records: int) -> Figures:
    """Fill a hub, empty it, kill it while it is filled again, and wait for the end."""
    async with AsyncExitStack() as stack:
        async with county(folder) as here:
            homes = await enrolled(here, sites(count))
            for number, home in enumerate(homes):
                settling(home, 0.2)
                write_sheet(home, "sheet", records, number)
            command = worker("nodes", *(home.root for home in homes))
            nodes = await stack.enter_async_context(running(*command, log=folder / "nodes.log"))
            await nodes.heard("ready")
            for home in homes:
                await until_applied(here, home.root.name, records, REBUILT_S)
        before = _ids(here)
        await finished(sys.executable, "-m", "hub", "rebuild", "--yes", *_where(here), log=folder / "rebuild.log")
        began = time.monotonic()
        async with county(folder) as here:
            await _until(here, 1)
            first_s = time.monotonic() - began
            await _until(here, int(count * records * KILLED_AT))
            os.kill(here.hub.pid, signal.SIGKILL)
        killed_at, told = _count(here), await _told(here)
        began = time.monotonic()
        async with county(folder) as here:
            async with asyncio.timeout(REBUILT_S):
                await _told(here, "--follow")
            rebuilt_s = time.monotonic() - began
        after = _ids(here)
    return Figures(
        sites=count,
        records=count * records,
        killed_at=killed_at,
        told_after_kill=sum(one.held for one in told.sites),
        pending_after_kill=told.pending,
        first_s=first_s,
        rebuilt_s=rebuilt_s,
        is_same=after == before,
    )


def _where(here: County) -> tuple[str, ...]:
    return ("--home", str(here.home.root))


async def _told(here: County, *options: str) -> RebuildReport:
    """What the command says, whether the hub runs or not."""
    command = (sys.executable, "-m", "hub", "rebuild", "--json", *options, *_where(here))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return msgspec.json.decode(output, type=RebuildReport)


def _ids(here: County) -> set[tuple[str, bytes]]:
    with closing(sqlite3.connect(f"file:{here.home.database}?mode=ro", uri=True)) as connection:
        return set(connection.execute("SELECT site, record_id FROM entry WHERE body IS NOT NULL"))


def _count(here: County) -> int:
    with closing(sqlite3.connect(f"file:{here.home.database}?mode=ro", uri=True)) as connection:
        found: int = connection.execute("SELECT count(*) FROM entry WHERE body IS NOT NULL").fetchone()[0]
        return found


async def _until(here: County, records: int) -> None:
    async with asyncio.timeout(REBUILT_S):
        while _count(here) < records:
            await asyncio.sleep(_POLL_S)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=20, help="sites that fill the hub again")
    parser.add_argument("--records", type=int, default=1_000, help="records of each")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="danglian-rebuild-") as folder:
        f = asyncio.run(measured(Path(folder), args.sites, args.records))
    if args.json:
        print(msgspec.json.encode(f).decode())
        return
    print(f"{f.sites} sites, {f.records:,} records; first one back after {f.first_s:.0f} s")
    print(
        f"killed at {f.killed_at:,}; then the command told {f.told_after_kill:,}, {f.pending_after_kill} sites pending"
    )
    print(f"whole again {f.rebuilt_s:.0f} s after the second start; every record under its id: {f.is_same}")


if __name__ == "__main__":
    main()
