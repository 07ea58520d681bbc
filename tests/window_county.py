"""A county for lookups in one process: real stores of a hub and some sites, joined by a bus in memory.

A site that is away hears nothing; its letters go when it is back.
"""

import asyncio
import datetime
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, insert

from hub.application import Application
from hub.correspondence import Correspondent
from hub.membership import keyring
from hub.membership.keyring_tables import enrolled_node
from hub.searching.search import Query
from hub.sites.board import record_beats
from hub.window import lookup_reading
from hub.window.coverage import Counter
from hub.window.late_answers import LookupClock, window_letters
from hub.window.lookup_views import LookupOrder, LookupView
from hub.window.lookups import LookupDesk
from node.correspondence import LetterDesk
from node.keeper import audit
from node.keeper.answers import keeper_letters, lookup_handler
from protocol.audit_chain import AuditLine
from protocol.beats import Beat
from protocol.calls import Correspond, Lookup, QuestionHead
from protocol.lookup_cases import LookupCase
from protocol.lookup_policy import DEFAULT_POLICY, Policy
from protocol.sites import parse_site
from replication import letters, outbox
from replication.answering import Handler, answer_calls
from replication.asking import Asker
from replication.database import Database, opened
from replication.inbox import Inbox
from replication.letters import HUB_PEER
from replication.precedence import Precedence
from tests.fakes import FakeBroker, FakeBus
from tests.hubs import MIGRATIONS
from tests.node_site import NodeSite, node_site, write_csv

NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000
HEADER = ("档号", "题名", "责任者", "日期", "保管期限", "密级", "开放标识", "民生档案种类")

REQUEST = UUID(int=77)
CASE = LookupCase(request_id=REQUEST, case_ref="（2026）安调字第12号", purpose="land_and_forest", requester="mediation")

Row = tuple[str, str, str, str, str, str, str]


def row(number: int, title: str, year: str, access: str = "开放") -> Row:
    """One line of a site's catalogue."""
    return (f"Z{number:03d}-WS·{year[:4]}·Y-{number:04d}", title, "某村委会", year, "永久", "", access)


class SiteEnd:
    """One site: its store, its bus, and how it answers."""

    def __init__(self, node: NodeSite, code: str, bus: FakeBus, county: "County") -> None:
        self.node = node
        self.code = code
        self.bus = bus
        self.policy: Policy = DEFAULT_POLICY
        self.is_away = False
        self.hangs = False
        self._county = county
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Answer from now on."""
        clock = self._county.clock
        desk = LetterDesk(self.node.database, keeper_letters(self.policy, clock), lambda: None, clock)
        handlers: dict[type[QuestionHead], Handler] = {
            Lookup: self._hanging(lookup_handler(self.node.database, self.policy, clock)),
            Correspond: desk.handler(),
        }
        site = parse_site(self.code)
        self._tasks = [asyncio.create_task(answer_calls(self.bus, site, lambda: ("e1", 1), handlers))]
        await asyncio.sleep(0.01)
        self.is_away = False
        await self._county.beat(self)

    def _hanging(self, handler: Handler) -> Handler:
        async def maybe(question: Lookup) -> object:
            if self.hangs:
                await asyncio.sleep(3600)
            return await handler(question)

        return maybe  # type: ignore[return-value]

    async def stop(self) -> None:
        """Hear nothing any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def go(self) -> None:
        """Go away, long ago."""
        await self.stop()
        self.is_away = True
        await self._county.beat(self)

    async def lines(self) -> list[AuditLine]:
        """Its audit log, the first line first."""
        return await self.node.database.read(lambda connection: audit.LOG.after(connection, 0))


