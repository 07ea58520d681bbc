"""The hub's composition root: which parts there are, in which order they open, and what runs.

Order matters: the database first, since everything remembers there; then the gate, which brings up the broker with the
users that the keyring names; then the link, and those who work over it. Parts close in reverse.
"""

import asyncio
import datetime
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version

import structlog
from sqlalchemy import Connection

from hub.alarm import health
from hub.alarm.health import Health
from hub.alarm.lookout import Lookout
from hub.alarm.refusals import Refusals
from hub.application import Application
from hub.backup.backups import findings_in
from hub.backup.nightly import Nightly
from hub.config import HubConfig, load
from hub.correspondence import Correspondent
from hub.courier.letter_handlers import letter_handlers
from hub.disclosure.disclosing import Discloser
from hub.draws.drawing import Drawer
from hub.home import HubHome
from hub.keeping.fixity import Fixity
from hub.keeping.held_copies import CopyKeeper
from hub.keeping.keeping_findings import alarms_of, known, sentences
from hub.membership import gate, keyring
from hub.membership.gate import Gate
from hub.repair.comparing import Comparer
from hub.repair.fetches import answer_fetches
from hub.repair.night import NightHour
from hub.repair.redriving import Redriver
from hub.sites import board
from hub.sites.pulse import Pulse
from hub.staff import first_use
from hub.storage import store
from hub.storage.postgres import IDLE_MS, SHARED_IDLE_MS
from hub.storage.reindexing import Reindexer
from hub.storage.tidying import Tidier
from hub.transfers.office import receiver_log, relay_of
from hub.transfers.passing import PassDesk
from hub.transfers.receiving import TransferDesk
from hub.transfers.relaying import TransferRelay
from hub.transfers.witnessing import WitnessDesk
from hub.vocabulary.word_tables import ReadingsInForce
from hub.window import audit_findings
from hub.window.audit_heads import HeadExchange
from hub.window.copyist import Copyist
from hub.window.coverage import Counter
from hub.window.disposing import Disposer
from hub.window.imprints import Imprint, imprint_of
from hub.window.late_answers import LookupClock
from hub.window.lookups import LookupDesk
from hub.window.timekeeping import timekeeper_of
from hub.workers.leases import LEAD, duties_of, guard, part_duty
from hub.workers.worker import LeasedSource, Worker
from protocol.beats import Beat
from protocol.sites import Site, parse_site
from replication.asking import Asker
from replication.beats import hear_beats
from replication.brokers import backlog_of_parts, cluster_of
from replication.connection import Link, LinkSettings, connected
from replication.consumer import FETCH_FRAMES, READY_FRAMES_MAX, Consumer, Source
from replication.database import Database
from replication.gaps import GapCloser
from replication.inbox import Inbox, Taken
from replication.keys import load_identity
from replication.letters import Handlers
from replication.parts import part_of, plan_of, reader_of
from replication.precedence import Precedence
from replication.streams import HUB_CONSUMER
from replication.transfer_checks import tools_of
from replication.wall_clock import clock_ms

READERS = 3
"""Reading connections: one for enrolment and receipts, two for people who search."""

READER_CACHE_KIB = 64 * 1024
"""KiB of page cache of each reader: the hot part of the index of a county."""

DISTRIBUTION = "danglian"

INBOX = "_INBOX_hub"
"""First token of the hub's own inbox: no site's, so that no node may listen to it."""

ASKER = "hub"
"""Name under which the daemon asks the sites; commands beside it ask under names of their own."""

log = structlog.get_logger(__name__)


def now() -> datetime.datetime:
    """Return the present moment."""
    return datetime.datetime.now(datetime.UTC)


def link_settings(config: HubConfig, home: HubHome, name: str = "danglian-hub") -> LinkSettings:
    """Return how the hub, or a command beside it, reaches the broker."""
    return LinkSettings(
        urls=config.hub_urls,
        name=name,
        inbox_prefix=INBOX,
        ca_file=config.broker_ca(home),
        seed_file=home.hub_seed,
    )


async def serve(home: HubHome, on_ready: Callable[[], None] = lambda: None) -> None:
    """Run the hub of a home until it is cancelled.

    Raises:
        BadSetting: a setting, a key or a certificate is missing or wrong, or a port is taken.
        BrokenStore: the database is damaged.

    """
    config, started_at_ms = load(home.settings), clock_ms()
    is_shared = config.workers.parts > 1
    name = f"{ASKER}-{secrets.token_hex(4)}" if is_shared else ASKER

    async def healthy() -> Health:
        return await health.look(database, home, config.backup, clock_ms(), started_at_ms=started_at_ms)

    precedence = Precedence()
    async with (
        store.opened(
            home,
            readers=READERS,
            reader_cache_kib=READER_CACHE_KIB,
            idle_ms=SHARED_IDLE_MS if is_shared else IDLE_MS,
        ) as database,
        gate.opened(home, config, database, now) as county_gate,
        connected(link_settings(config, home)) as link,
        Asker(link, name).opened() as asker,
        _console_served(config, home, database, link, asker, healthy, precedence),
        AsyncExitStack() as stack,
        asyncio.TaskGroup() as tasks,
    ):
        hub = _Hub(config, home, database, county_gate, link, asker, precedence)
        if is_shared:
            beats = await stack.enter_async_context(store.beats_opened(home))
            hub.share(tasks, beats, name)
        else:
            hub.start_alone(tasks)
        # The gate works last: whoever is admitted finds everything else at work.
        tasks.create_task(county_gate.run(), name="gate")
        log.info("hub_ready", county=config.county, broker=config.hub_urls[0], enrolment_port=county_gate.door.port)
        on_ready()


