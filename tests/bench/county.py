"""A county for a benchmark: the real hub and real nodes in folders of their own, on free ports of 127.0.0.1.

Hub and nodes are the programs ``danglian-hub run`` and ``danglian-node run``; only enrolment is called from here,
because 232 command lines would take longer than the measurement. What happened when is read from the programs' logs
and from their databases, which are opened for reading only.
"""

import asyncio
import secrets
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import msgspec

from hub.commands.enrol import issue_all
from hub.home import HubHome
from hub.home import home_at as hub_home_at
from hub.membership.codes import CodeOrder
from node.enrolment import Installation, enrol, parse_door
from node.home import NodeHome
from node.home import home_at as node_home_at
from protocol.enrolment import parse_code
from protocol.errors import Refused
from protocol.sites import Site, parse_site
from tests.bench.programs import Program, finished, running, worker
from tests.servers import free_port

COUNTY_CODE = "330599000000"
LOOPBACK = "127.0.0.1"

ENROLMENTS_AT_ONCE = 6
"""Conversations with the hub's door, which bounds those of one address."""

READY_S = 60.0
"""Seconds that a daemon may take to be ready."""

_POLL_S = 0.002


class County(msgspec.Struct, frozen=True, kw_only=True):
    """A running hub."""

    folder: Path
    home: HubHome
    door: str
    hub: Program
    console: str = ""
    """Address of the console; empty where it is off."""

    @property
    def broker_pid(self) -> int:
        """The process id of the hub's broker."""
        return int(self.home.broker_pid.read_text())

    def watermark(self, site: str) -> int:
        """How far the hub has applied a site's events."""
        with closing(sqlite3.connect(f"file:{self.home.database}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT position FROM watermark WHERE site = ?", (site,)).fetchone()
        return int(found[0]) if found else 0


def site_code(number: int) -> str:
    """The code of the village with this number; no such county exists."""
    return f"330599{1 + number // 900:03d}{1 + number % 900:03d}"


def sites(count: int) -> list[Site]:
    """The first villages."""
    return [parse_site(site_code(number)) for number in range(count)]


@asynccontextmanager
async def county(folder: Path, *, web_port: int = 0) -> AsyncIterator[County]:
    """Make a hub's home and run the hub; its console is off unless a port is given."""
    folder.mkdir(parents=True, exist_ok=True)
    home, log = hub_home_at(folder / "hub"), folder / "hub.log"
    broker_port, door_port = free_port(), free_port()
    command = (sys.executable, "-m", "hub")
    where = ("--home", str(home.root))
    ports = ("--host", LOOPBACK, "--listen", LOOPBACK, "--port", str(broker_port), "--enrol-port", str(door_port))
    console = ("--web-port", str(web_port))
    if not home.settings.exists():
        await finished(
            *command, "init", *where, "--county", COUNTY_CODE, "--name", "测试县档案馆", *ports, *console, log=log
        )
    seen = log.stat().st_size if log.exists() else 0
    async with running(*command, "run", *where, log=log, listen=False) as hub:
        await logged(hub, "hub_ready", seen)
        address = f"http://{LOOPBACK}:{web_port}" if web_port else ""
        yield County(folder=folder, home=home, door=f"{LOOPBACK}:{door_port}", hub=hub, console=address)


async def enrolled(county: County, codes: Sequence[Site]) -> list[NodeHome]:
    """Enrol a node for each site and return their homes."""
    orders = [CodeOrder(site=site, name=f"{site.code} 档案室", valid_days=1) for site in codes]
    room, homes = asyncio.Semaphore(ENROLMENTS_AT_ONCE), []

    async def one(home: NodeHome, written: str) -> None:
        async with room:
            installation = Installation(name="bench", software="danglian-bench")
            await enrol(home, parse_door(county.door), parse_code(written), installation, secrets.token_bytes)

    async with asyncio.TaskGroup() as tasks:
        for site, issued in zip(codes, await issue_all(county.home, orders), strict=True):
            if isinstance(issued, Refused):
                raise issued
            home = node_home_at(county.folder / "nodes" / site.code)
            homes.append(home)
            tasks.create_task(one(home, issued.code))
    return homes


def settling(home: NodeHome, settle_s: float) -> None:
    """Have a node's files settle within so many seconds."""
    text = home.settings.read_text(encoding="utf-8")
    home.settings.write_text(f"settle-s = {settle_s}\n{text}", encoding="utf-8")


@asynccontextmanager
async def node(home: NodeHome, python: Path | None = None) -> AsyncIterator[Program]:
    """Run the node of a home, in our own Python if no other is given; returns when it is ready."""
    log = home.root.with_suffix(".log")
    seen = log.stat().st_size if log.exists() else 0
    command = (python or sys.executable, "-m", "node", "run", "--home", str(home.root))
    async with running(*command, log=log, listen=False) as program:
        await logged(program, "node_ready", seen)
        yield program


async def logged(program: Program, event: str, seen: int = 0, within_s: float = READY_S) -> None:
    """Wait until a program's log tells an event behind its first ``seen`` bytes.

    Raises:
        RuntimeError: the program has ended; carries the end of its log.

    """
    async with asyncio.timeout(within_s):
        while event.encode() not in (text := program.log.read_bytes()[seen:]):
            if program.has_ended:
                raise RuntimeError(f"ended before {event!r}:\n{text.decode()[-3000:]}")
            await asyncio.sleep(_POLL_S)


async def until_applied(county: County, site: str, position: int, within_s: float = 300.0) -> float:
    """Wait until the hub has applied a site's events up to a position; returns when that was seen."""
    path = f"file:{county.home.database}?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as connection:
        async with asyncio.timeout(within_s):
            while True:
                found = connection.execute("SELECT position FROM watermark WHERE site = ?", (site,)).fetchone()
                if found and found[0] >= position:
                    return time.time()
                await asyncio.sleep(_POLL_S)


async def until_read(home: NodeHome, within_s: float = 60.0) -> None:
    """Wait until a node has read all its files to their ends."""
    with closing(sqlite3.connect(f"file:{home.database}?mode=ro", uri=True)) as connection:
        async with asyncio.timeout(within_s):
            while connection.execute("SELECT count(*) FROM file WHERE state = 'loading'").fetchone()[0]:
                await asyncio.sleep(_POLL_S)


def head_of(home: NodeHome) -> int:
    """How far a node's own history has come."""
    with closing(sqlite3.connect(f"file:{home.database}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT seq FROM head").fetchone()[0])


async def until_seen(county: County, count: int, within_s: float = 120.0) -> None:
    """Wait until so many sites have given the hub a sign of life; it asks no others."""
    with closing(sqlite3.connect(f"file:{county.home.database}?mode=ro", uri=True)) as connection:
        async with asyncio.timeout(within_s):
            while connection.execute("SELECT count(*) FROM node_state").fetchone()[0] < count:
                await asyncio.sleep(_POLL_S)


def fetched(county: County, sql: str) -> list[tuple[int, ...]]:
    """Rows of the hub's database, read beside it."""
    with closing(sqlite3.connect(f"file:{county.home.database}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


async def begun(home: NodeHome, within_s: float = 60.0) -> float:
    """Wait until a file of a node has settled; returns when that was.

    The first thing that a node does with a settled file is to make a folder for its copy in the spool.
    """
    async with asyncio.timeout(within_s):
        while not (home.spool.is_dir() and any(home.spool.iterdir())):
            await asyncio.sleep(_POLL_S)
    return time.time()


@asynccontextmanager
async def nodes_running(folder: Path, homes: Sequence[NodeHome], name: str) -> AsyncIterator[Program]:
    """Run the nodes of some homes in one process."""
    command = worker("nodes", *(home.root for home in homes))
    async with running(*command, log=folder / f"{name}.log") as program:
        await program.heard("ready")
        yield program
