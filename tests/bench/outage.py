"""Catching up after an outage, beside the fresh load of a sheet of the same size in the same run.

- The hub was gone while its site took a sheet: the backlog lies in the site's outbox.
- The node was gone while a sheet was put into its folder: it reads the sheet when it is back.
- The hub was put back to a copy from before the sheet: the site makes the frames again from its records.

A rate counts from the first of the sheet's events that the hub applies to the last one; how long that first one took
to come, from the start of the program that was away, stands beside it.
"""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path

import msgspec

from hub.home import HubHome
from node.home import NodeHome
from tests.bench.county import County, county, enrolled, head_of, node, settling, sites, until_applied
from tests.bench.figures import Figure, Scale, median
from tests.bench.sheets import IMPORTED_S, SETTLE_S, until_minted, write_sheet

TARGET = "≥ 0.7 of the fresh load"


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How one sheet reached the hub."""

    rate: float
    """Rows a second, from the first that was applied to the last."""
    first_s: float
    """Seconds until the first was applied, from when the program that was away was started, or the sheet was there."""


class _Site:
    """One site and its hub, each of which may be away."""

    def __init__(self, folder: Path, home: NodeHome, hub: HubHome, count: int) -> None:
        self._folder = folder
        self._home = home
        self._hub = hub
        self._count = count
        self._sheets = 0

    async def warm_up(self) -> None:
        """Let both ends meet for the first time, and take a sheet."""
        async with county(self._folder) as here, node(self._home):
            last = self._put(head_of(self._home))
            await until_minted(self._home, last)
            await until_applied(here, self._home.root.name, head_of(self._home), IMPORTED_S)

    async def fresh(self) -> Course:
        """Both ends are there all the time."""
        async with county(self._folder) as here, node(self._home):
            last = self._put(head_of(self._home))
            return await self._course(here, last, time.time())

    async def hub_gone(self) -> Course:
        """The hub is away while the sheet is read."""
        async with node(self._home), AsyncExitStack() as stack:
            last = self._put(head_of(self._home))
            await until_minted(self._home, last)
            began = time.time()
            return await self._course(await stack.enter_async_context(county(self._folder)), last, began)

    async def node_gone(self) -> Course:
        """The node is away while the sheet is put into its folder."""
        last = self._put(head_of(self._home))
        async with county(self._folder) as here:
            began = time.time()
            async with node(self._home):
                return await self._course(here, last, began)

    async def hub_put_back(self) -> Course:
        """The hub confirms the sheet, and is then put back to what it was before."""
        kept = self._folder / "kept"
        _copy(self._hub.database, kept)
        async with node(self._home), AsyncExitStack() as stack:
            async with county(self._folder) as here:
                last = self._put(head_of(self._home))
                await until_applied(here, self._home.root.name, last, IMPORTED_S)
                await _until_confirmed(self._home)
            _copy(kept / self._hub.database.name, self._hub.database.parent)
            began = time.time()
            return await self._course(await stack.enter_async_context(county(self._folder)), last, began)

    def _put(self, head: int) -> int:
        """Put another sheet into the folder; returns the position that will tell all of it."""
        self._sheets += 1
        write_sheet(self._home, f"sheet-{self._sheets}", self._count, self._sheets)
        return head + self._count

    async def _course(self, here: County, last: int, began: float) -> Course:
        site = self._home.root.name
        first = await until_applied(here, site, last - self._count + 1, IMPORTED_S)
        already = here.watermark(site)
        done = await until_applied(here, site, last, IMPORTED_S)
        return Course(rate=(last - already) / (done - first), first_s=first - began)


def _copy(database: Path, folder: Path) -> None:
    """Put a database that nobody has open into a folder, with what lies beside it, in the place of what is there."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob(f"{database.name}*"):
        old.unlink()
    for path in database.parent.glob(f"{database.name}*"):
        shutil.copyfile(path, folder / path.name)


async def _until_confirmed(home: NodeHome) -> None:
    """Wait until receipts have emptied the outbox of a node."""
    with closing(sqlite3.connect(f"file:{home.database}?mode=ro", uri=True)) as connection:
        async with asyncio.timeout(IMPORTED_S):
            while connection.execute("SELECT count(*) FROM outbox").fetchone()[0]:
                await asyncio.sleep(0.2)


async def measure(scale: Scale, folder: Path) -> Sequence[Figure]:
    """The fresh load and the three ways back, one after the other in each round."""
    async with county(folder) as here:
        (home,) = await enrolled(here, sites(1))
        settling(home, SETTLE_S)
    site = _Site(folder, home, here.home, scale.rows)
    await site.warm_up()
    ways = {
        "fresh load": site.fresh,
        "the hub was gone": site.hub_gone,
        "the node was gone": site.node_gone,
        "the hub was put back": site.hub_put_back,
    }
    found: dict[str, list[Course]] = {name: [] for name in ways}
    for _ in range(scale.rounds):
        for name, way in ways.items():
            found[name].append(await way())
    fresh, *back = ((name, courses) for name, courses in found.items())
    return [figure for name, courses in back for figure in _figures(scale, name, courses, fresh[1])]


def _figures(scale: Scale, name: str, courses: Sequence[Course], fresh: Sequence[Course]) -> list[Figure]:
    return [
        Figure(
            bench="outage",
            what=f"{name} for {scale.rows:,} rows: first → last applied",
            unit="rows/s",
            ours=median([one.rate for one in courses]),
            peer=median([one.rate for one in fresh]),
            peer_name="fresh load",
            target=TARGET,
        ),
        Figure(
            bench="outage",
            what=f"{name}: its start → first applied",
            unit="s",
            ours=median([one.first_s for one in courses]),
        ),
    ]