@asynccontextmanager
async def _console_served(
    config: HubConfig,
    home: HubHome,
    database: Database,
    link: Link,
    asker: Asker,
    healthy: Callable[[], Awaitable[Health]],
    precedence: Precedence,
) -> AsyncIterator[None]:
    """Serve the console, if the settings want one, and say how its first user gets in."""
    if not config.web.port:
        yield
        return
    # The web framework takes most of a second to load, which every command that knows this module would pay.
    from hub.web.console import backstage_for  # noqa: PLC0415
    from hub.web.reach import reach_of  # noqa: PLC0415
    from hub.web.serving import served  # noqa: PLC0415

    names = ReadingsInForce(home, time.monotonic).current
    lookups = LookupDesk(database, asker, clock_ms, names, precedence=precedence)
    backstage = backstage_for(
        database,
        config.web,
        config.name,
        clock_ms=clock_ms,
        is_linked=lambda: link.is_connected,
        reach=reach_of(config, home, asker, lookups, healthy),
        names=names,
    )
    async with lookups.opened(), served(backstage, home, precedence):
        log.info("console_ready", address=config.web.url)
        first = await database.write(lambda connection: first_use.invite(connection, clock_ms()))
        if first is not None:
            # For the person who starts the hub, not for the log: it is a secret until it is used.
            sys.stderr.write(first_use.told(config.web.url, first))
            sys.stderr.flush()
        yield


def _lookout(config: HubConfig, home: HubHome, database: Database, link: Link) -> Lookout:
    parts, plan = config.workers.parts, config.events
    lookout = Lookout(
        database,
        config.county,
        config.alarms,
        backlog=lambda: backlog_of_parts(link, plan, parts),
        is_connected=lambda: link.is_connected,
        refusals=Refusals(home.broker_log),
        clock_ms=clock_ms,
        software=version(DISTRIBUTION),
    )
    if plan.replicas > 1:
        lookout.watch_cluster(lambda: cluster_of(link, plan))
    lookout.watch_book(lambda connection, _now_ms: audit_findings.findings(connection, config.county))
    lookout.watch_book(
        lambda connection, now_ms: alarms_of(
            config.county, sentences(config.holdings, known(connection, config.holdings), now_ms)
        )
    )
    lookout.watch_backups(lambda now_ms: findings_in(home.backups, config.backup, now_ms))
    return lookout


