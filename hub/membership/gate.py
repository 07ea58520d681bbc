"""The gate of the county: broker, keyring and enrolment door of one hub, opened in the order they need each other.

    claim on the home → certificates → users and configuration of the broker → broker → door

The daemon opens the gate before anything that speaks over the broker, and closes it last.
"""

import asyncio
import datetime
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from hub import broker
from hub.broker import Broker
from hub.config import HubConfig
from hub.home import HubHome
from hub.membership import certificates
from hub.membership.access import Access
from hub.membership.broker_config import server_name
from hub.membership.door import Door, door_opened
from hub.membership.enrolment import Admissions, County
from hub.membership.keyring import Keyring
from protocol.errors import DanglianError
from replication.claim import claimed
from replication.county_key import read_county_key
from replication.database import Database
from replication.keys import load_identity

RENEWAL_CHECK_S = 24 * 3600.0
"""Seconds between looks whether the broker's certificate is due."""

log = structlog.get_logger(__name__)


class Gate:
    """The open gate: ``keyring`` says who may sign what, ``run`` keeps everything going."""

    def __init__(
        self, keyring: Keyring, access: Access, door: Door, server: Broker | None, renew: Callable[[], bool]
    ) -> None:
        self.keyring = keyring
        self.access = access
        self.door = door
        self.broker = server
        self._renew = renew

    async def run(self) -> None:
        """Let nodes in, cut revoked ones off, keep the broker alive; runs until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.door.answer(), name="enrolment door")
            tasks.create_task(self.access.follow(), name="access")
            if self.broker is not None:
                tasks.create_task(self.broker.supervise(), name="broker")
                tasks.create_task(self._renew_certificate(self.broker), name="certificate")

    async def _renew_certificate(self, server: Broker) -> None:
        while True:
            await asyncio.sleep(RENEWAL_CHECK_S)
            try:
                if self._renew():
                    await server.reload()
                    log.info("certificate_renewed")
            except DanglianError as error:
                # The old certificate is good for months yet: tomorrow is another look.
                log.error("certificate_not_renewed", reason=error.reason.en)  # noqa: TRY400 - the reason says it all
            except OSError as error:
                log.error("certificate_not_written", fault=error.strerror)  # noqa: TRY400 - the disk's own word


@asynccontextmanager
async def opened(
    home: HubHome, config: HubConfig, database: Database, now: Callable[[], datetime.datetime]
) -> AsyncIterator[Gate]:
    """Open the gate; ``Gate.run`` belongs into a task inside the block.

    Raises:
        BadSetting: another hub runs on this home, a file of it is missing or damaged, a port is taken, or the broker
            refuses its configuration.
        LinkDown: the broker did not become ready in time.

    """
    hub_key = load_identity(home.hub_seed).public_key

    def renew() -> bool:
        return certificates.provide(home, config.county, config.certified_hosts, now())

    async with AsyncExitStack() as stack:
        stack.enter_context(claimed(home.root, "danglian-hub"))
        renew()
        keyring = Keyring(database)
        server: Broker | None = None
        if config.external_broker is None:
            server = Broker(broker.bundled_program(), home, config.broker, server_name(config, hub_key))
        access = Access(keyring, home, hub_key, None if server is None else server.reload)
        await access.write()
        if server is not None:
            broker.configure(home, config, hub_key)
            await stack.enter_async_context(broker.running(server))
        fingerprint = certificates.door_fingerprint(home)
        admissions = Admissions(database, county_of(home, config, hub_key), fingerprint, access.settle, now)
        context = certificates.door_context(home)
        door = await stack.enter_async_context(
            door_opened(config.enrolment, context, admissions.decide, time.monotonic)
        )
        yield Gate(keyring, access, door, server, renew)


def county_of(home: HubHome, config: HubConfig, hub_key: str) -> County:
    """Return what every admission says of the county."""
    return County(
        code=config.county,
        name=config.name,
        hub_key=hub_key,
        county_key=read_county_key(home.county_key),
        broker_urls=config.node_urls,
        broker_ca=config.broker_ca(home).read_text(encoding="ascii"),
    )
