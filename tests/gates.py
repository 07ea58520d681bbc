"""A hub's gate for a test: a home of its own, free ports, the real bundled broker, clients that act as nodes."""

import asyncio
import contextlib
import datetime
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import nats
from nats.aio.client import Client

from hub.commands import enrol as enrol_command
from hub.commands import init as init_command
from hub.config import HubConfig, parse
from hub.home import HubHome, home_at
from hub.membership import gate
from hub.membership.codes import CodeOrder
from hub.membership.gate import Gate
from hub.storage import store
from node.enrolment import DoorAddress, Enrolled, Installation, enrol
from node.home import NodeHome
from node.home import home_at as node_home_at
from protocol.enrolment import EnrolmentCode, parse_code
from protocol.sites import parse_site
from replication.broker_client import tls_context
from replication.connection import LinkSettings, inbox_prefix
from replication.database import Database

COUNTY = "330523000000"
CONNECT_S = 5


class HubUnderTest:
    """A hub's home, its database and, inside ``opened_gate``, its gate."""

    def __init__(self, home: HubHome, settings: HubConfig, database: Database) -> None:
        self.home = home
        self.settings = settings
        self.database = database
        self.now = datetime.datetime.now(datetime.UTC)
        self.gate: Gate

    @property
    def door(self) -> DoorAddress:
        """Where nodes are enrolled."""
        return DoorAddress(host="127.0.0.1", port=self.settings.enrolment.port)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return self.settings.hub_urls[0]

    async def code(self, site: str, *, valid_days: int = 7, replaces: bool = False) -> EnrolmentCode:
        """A code as the command issues it, from beside the daemon."""
        order = CodeOrder(site=parse_site(site), name=f"站点{site}", valid_days=valid_days, replaces=replaces)
        (issued,) = await enrol_command.issue_all(self.home, [order])
        if isinstance(issued, Exception):
            raise issued
        return parse_code(issued.code)

    async def node(self, folder: Path, site: str, *, replaces: bool = False) -> tuple[NodeHome, Enrolled]:
        """A node of a site, enrolled through the door."""
        home = node_home_at(folder)
        done = await enrol(
            home, self.door, await self.code(site, replaces=replaces), Installation(name="PC"), os.urandom
        )
        return home, done

    async def connect_hub(self) -> Client:
        """A client with the hub's rights."""
        return await self._connect(self.home.hub_seed, self.home.authority, "_INBOX_hub", [])

    async def connect_node(self, node: NodeHome, site: str, errors: list[str], *, inbox: str = "") -> Client:
        """A client with a node's rights; what the broker denies later lands in ``errors``."""
        prefix = inbox or inbox_prefix(parse_site(site))
        return await self._connect(node.seed, node.authority, prefix, errors)

    async def _connect(self, seed: Path, authority: Path, prefix: str, errors: list[str]) -> Client:
        async def note(error: Exception) -> None:
            errors.append(str(error))

        settings = LinkSettings(urls=(self.url,), name="test", inbox_prefix=prefix, ca_file=authority, seed_file=seed)
        return await nats.connect(
            self.url,
            tls=tls_context(settings),
            nkeys_seed=str(seed),
            inbox_prefix=prefix,
            error_cb=note,
            connect_timeout=CONNECT_S,
            allow_reconnect=False,
        )


@contextlib.asynccontextmanager
async def hub_home(folder: Path, free_port: Callable[[], int]) -> AsyncIterator[HubUnderTest]:
    """A hub's home as ``danglian-hub init`` makes it, with its database open."""
    home = home_at(folder)
    text = init_command.settings_text(COUNTY, "某县档案馆", [], "127.0.0.1", free_port(), free_port())
    settings = parse(text)
    init_command.make_home(home, settings, text, datetime.datetime.now(datetime.UTC))
    async with store.opened(home) as database:
        yield HubUnderTest(home, settings, database)


@contextlib.asynccontextmanager
async def opened_gate(hub: HubUnderTest) -> AsyncIterator[HubUnderTest]:
    """The gate, open and running."""
    async with gate.opened(hub.home, hub.settings, hub.database, lambda: hub.now) as hub.gate:
        running = asyncio.create_task(hub.gate.run())
        try:
            yield hub
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