class _Hub:
    """The parts of one running hub, and how they are put to work: alone, or sharing the duties with other workers."""

    def __init__(
        self,
        config: HubConfig,
        home: HubHome,
        database: Database,
        county_gate: Gate,
        link: Link,
        asker: Asker,
        precedence: Precedence,
    ) -> None:
        self._config = config
        self._home = home
        self._database = database
        self._keys = county_gate.keyring.keys_of
        self._link = link
        self._asker = asker
        self._precedence = precedence
        self.drawer = Drawer(database, link, load_identity(home.hub_seed), self._keys, clock_ms)
        self._application = Application(clock_ms)
        self._pulse = Pulse(database, link, board.record_beats, clock_ms)
        self._tidier = Tidier(database, precedence=precedence)
        self._worker: Worker | None = None

    def start_alone(self, tasks: asyncio.TaskGroup) -> None:
        """Do everything here."""
        source = self._link.pull(self._config.events, HUB_CONSUMER)
        tasks.create_task(self._apply(source, self._inbox()), name="applying")
        tasks.create_task(self._lead(), name="lead")
        tasks.create_task(self._pulse.run(), name="pulse")
        tasks.create_task(hear_beats(self._link, self._pulse.hear), name="beats")
        tasks.create_task(answer_fetches(self._link, self._database), name="restoring")

    def share(self, tasks: asyncio.TaskGroup, beats: Database, name: str) -> None:
        """Do what the leases give us."""
        parts = self._config.workers.parts
        worker = Worker(beats, name, duties_of(parts), partial(self._do, name))

        def is_ours(site: Site) -> bool:
            return part_duty(part_of(site, parts)) in worker.duties

        async def hear(beat: Beat) -> None:
            if is_ours(parse_site(beat.site)):
                await self._pulse.hear(beat)

        tasks.create_task(worker.run(), name="worker")
        tasks.create_task(self._pulse.run(), name="pulse")
        tasks.create_task(hear_beats(self._link, hear), name="beats")
        tasks.create_task(answer_fetches(self._link, self._database, is_ours), name="restoring")

    async def _do(self, name: str, duty: str, fence: int, certain_s: Callable[[], float]) -> None:
        if duty == LEAD:
            await self._lead()
            return
        parts = self._config.workers.parts
        part = duties_of(parts).index(duty) - 1
        source = self._link.pull(plan_of(part, parts, self._config.events), reader_of(part, parts))
        try:
            # What is pulled and not stored when a duty is given up waits for its next holder to be told again.
            await self._apply(LeasedSource(source, certain_s), self._inbox(guard(name, duty, fence)), FETCH_FRAMES)
        finally:
            await source.close()

    def _inbox(self, check: Callable[[Connection], None] = lambda _: None) -> Inbox:
        return Inbox(self._database, self._application, self._keys, clock_ms, check)

    async def _apply(self, source: Source, inbox: Inbox, ready_max: int = READY_FRAMES_MAX) -> None:
        """Apply what a source brings, confirm it, and ask for what is missing in it, until cancelled."""
        gaps = GapCloser(self._asker)

        async def taken_up(taken: Taken) -> None:
            gaps.note(taken)
            self._tidier.note()
            await self._pulse.confirm(taken)

        async with asyncio.TaskGroup() as tasks:
            consumer = Consumer(source, inbox, taken_up, ready_max=ready_max, precedence=self._precedence)
            tasks.create_task(consumer.run(), name="consumer")
            tasks.create_task(gaps.run(), name="gaps")

    def _keepers(self) -> tuple[Fixity, CopyKeeper]:
        held = self._config.holdings
        root = held.place(self._home.root)
        shared = (self._database, root, held.copy, self._config.county, held.fixity_days, clock_ms)
        return Fixity(*shared), CopyKeeper(*shared)

    def _copyist(self) -> Copyist:
        settings, name = self._config.certificates, self._config.name

        def imprint() -> Imprint:
            return imprint_of(settings, name, now())

        identity = load_identity(self._home.hub_seed)
        return Copyist(self._database, self._home, self.drawer.draw_to_the_end, identity, imprint, clock_ms)

    async def _lead(self) -> None:
        """Do what one worker does for all, until cancelled."""
        lookout = _lookout(self._config, self._home, self._database, self._link)
        withdraw = self._link.on_connected(lookout.hear_link)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(lookout.run(), name="lookout")
                self._correspond(tasks)
                self._tend_catalogue(tasks)
        finally:
            withdraw()

    def _correspond(self, tasks: asyncio.TaskGroup) -> None:
        """Start what works by letters: lookups, copies, transfers, proposals, and the letters themselves."""
        transfers, relay = receiver_log(self._home), relay_of(self._home, self._config.county)
        handlers = letter_handlers(self._home, relay, clock_ms)
        correspondent = Correspondent(self._database, self._asker, handlers, clock_ms)
        places = (self._home.transfers, self._config.holdings.place(self._home.root))
        tools = tools_of(self._config.transfers)
        receiving = TransferDesk(self._database, transfers, self.drawer, *places, clock_ms, time.monotonic, tools)
        tasks.create_task(correspondent.run(), name="letters")
        tasks.create_task(hear_beats(self._link, correspondent.hear), name="beats for letters")
        tasks.create_task(self._copyist().run(), name="copyist")
        tasks.create_task(receiving.run(), name="transfers")
        self._witness(tasks, relay, handlers)
        tasks.create_task(LookupClock(self._database, clock_ms).run(), name="lookups")
        tasks.create_task(HeadExchange(self._database, clock_ms).run(), name="audit heads")
        tasks.create_task(Disposer(self._database, self._home, clock_ms).run(), name="disposal")
        tasks.create_task(timekeeper_of(self._config, self._database, clock_ms).run(), name="terms")

    def _witness(self, tasks: asyncio.TaskGroup, relay: TransferRelay, handlers: Handlers) -> None:
        """Start what carries the transfers of two sites from one to the other."""
        root = self._home.transfers
        desk = WitnessDesk(self._database, relay, self.drawer, root, handlers, clock_ms, time.monotonic)
        passing = PassDesk(self._database, self._link, root, keyring.keys_now)
        tasks.create_task(desk.run(), name="witnessing")
        tasks.create_task(passing.run(), name="passing on")

    def _tend_catalogue(self, tasks: asyncio.TaskGroup) -> None:
        """Start what keeps the catalogue right: its index, its repairs, its counts, its backups."""
        hour = NightHour(hour=self._config.verification.night_hour)
        tasks.create_task(Reindexer(self._database).run(), name="reindexing")
        tasks.create_task(Redriver(self._database, self._application, self._inbox()).run(), name="redriving")
        tasks.create_task(self._tidier.run(), name="tidier")
        tasks.create_task(self._tidier.run_beside(), name="tidier beside loads")
        tasks.create_task(Comparer(self._database, self._asker, clock_ms, hour=hour).run(), name="comparer")
        tasks.create_task(Counter(self._database, clock_ms).run(), name="coverage")
        tasks.create_task(Nightly(self._home, self._config, now).run(), name="nightly backups")
        for keeper in self._keepers():
            tasks.create_task(keeper.run(), name="keeping")
        if self._config.web.oai_contact:
            tasks.create_task(Discloser(self._database, clock_ms).run(), name="disclosures")
