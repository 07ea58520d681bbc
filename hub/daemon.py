"""The hub's composition root: which parts there are, in which order they open, and what runs.

Order matters: the database first, since everything remembers there; then the broker with the users that the keyring
names; then the link; then those who work over it. Parts close in reverse.
"""

import asyncio
import datetime
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import structlog

from hub import board, broker, certificates
from hub.access import Access
from hub.application import Application
from hub.broker_config import broker_text
from hub.config import HubConfig
from hub.door import Door, door_opened
from hub.enrolment import Admissions, County
from hub.home import HubHome
from hub.keyring import Keyring
from hub.pulse import Pulse
from replication.asking import Asker
from replication.beats import hear_beats
from replication.connection import Link, LinkSettings, connected, inbox_prefix
from replication.consumer import Consumer
from replication.database import Database, opened
from replication.files import write_whole
from replication.gaps import GapCloser
from replication.inbox import Inbox, Taken
from replication.keys import load_identity
from replication.migrations import REPLICATION
from replication.streams import EVENTS, HUB_CONSUMER

MIGRATIONS = (REPLICATION, ("hub", Path(__file__).with_name("migrations")))
"""The schema of ``hub.db``."""

READERS = 3
"""Reading connections: one for enrolment and receipts, two for people who search."""

READER_CACHE_KIB = 64 * 1024
"""KiB of page cache of each reader: the hot part of the index of a county."""

RENEWAL_LOOK_S = 6 * 3600.0
"""Seconds between looks at whether the broker's certificate is due."""

log = structlog.get_logger(__name__)


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What is open while the hub runs."""

    database: Database
    access: Access
    link: Link
    asker: Asker
    keyring: Keyring
    door: Door
    broker: broker.Broker | None


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
        inbox_prefix=inbox_prefix(config.site),
        ca_file=config.broker_ca(home),
        seed_file=home.hub_seed,
    )


async def serve(config: HubConfig, home: HubHome, on_ready: Callable[[], None] = lambda: None) -> None:
    """Run the hub until it is cancelled.

    Raises:
        BadSetting: a setting, a key or a certificate is missing or wrong, or a port is taken.
        BrokenStore: the database is damaged.

    """
    async with _opened_parts(config, home) as parts, asyncio.TaskGroup() as tasks:
        gaps = GapCloser(parts.asker)
        pulse = Pulse(parts.database, parts.link, board.record_beats, clock_ms)

        async def taken_up(taken: Taken) -> None:
            gaps.note(taken)
            await pulse.confirm(taken)

        inbox = Inbox(parts.database, Application(clock_ms), parts.keyring.keys_of, clock_ms)
        consumer = Consumer(parts.link.pull(EVENTS, HUB_CONSUMER), inbox, taken_up)
        if parts.broker is not None:
            tasks.create_task(parts.broker.supervise(), name="broker")
            tasks.create_task(_renewed(config, home, parts.broker), name="certificates")
        tasks.create_task(parts.access.follow(), name="access")
        tasks.create_task(consumer.run(), name="consumer")
        tasks.create_task(gaps.run(), name="gaps")
        tasks.create_task(pulse.run(), name="pulse")
        tasks.create_task(hear_beats(parts.link, pulse.hear), name="beats")
        # The door opens last: whoever is admitted finds everything else at work.
        tasks.create_task(parts.door.answer(), name="door")
        log.info("hub_ready", county=config.county, broker=config.hub_urls[0], enrolment_port=parts.door.port)
        on_ready()


@asynccontextmanager
async def _opened_parts(config: HubConfig, home: HubHome) -> AsyncIterator[Parts]:
    identity = load_identity(home.hub_seed)
    certificates.provide(home, config.name, config.certified_hosts, now())
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            opened(home.database, MIGRATIONS, readers=READERS, reader_cache_kib=READER_CACHE_KIB)
        )
        keyring = Keyring(database)
        running, access = await _broker(stack, config, home, keyring, identity.public_key)
        link = await stack.enter_async_context(connected(link_settings(config, home)))
        asker = await stack.enter_async_context(Asker(link, "hub").opened())
        admissions = Admissions(
            database,
            _county(config, home, identity.public_key),
            certificates.door_fingerprint(home),
            access.settle,
            now,
        )
        door = await stack.enter_async_context(
            door_opened(config.enrolment, certificates.door_context(home), admissions.decide, time.monotonic)
        )
        yield Parts(
            database=database, access=access, link=link, asker=asker, keyring=keyring, door=door, broker=running
        )


async def _broker(
    stack: AsyncExitStack, config: HubConfig, home: HubHome, keyring: Keyring, hub_key: str
) -> tuple[broker.Broker | None, Access]:
    if config.external_broker is not None:
        access = Access(keyring, home, hub_key)
        await access.write()
        return None, access
    write_whole(home.broker_config, broker_text(home, config, hub_key).encode())
    await Access(keyring, home, hub_key).write()
    name = f"danglian {config.county}"
    running = await stack.enter_async_context(broker.running(broker.bundled_program(), home, config.broker, name))
    access = Access(keyring, home, hub_key, running.reload)
    return running, access


def _county(config: HubConfig, home: HubHome, hub_key: str) -> County:
    return County(
        code=config.county,
        name=config.name,
        hub_key=hub_key,
        county_key=home.county_key.read_bytes(),
        broker_urls=config.node_urls,
        broker_ca=config.broker_ca(home).read_text(encoding="ascii"),
    )


async def _renewed(config: HubConfig, home: HubHome, running: broker.Broker) -> None:
    """Renew the broker's certificate before it ends, for ever; connections stay up."""
    while True:
        await asyncio.sleep(RENEWAL_LOOK_S)
        if certificates.provide(home, config.name, config.certified_hosts, now()):
            await running.reload()


