"""The hub's composition root: which parts there are, in which order they open, and what runs.

Order matters: the database first, since everything remembers there; then the gate, which brings up the broker with the
users that the keyring names; then the link, and those who work over it. Parts close in reverse.
"""

import asyncio
import datetime
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

import structlog

from hub import board, first_use, gate, health, store
from hub.application import Application
from hub.backups import findings_in
from hub.comparing import Comparer
from hub.config import HubConfig, load
from hub.disclosing import Discloser
from hub.fetches import answer_fetches
from hub.gate import Gate
from hub.health import Health
from hub.health_door import health_door_opened
from hub.home import HubHome
from hub.lookout import Lookout
from hub.night import NightHour
from hub.nightly import Nightly
from hub.pulse import Pulse
from hub.redriving import Redriver
from hub.refusals import Refusals
from hub.reindexing import Reindexer
from hub.tidying import Tidier
from replication.asking import Asker
from replication.beats import hear_beats
from replication.connection import Link, LinkSettings, connected
from replication.consumer import Consumer
from replication.database import Database
from replication.gaps import GapCloser
from replication.inbox import Inbox, Taken
from replication.streams import EVENTS, HUB_CONSUMER, backlog_of

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


def clock_ms() -> int:
    """Return the wall clock in milliseconds since 1970: for display, never for order."""
    return time.time_ns() // 1_000_000


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

    async def healthy() -> Health:
        return await health.look(database, home, config.backup, clock_ms(), started_at_ms=started_at_ms)

    async with (
        store.opened(home, readers=READERS, reader_cache_kib=READER_CACHE_KIB) as database,
        gate.opened(home, config, database, now) as county_gate,
        connected(link_settings(config, home)) as link,
        Asker(link, ASKER).opened() as asker,
        health_door_opened(config.health, healthy),
        _console_served(config, home, database, link),
        asyncio.TaskGroup() as tasks,
    ):
        if config.web.oai_contact:
            tasks.create_task(Discloser(database, clock_ms).run(), name="disclosures")
        _start(tasks, database, county_gate, link, asker, NightHour(hour=config.verification.night_hour))
        tasks.create_task(_lookout(config, home, database, link).run(), name="lookout")
        tasks.create_task(Nightly(home, config, now).run(), name="nightly backups")
        log.info("hub_ready", county=config.county, broker=config.hub_urls[0], enrolment_port=county_gate.door.port)
        on_ready()


@asynccontextmanager
async def _console_served(config: HubConfig, home: HubHome, database: Database, link: Link) -> AsyncIterator[None]:
    """Serve the console, if the settings want one, and say how its first user gets in."""
    if not config.web.port:
        yield
        return
    # The web framework takes most of a second to load, which every command that knows this module would pay.
    from hub.web.console import backstage_for  # noqa: PLC0415
    from hub.web.serving import served  # noqa: PLC0415

    backstage = backstage_for(database, config.web, config.name, clock_ms=clock_ms, is_linked=lambda: link.is_connected)
    async with served(backstage, home):
        log.info("console_ready", address=config.web.url)
        first = await database.write(lambda connection: first_use.invite(connection, clock_ms()))
        if first is not None:
            # For the person who starts the hub, not for the log: it is a secret until it is used.
            sys.stderr.write(first_use.told(config.web.url, first))
            sys.stderr.flush()
        yield


def _lookout(config: HubConfig, home: HubHome, database: Database, link: Link) -> Lookout:
    lookout = Lookout(
        database,
        config.county,
        config.alarms,
        backlog=lambda: backlog_of(link, EVENTS, HUB_CONSUMER),
        is_connected=lambda: link.is_connected,
        refusals=Refusals(home.broker_log),
        clock_ms=clock_ms,
        software=version(DISTRIBUTION),
    )
    link.on_connected(lookout.hear_link)
    lookout.watch_backups(lambda now_ms: findings_in(home.backups, config.backup, now_ms))
    return lookout


def _start(
    tasks: asyncio.TaskGroup, database: Database, county_gate: Gate, link: Link, asker: Asker, hour: NightHour
) -> None:
    gaps = GapCloser(asker)
    pulse = Pulse(database, link, board.record_beats, clock_ms)

    async def taken_up(taken: Taken) -> None:
        gaps.note(taken)
        await pulse.confirm(taken)

    application = Application(clock_ms)
    inbox = Inbox(database, application, county_gate.keyring.keys_of, clock_ms)
    consumer = Consumer(link.pull(EVENTS, HUB_CONSUMER), inbox, taken_up)
    tasks.create_task(consumer.run(), name="consumer")
    tasks.create_task(gaps.run(), name="gaps")
    tasks.create_task(Reindexer(database).run(), name="reindexing")
    tasks.create_task(Redriver(database, application, inbox).run(), name="redriving")
    tasks.create_task(pulse.run(), name="pulse")
    tasks.create_task(hear_beats(link, pulse.hear), name="beats")
    tasks.create_task(Tidier(database).run(), name="tidier")
    tasks.create_task(Comparer(database, asker, clock_ms, hour=hour).run(), name="comparer")
    tasks.create_task(answer_fetches(link, database), name="restoring")
    # The gate works last: whoever is admitted finds everything else at work.
    tasks.create_task(county_gate.run(), name="gate")
