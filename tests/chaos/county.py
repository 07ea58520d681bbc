"""A small county of real programs: a hub with its broker, some sites, and the ways in which each of them can fail."""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

from nats.js import JetStreamContext

from hub import config
from hub.commands.enrol import issue_all
from hub.daemon import link_settings
from hub.home import home_at
from hub.membership.codes import CodeOrder
from node.enrolment import Installation, enrol, parse_door
from node.home import CATALOGUES
from node.home import home_at as node_home_at
from protocol.enrolment import parse_code
from protocol.errors import Refused
from protocol.sites import parse_site
from replication.connection import connected
from replication.streams import EVENTS, HUB_CONSUMER
from tests.bench.county import COUNTY_CODE, LOOPBACK, site_code
from tests.chaos.outcomes import Broken
from tests.chaos.sheets import Sheets
from tests.system.programs import Program, until

READY_S = 90.0
"""Seconds that a daemon may take to be ready on a machine that does other things too."""

COMMAND_S = 180.0
"""Seconds that one command may take: a deep verification of a quarter of a million entries is among them."""

SETTLE_S = 0.5
"""Seconds in which a sheet settles here: sheets appear whole, so nothing is gained by waiting longer."""

PORTS = range(20_000, 32_000)
"""Ports below those that the system gives to outgoing connections: a client that dials a dead port of those can meet
itself there."""

_port = PORTS[os.getpid() % len(PORTS)]


def quiet_port() -> int:
    """Return a port that nobody uses, and that this process has not given out before."""
    global _port  # noqa: PLW0603 - one counter a process is the point
    while True:
        _port = PORTS[(_port - PORTS[0] + 1) % len(PORTS)]
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((LOOPBACK, _port))
            return _port


class SiteAtWork:
    """One site: its node, its sheets."""

    def __init__(self, code: str, node: Program, sheets: Sheets) -> None:
        self.code = code
        self.node = node
        self.sheets = sheets


