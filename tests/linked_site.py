"""A real site's store and a real hub's catalogue in one process, joined by a bus in memory instead of a broker.

The site answers calls with the node's own handlers; its frames are carried to the hub's inbox when a test says so.
"""

import asyncio
import datetime
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import Connection, insert

from hub.application import Application
from hub.membership import keyring
from hub.membership.keyring_tables import enrolled_node
from hub.repair.comparing import Comparer
from hub.repair.repairs import Repair, kept
from hub.sites.board import SiteState, board, record_beats
from node import search
from node.redescribing import redescribe_handler
from protocol.beats import Beat
from protocol.calls import Health, QuestionHead, Redescribe
from protocol.sites import Site, parse_site
from replication import outbox
from replication.answering import Handler, answer_calls
from replication.asking import Asker
from replication.database import Database, opened
from replication.inbox import Inbox, Taken
from tests.fakes import FakeBroker
from tests.hubs import MIGRATIONS, Hub
from tests.node_site import CODE as SITE_CODE
from tests.node_site import NodeSite, node_site

NOW_MS = 1_790_000_000_000
CODE = SITE_CODE
SITE: Site = parse_site(CODE)


class LinkedSite:
    """One site and its county, and what a test does to them."""

    def __init__(self, node: NodeSite, database: Database, asker: Asker, broker: FakeBroker) -> None:
        self.node = node
        self.broker = broker
        self.hub = Hub(database)
        self.asker = asker
        self.now_ms = NOW_MS
        self.carried_events = 0
        key = node.writer.identity.public_key
        self.inbox = Inbox(database, Application(self.clock), lambda _site: [key], self.clock)
        self.comparer = Comparer(database, asker, self.clock)

    def clock(self) -> int:
        """Return the county's wall clock."""
        return self.now_ms

    async def enrol(self) -> None:
        """Let the county know the site."""

        def step(connection: Connection) -> None:
            keyring.expect(connection, SITE, "", datetime.date(2026, 1, 1))
            row = {"site": CODE, "name": "", "software": "", "enrolled_at_ms": 1}
            connection.execute(insert(enrolled_node).values(public_key=self.node.writer.identity.public_key, **row))

        await self.hub.database.write(step)

    async def carry(self) -> Taken:
        """Bring everything in the site's outbox to the hub, and the receipt and a sign of life the other way."""
        frames = await self.node.database.read(lambda connection: outbox.frames_after(connection, 0, 10_000))
        taken = await self.inbox.take(self.inbox.read([(SITE, frame.sealed) for frame in frames]))
        self.carried_events += taken.applied_events
        if frames:
            await self.node.database.write(lambda connection: outbox.forget(connection, frames[-1].last))
        await self.beat()
        return taken

    async def frame_bytes(self) -> int:
        """Return how many bytes wait in the site's outbox."""
        frames = await self.node.database.read(lambda connection: outbox.frames_after(connection, 0, 10_000))
        return sum(len(frame.sealed) for frame in frames)

    async def beat(self) -> None:
        """Let the site give a sign of life."""
        here = await self.node.database.read(outbox.head)
        assert here is not None
        beat = Beat(site=CODE, node="U1", epoch=here.epoch, seq=here.seq)
        await self.hub.database.write(lambda connection: record_beats(connection, [beat], self.now_ms))

    async def compare(self) -> list[str]:
        """Let the background look once, a good while after the last look; return what it found."""
        self.now_ms += 61_000
        await self.beat()
        return [verdict.state.value for verdict in await self.comparer.step()]

    async def line(self) -> SiteState:
        """Return the site's line of the board."""
        (line,) = await self.hub.database.read(lambda connection: board(connection, self.now_ms))
        return line

    async def repairs(self) -> Sequence[Repair]:
        """Return all repairs, the latest first."""
        return await self.hub.database.read(lambda connection: kept(connection, 100))

    async def spoil(self, sql: str, *values: object) -> int:
        """Change something at the hub behind its back."""
        return await self.hub.database.write(lambda c: c.exec_driver_sql(sql, tuple(values)).rowcount)


@asynccontextmanager
async def linked_site(root: Path) -> AsyncIterator[LinkedSite]:
    """Open both ends; the site answers for as long as the context lasts."""
    broker = FakeBroker()

    async def health() -> Health:
        return Health(version="0")

    async with (
        node_site(root / "site") as node,
        opened(root / "hub.db", MIGRATIONS) as database,
        Asker(broker.bus(), "hub").opened() as asker,
    ):
        handlers: dict[type[QuestionHead], Handler] = {
            **search.handlers(node.database, lambda: ("", 0), health),
            Redescribe: redescribe_handler(node.database, node.writer, node.wake),
        }
        answering = asyncio.create_task(answer_calls(broker.bus(), SITE, lambda: ("", 0), handlers))
        await asyncio.sleep(0.01)
        try:
            linked = LinkedSite(node, database, asker, broker)
            await linked.enrol()
            yield linked
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
