"""The giver's daemon side: takes offers back whose files have arrived, and moves custody once both have signed."""

import asyncio
from collections.abc import Callable, Collection
from functools import partial
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import Connection

from node.consigning import offered, withdraw
from node.transfers.custody import CustodyMover
from node.transfers.receiving import signing_keys
from protocol.errors import Permanent, Retryable
from protocol.sites import SiteRank, parse_site
from protocol.transfer_folds import Transfer
from protocol.transfers import Side, TransferState
from protocol.wording import Text
from replication import transfer_rounds
from replication.database import Database
from replication.transfer_log import HOST, LOOK_S, REST_S, USUAL, opened_transfers, pause_s
from replication.transfer_signing import signature_fault

log = structlog.get_logger(__name__)


class GivingDesk:
    """Works on every transfer that waits for the giver's program; ``run`` is its loop."""

    def __init__(
        self, database: Database, mover: CustodyMover, hub_keys: Collection[str], wake: Callable[[], None]
    ) -> None:
        self._database = database
        self._mover = mover
        self._hub_keys = frozenset(hub_keys)
        self._wake = wake
        self._refused: set[UUID] = set()

    async def run(self) -> None:
        """Take up whatever waits, for ever."""
        while True:
            pause = LOOK_S
            try:
                pause = await self._database.read(pause_s)
                if pause < REST_S:
                    await self.step()
            except Retryable as error:
                log.warning("transfers_put_off", reason=error.reason.en)
            await asyncio.sleep(pause)

    async def step(self) -> int:
        """Look once; return how many transfers have moved on."""
        moved = 0
        for now in await self._database.read(_waiting):
            if now.state is TransferState.SIGNED:
                moved += await self._move(now)
            else:
                moved += await self._database.write(partial(_take_back, now=now))
        if moved:
            self._wake()
        return moved

    async def _move(self, now: Transfer) -> bool:
        signature = now.receiver_signature
        keys = await self._database.read(lambda c: self._keys_of(c, now))
        fault = None if signature is None else signature_fault(now, signature, keys)
        if signature is None or fault is not None:
            # The records stay whose they are; a person has to find out who signed there.
            if now.transfer_id not in self._refused:
                self._refused.add(now.transfer_id)
                log.error("receiver_signature_refused", transfer=str(now.transfer_id), reason=fault and fault.en)
            return False
        try:
            is_moved = await self._mover.move(now.transfer_id)
        except Permanent as error:
            # A person has to mend it; the other transfers go on.
            log.warning("custody_not_moved", transfer=str(now.transfer_id))
            await self._database.write(partial(_note_trouble, now=now, trouble=error.reason))
            return False
        if is_moved:
            await self._database.write(partial(_note_trouble, now=now, trouble=None))
            log.info("custody_moved", transfer=str(now.transfer_id), records=now.accepted)
        return is_moved

    def _keys_of(self, connection: Connection, now: Transfer) -> Collection[str]:
        """Return the keys that may sign for the receiver: the county's, or those that the hub vouched for."""
        if parse_site(now.receiver_site).rank is SiteRank.COUNTY:
            return self._hub_keys
        return signing_keys(connection, now.transfer_id, Side.RECEIVER)


def _note_trouble(connection: Connection, now: Transfer, trouble: Text | None) -> None:
    work = transfer_rounds.round_of(connection, now.transfer_id, now.round)
    if work is not None and work.trouble != trouble:
        transfer_rounds.note(connection, now.transfer_id, msgspec.structs.replace(work, trouble=trouble))


_ARRIVED = frozenset(
    (
        TransferState.CHECKING,
        TransferState.RETURNED,
        TransferState.ACCEPTED,
        TransferState.CANCELLED,
        TransferState.PLANNED,
    )
)


def _waiting(connection: Connection) -> list[Transfer]:
    signed = [
        one for role in (USUAL, HOST) for one in opened_transfers(connection, (TransferState.SIGNED.value,), role)
    ]
    signed = [one for one in signed if one.turn is Side.GIVER]
    states = [state.value for state in _ARRIVED]
    arrived = [one for role in (USUAL, HOST) for one in opened_transfers(connection, states, role)]
    return [*signed, *(one for one in arrived if one.consignment and offered(connection, one.consignment))]


def _take_back(connection: Connection, now: Transfer) -> bool:
    """Forget an offer whose files have arrived, or are not wanted any more."""
    if now.consignment is None or offered(connection, now.consignment) is None:
        return False
    withdraw(connection, now.consignment)
    return True
