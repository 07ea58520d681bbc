"""Who may connect: the broker's list of users follows the keyring.

``settle`` reads the keyring, writes ``users.conf`` when it differs, and has the broker read it again, which cuts the
connections of a revoked node. Callers that come together are served together: a county that enrols all at once costs a
few reloads. What did not succeed is tried again at the next look.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from hub.home import HubHome
from hub.membership.broker_config import users_text
from hub.membership.keyring import KEYRING_POLL_S, Keyring
from protocol.errors import DanglianError
from replication.files import PRIVATE_MODE, write_whole

GATHER_S = 0.1
"""Seconds to wait for more changes before the broker is bothered."""

log = structlog.get_logger(__name__)


class Access:
    """Keeps the broker's users equal to the keyring; ``reload`` is None where somebody else runs the broker."""

    def __init__(
        self, keyring: Keyring, home: HubHome, hub_key: str, reload: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._keyring = keyring
        self._home = home
        self._hub_key = hub_key
        self._reload = reload
        self._settling = asyncio.Lock()
        self._asked = 0
        self._served = 0
        self._in_force: str | None = None

    async def write(self) -> None:
        """Read the keyring and write the users for a broker that is about to start."""
        await self._keyring.refresh()
        text = users_text(self._hub_key, self._keyring.users)
        write_whole(self._home.broker_users, text.encode("ascii"), mode=PRIVATE_MODE)
        self._in_force = text

    async def settle(self) -> None:
        """Bring the broker up to date with the keyring as it is at this call.

        Raises:
            LinkDown: the broker does not run now; it reads the new list when it starts.
            BadSetting: the broker refused the list and goes on with the old one.

        """
        self._asked += 1
        turn = self._asked
        async with self._settling:
            if self._served >= turn:
                return
            await asyncio.sleep(GATHER_S)
            self._served = self._asked
            await self._bring_up_to_date()

    async def _bring_up_to_date(self) -> None:
        await self._keyring.refresh()
        text = users_text(self._hub_key, self._keyring.users)
        if text == self._in_force:
            return
        write_whole(self._home.broker_users, text.encode("ascii"), mode=PRIVATE_MODE)
        if self._reload is not None:
            await self._reload()
        self._in_force = text
        log.info("broker_users_changed", nodes=len(self._keyring.nodes), reloaded=self._reload is not None)

    async def follow(self) -> None:
        """Settle every ``KEYRING_POLL_S``; runs until cancelled."""
        while True:
            try:
                await self.settle()
            except DanglianError as error:
                # Nothing is lost: the list is written, and the next look tries again.
                log.error("broker_users_not_in_force", reason=error.reason.en)  # noqa: TRY400 - the reason says it all
            except OSError as error:
                log.error("broker_users_not_written", fault=error.strerror)  # noqa: TRY400 - the disk's own word
            await asyncio.sleep(KEYRING_POLL_S)