class County:
    """A hub and its sites."""

    def __init__(self, database: Database, asker: Asker, broker: FakeBroker, root: Path, deadline_s: float) -> None:
        self.database = database
        self.broker = broker
        self.root = root
        self.now_ms = NOW_MS
        self.sites: dict[str, SiteEnd] = {}
        self.precedence = Precedence()
        self.desk = LookupDesk(database, asker, self.clock, deadline_s=deadline_s, precedence=self.precedence)
        self.correspondent = Correspondent(database, asker, window_letters(self.clock), self.clock)
        self._keys: dict[str, str] = {}

    def clock(self) -> int:
        """Return the county's wall clock."""
        return self.now_ms

    async def add(self, stack: AsyncExitStack, code: str, name: str, rows: Sequence[Row], *, kind: str = "") -> SiteEnd:
        """Enrol a site, take its catalogue in and bring it to the hub."""
        node = await stack.enter_async_context(node_site(self.root / code, code=code))
        end = SiteEnd(node, code, self.broker.bus(), self)
        self.sites[code] = end
        key = node.writer.identity.public_key
        self._keys[code] = key

        def enrol(connection: Connection) -> None:
            keyring.expect(connection, parse_site(code), name, datetime.date(2026, 1, 1))
            values = {"site": code, "name": "", "software": "", "enrolled_at_ms": 1}
            connection.execute(insert(enrolled_node).values(public_key=key, **values))

        await self.database.write(enrol)
        if rows:
            write_csv(node.folder / f"{kind or '目录'}.csv", rows, HEADER[:7])
            await node.settle()
            await self.carry(end)
        await end.start()
        stack.push_async_callback(end.stop)
        return end

    async def carry(self, end: SiteEnd) -> None:
        """Bring a site's outbox to the hub."""
        frames = await end.node.database.read(lambda connection: outbox.frames_after(connection, 0, 10_000))
        inbox = Inbox(self.database, Application(self.clock), lambda site: [self._keys[site.code]], self.clock)
        await inbox.take(inbox.read([(parse_site(end.code), frame.sealed) for frame in frames]))
        await Counter(self.database, self.clock).look()

    async def beat(self, end: SiteEnd) -> None:
        """Let a site give a sign of life, long ago if it is away."""
        at_ms = self.now_ms - (DAY_MS if end.is_away else 0)
        beat = Beat(site=end.code, node="U", epoch="e1", seq=1)
        await self.database.write(lambda connection: record_beats(connection, [beat], at_ms))

    async def ask(self, order: LookupOrder) -> list[LookupView]:
        """Ask, and return every view that was shown."""
        return [view async for view in self.desk.start(order)]

    async def view(self, lookup_id: UUID) -> LookupView:
        """Return a lookup as it stands."""
        found = await self.database.read(lambda connection: lookup_reading.view_of(connection, lookup_id))
        assert found is not None
        return found

    async def expire(self) -> int:
        """Let the clock of lookups look once."""
        return await LookupClock(self.database, self.clock).look()

    async def correspond(self) -> None:
        """Exchange letters with the sites that are there until nothing waits for them."""
        task = asyncio.create_task(self.correspondent.run())
        try:
            async with asyncio.timeout(20):
                while await self._is_waiting():
                    for end in self.sites.values():
                        if not end.is_away:
                            beat = Beat(site=end.code, node="U", epoch="e1", seq=1, letters=1)
                            await self.correspondent.hear(beat)
                    await asyncio.sleep(0.02)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _is_waiting(self) -> bool:
        there = [end for end in self.sites.values() if not end.is_away]
        due = set(await self.database.read(lambda connection: letters.peers_due(connection, self.now_ms)))
        if due & {end.code for end in there}:
            return True
        for end in there:
            waiting = await end.node.database.read(lambda c: letters.due(c, HUB_PEER, self.now_ms))
            if waiting[0]:
                return True
        return False


def order(number: int, words: str, **changes: object) -> LookupOrder:
    """A question of the window."""
    given: dict[str, object] = {
        "lookup_id": UUID(int=1000 + number),
        "case": CASE,
        "query": Query(words=words),
        "asked_by": "lin.min",
        "expires_at_ms": NOW_MS + 15 * DAY_MS,
        **changes,
    }
    return LookupOrder(**given)  # type: ignore[arg-type]


@asynccontextmanager
async def county(root: Path, *, deadline_s: float = 1.5) -> AsyncIterator[tuple[County, AsyncExitStack]]:
    """Open a hub; sites are added to the stack."""
    broker = FakeBroker()
    async with (
        opened(root / "hub.db", MIGRATIONS, readers=2) as database,
        Asker(broker.bus(), "hub").opened() as asker,
        AsyncExitStack() as stack,
    ):
        made = County(database, asker, broker, root, deadline_s)
        async with made.desk.opened():
            yield made, stack