class County:
    """The running county; made by ``county``."""

    def __init__(self, folder: Path, address: str, within: Sequence[str]) -> None:
        self.folder = folder
        self.address = address
        self.hub = Program("hub", folder / "hub", within=within, patience_s=COMMAND_S)
        self.home = home_at(self.hub.home)
        self.sites: list[SiteAtWork] = []
        self._codes: list[str] = []
        self.door = f"{address}:{quiet_port()}"

    # Its life

    async def found(self) -> None:
        """Make the hub's home and start the hub."""
        self.folder.mkdir(parents=True, exist_ok=True)
        where = ("--host", self.address, "--listen", self.address)
        ports = ("--port", str(quiet_port()), "--enrol-port", self.door.rpartition(":")[2])
        await self.hub.run("init", "--county", COUNTY_CODE, "--name", "测试县档案馆", *where, *ports)
        await started(self.hub)

    async def issue(self, code: str) -> str:
        """Return an enrolment code for a site."""
        issued = await self.hub.json("enrol", code, "--name", f"{code} 档案室")
        return str(issued["code"])

    def newcomer(self, home: Path | None = None, within: Sequence[str] = ()) -> tuple[str, Program]:
        """Return the next site's code, and its node, which is not enrolled yet."""
        code = site_code(len(self._codes))
        self._codes.append(code)
        return code, Program("node", home or self.folder / code, within=within, patience_s=COMMAND_S)

    async def settle(self) -> SiteAtWork:
        """Enrol the next site by the code of the commands, which is quicker, and start its node."""
        code, node = self.newcomer()
        (issued,) = await issue_all(self.home, [CodeOrder(site=parse_site(code), name=f"{code} 档案室", valid_days=1)])
        if isinstance(issued, Refused):
            raise issued
        installation = Installation(name="chaos", software="danglian-chaos")
        door = parse_door(self.door)
        await enrol(node_home_at(node.home), door, parse_code(issued.code), installation, secrets.token_bytes)
        return await self.take_in(code, node)

    async def join(
        self, home: Path | None = None, within: Sequence[str] = (), folder: Path | None = None
    ) -> SiteAtWork:
        """Enrol the next site with the commands that people use, and start its node; ``folder`` is for its sheets."""
        code, node = self.newcomer(home, within)
        watched = () if folder is None else ("--folder", str(folder))
        await node.run("init", "--hub", self.door, "--code", await self.issue(code), *watched)
        return await self.take_in(code, node, folder)

    async def take_in(self, code: str, node: Program, folder: Path | None = None) -> SiteAtWork:
        """Take an enrolled node into the county, and start it."""
        settings = node.home / "node.toml"
        settings.write_text(f"settle-s = {SETTLE_S}\n{settings.read_text(encoding='utf-8')}", encoding="utf-8")
        site = SiteAtWork(code, node, Sheets(folder or node.home / CATALOGUES, self._codes.index(code)))
        # Sites that join at the same time are the same sites in every run.
        self.sites = sorted([*self.sites, site], key=lambda one: one.code)
        await started(node)
        return site

    async def close(self) -> list[str]:
        """Stop everything in order and return what did not end as it should; nothing is left running."""
        odd = []
        for program in (*(site.node for site in self.sites), self.hub):
            try:
                exit_code = await program.stop()
            except TimeoutError:
                exit_code = -signal.SIGTERM
            if exit_code:
                odd.append(f"{program.home.name} ended with {exit_code}")
        self.kill_broker()
        return odd

    def end(self) -> None:
        """End everything at once, whatever state it is in."""
        for program in (*(site.node for site in self.sites), self.hub):
            if program.process is not None and program.process.returncode is None:
                program.process.kill()
        self.kill_broker()

    # Faults

    def kill_broker(self) -> bool:
        """Kill the broker without warning; False if it does not run. The hub starts it again."""
        try:
            pid = int(self.home.broker_pid.read_text(encoding="ascii"))
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return False
        if os.fsencode(self.home.broker_config) not in command:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
        return False

    def wipe_store(self) -> None:
        """Remove the broker's store, whoever is writing into it."""
        for _ in range(20):
            shutil.rmtree(self.home.broker_store, ignore_errors=True)
            if not self.home.broker_store.exists():
                return
        raise Broken(f"{self.home.broker_store} grows faster than it is removed")

    def copy_database(self, to: Path) -> None:
        """Copy the hub's database with SQLite's backup API, as a nightly job does beside the running hub."""
        with closing(sqlite3.connect(self.home.database)) as source, closing(sqlite3.connect(to)) as target:
            source.backup(target)

    def put_back(self, copy: Path) -> None:
        """Put a copy in the place of the database of a stopped hub."""
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.home.database}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(copy, self.home.database)

    # What it looks like

    @property
    def planted(self) -> int:
        """Rows that stand in the sheets."""
        return sum(len(site.sheets) for site in self.sites)

    def held(self) -> int:
        """Entries with a body that the hub holds."""
        return int(self._ask_hub("SELECT count(*) FROM entry WHERE body IS NOT NULL")[0][0])

    def held_of(self, code: str) -> int:
        """Entries with a body that the hub holds of one site."""
        return int(self._ask_hub("SELECT count(*) FROM entry WHERE body IS NOT NULL AND site = ?", code)[0][0])

    def all_applied(self) -> bool:
        """Tell whether every site's last event is applied: then it is worth asking for a comparison."""
        for site in self.sites:
            with closing(sqlite3.connect(f"file:{site.node.home / 'node.db'}?mode=ro", uri=True, timeout=20)) as found:
                head = found.execute("SELECT epoch, seq FROM head").fetchone()
            mark = self._ask_hub("SELECT epoch, position FROM watermark WHERE site = ?", site.code)
            if head is None or [head] != mark:
                return False
        return True

    def quarantined(self) -> int:
        """Frames and events that the hub has set aside."""
        return int(self._ask_hub("SELECT count(*) FROM quarantine")[0][0])

    def bodies(self) -> list[tuple[str, bytes]]:
        """Site and body of everything that the hub holds."""
        return self._ask_hub("SELECT site, body FROM entry WHERE body IS NOT NULL")

    def _ask_hub(self, query: str, *values: str) -> list[tuple]:  # type: ignore[type-arg] # rows of any query
        with closing(sqlite3.connect(f"file:{self.home.database}?mode=ro", uri=True, timeout=20)) as connection:
            return connection.execute(query, values).fetchall()

    async def until_held(self, count: int, patience_s: float) -> None:
        """Wait until the hub holds so many entries."""
        await until(f"{count} entries at the hub", lambda: self.held() >= count, patience_s)

    async def stream(self, question: Callable[[JetStreamContext], object]) -> None:
        """Ask the broker about its streams with the hub's key, or have it change them."""
        settings = link_settings(config.load(self.home.settings), self.home, "danglian-chaos")
        async with connected(settings) as link, asyncio.timeout(READY_S):
            await link.until_connected()
            await link.manage(question)  # type: ignore[arg-type] # questions here return nothing

    async def unread(self) -> int:
        """How many frames the broker has acknowledged and the hub has not."""
        found: list[int] = []

        async def look(manager: JetStreamContext) -> None:
            info = await manager.consumer_info(EVENTS.name, HUB_CONSUMER)
            found.append((info.num_pending or 0) + (info.num_ack_pending or 0))

        await self.stream(look)
        return found[0]

    async def messages(self) -> int:
        """How many frames the stream holds."""
        found: list[int] = []

        async def look(manager: JetStreamContext) -> None:
            found.append((await manager.stream_info(EVENTS.name)).state.messages)

        await self.stream(look)
        return found[0]

    def tails(self) -> str:
        """Return the ends of all logs."""
        programs = (self.hub, *(site.node for site in self.sites))
        return "\n".join(f"--- {program.log.name}\n{program.tail()}" for program in programs)


async def started(program: Program) -> None:
    """Start a daemon and wait until it says that it is ready."""
    seen = program.log.stat().st_size if program.log.exists() else 0
    await program.start()
    word = f"{program.module}_ready".encode()
    process = program.process

    def look() -> bool:
        if word in program.log.read_bytes()[seen:]:
            return True
        if process is not None and process.returncode is not None:
            raise Broken(f"{program.home.name} ended with {process.returncode} at its start\n{program.tail()}")
        return False

    await until(f"{program.home.name} to be ready", look, READY_S)


@asynccontextmanager
async def county(
    folder: Path, sites: int, *, address: str = LOOPBACK, within: Sequence[str] = ()
) -> AsyncIterator[County]:
    """Give a running county; at the end every program must stop in order, with exit code 0."""
    made = County(folder, address, within)
    try:
        await made.found()
        async with asyncio.TaskGroup() as joining:
            for _ in range(sites):
                joining.create_task(made.settle())
        yield made
        odd = await made.close()
        if odd:
            raise Broken(f"{'; '.join(odd)}\n{made.tails()}")
    finally:
        made.end()
