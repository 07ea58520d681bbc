"""How a command beside the daemon reaches the sites: a connection of its own, under a name of its own."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator

import msgspec

from hub.config import HubConfig
from hub.daemon import link_settings
from hub.home import HubHome
from replication.asking import Asker
from replication.connection import Link, connected

LINK_PATIENCE_S = 3.0
"""Seconds that a command waits for the broker before it goes on with what the hub holds itself."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """An asker, and whether it can be used yet."""

    asker: Asker
    link: Link

    async def up(self) -> bool:
        """Wait until the link is up, ``LINK_PATIENCE_S`` at most; tell whether it is."""
        risen = asyncio.Event()
        forget = self.link.on_connected(risen.set)
        try:
            if not self.link.is_connected:
                async with asyncio.timeout(LINK_PATIENCE_S):
                    await risen.wait()
        except TimeoutError:
            return False
        finally:
            forget()
        return True


@contextlib.asynccontextmanager
async def reaching(home: HubHome, config: HubConfig) -> AsyncIterator[Reach]:
    """Connect to the broker with the hub's key, beside the daemon; returns at once and connects in the background.

    Raises:
        BadSetting: the key or the certificate is missing.

    """
    name = f"command-{secrets.token_hex(4)}"
    async with (
        connected(link_settings(config, home, f"danglian-hub {name}")) as link,
        Asker(link, name).opened() as asker,
    ):
        yield Reach(asker=asker, link=link)
