"""Receiving 村档乡管: a township draws what a village has submitted, checks it, and keeps what both have signed.

The part of the county's archive in ``hub.transfers.receiving``, for a site: people decide and sign with
``danglian-node transfer``. Files come through the hub, or on a disk that somebody carries over.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy import Connection

from node.transfers.arriving import cleared
from node.transfers.kept import register, shelved
from node.transfers.owner_signatures import owner_keys
from protocol.county_time import local_time
from protocol.errors import DanglianError, Permanent, Refused, Retryable
from protocol.file_lists import FileList
from protocol.transfer_folds import Transfer
from protocol.transfers import Closed, Loaded, Side, SignatureRefused, Signed, TransferState
from protocol.wording import Text
from replication import transfer_items, transfer_rounds
from replication.checks.survey import CheckTools
from replication.database import Database
from replication.transfer_arrivals import arrived, begin_checking
from replication.transfer_items import ItemState
from replication.transfer_log import (
    HOST,
    LOOK_S,
    RECEIVING,
    REST_S,
    TransferLog,
    logged,
    opened_transfers,
    pause_s,
    transfer_of,
)
from replication.transfer_packages import package_of, read_list, write_list
from replication.transfer_reception import KnownCodes, Reception, waits_for_people
from replication.transfer_signing import signature_fault

AGAIN_S = 15.0
"""Seconds before a transfer is tried again that could not go on."""

PROGRESS_S = 2.0
"""Seconds between two notes of how much of a package has come."""

log = structlog.get_logger(__name__)


class Fetching(Protocol):
    """What fetches files from the hub (``node.transfers.fetching.Fetcher``)."""

    async def fetch(self, now: Transfer, into: Path, told: Callable[[int, int], None]) -> FileList:
        """Fetch what is missing of the present round, and return the list of its files."""


class ReceivingDesk:
    """Works on every transfer to this site that waits for its program; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        transfers: TransferLog,
        fetcher: Fetching,
        root: Path,
        kept: Path,
        clock_ms: Callable[[], int],
        wake: Callable[[], None],
        tools: CheckTools,
    ) -> None:
        self._database = database
        self._log = transfers
        self._fetcher = fetcher
        self._root = root
        self._kept = kept
        self._clock_ms = clock_ms
        self._wake = wake
        self._reception = Reception(database, transfers, root, clock_ms, codes_of, tools)
        self._put_off: dict[UUID, float] = {}

    async def run(self) -> None:
        """Take up whatever waits, one after the other, for ever: the site's line carries one package at a time."""
        loop = asyncio.get_running_loop()
        while True:
            found, pause = await self._look()
            for now in found:
                if self._put_off.get(now.transfer_id, 0.0) > loop.time():
                    continue
                try:
                    await self.attend(now)
                except (DanglianError, OSError) as error:
                    self._put_off[now.transfer_id] = loop.time() + AGAIN_S
                    await self._reception.put_off(now, error)
            await asyncio.sleep(pause)

    async def _look(self) -> tuple[list[Transfer], float]:
        """Return the transfers that this program can go on with now, and the seconds until the next look."""
        try:
            pause = await self._database.read(pause_s)
            return (await self.due() if pause < REST_S else []), pause
        except Retryable as error:
            log.warning("transfers_not_looked_for", reason=error.reason.en)
            return [], LOOK_S

    async def due(self) -> list[Transfer]:
        """Return the transfers that this program can go on with now.

        Raises:
            Retryable: the database is busy.

        """
        return await self._database.read(_waiting)

    async def attend(self, now: Transfer) -> None:
        """Go on with one transfer as far as the program can.

        Raises:
            Retryable: the line or the disk; what came stays.
            Permanent: something that a person has to look at.

        """
        match now.state:
            case TransferState.SUBMITTED:
                await self._receive(now)
            case TransferState.CHECKING:
                await self._reception.check(now)
            case TransferState.ACCEPTED:
                await self._database.write(lambda c: look_at_signature(c, self._log, now.transfer_id))
            case TransferState.SIGNED | TransferState.LOADED:
                await self._keep(now)
            case _:
                return
        self._wake()

    async def _receive(self, now: Transfer) -> None:
        into = package_of(self._root, now.transfer_id, now.round)
        size_bytes = now.prepared.size_bytes if now.prepared is not None else 0
        await self._reception.begin(now, into, size_bytes)
        try:
            files = await asyncio.to_thread(read_list, into)
            if files is None:
                files = await self._fetched(now, into)
                await asyncio.to_thread(write_list, into, files)
            await asyncio.to_thread(cleared, into)
            items = await asyncio.to_thread(arrived, into, now)
        except Permanent as error:
            await self._reception.send_back(now, error.reason)
            return
        size_bytes = files.size_bytes

        def step(connection: Connection) -> None:
            transfer_rounds.note_progress(connection, now.transfer_id, now.round, size_bytes, self._clock_ms())
            # A host has chosen the items itself, and knows more of them than their package says.
            begin_checking(connection, self._log, now, () if now.host else items)

        await self._database.write(step)
        log.info("transfer_drawn", transfer=str(now.transfer_id), files=len(files))

    async def _fetched(self, now: Transfer, into: Path) -> FileList:
        loop, noted_at = asyncio.get_running_loop(), 0.0
        noting: set[asyncio.Task[None]] = set()

        def told(done_bytes: int, _total_bytes: int) -> None:
            nonlocal noted_at
            if loop.time() - noted_at >= PROGRESS_S:
                noted_at = loop.time()
                task = loop.create_task(self._note_progress(now, done_bytes))
                noting.add(task)
                task.add_done_callback(noting.discard)

        try:
            return await self._fetcher.fetch(now, into, told)
        finally:
            await asyncio.gather(*noting, return_exceptions=True)

    async def _note_progress(self, now: Transfer, done_bytes: int) -> None:
        await self._database.write(
            lambda c: transfer_rounds.note_progress(c, now.transfer_id, now.round, done_bytes, self._clock_ms())
        )

    async def _keep(self, now: Transfer) -> None:
        count = await asyncio.to_thread(shelved, now, self._root, self._kept)
        year = local_time(self._clock_ms()).year

        def step(connection: Connection) -> None:
            present = transfer_of(connection, now.transfer_id)
            if present is not None and present.state is TransferState.SIGNED and present.custody is not None:
                accession = register(connection, present, year, count, self._clock_ms())
                present = self._log.append(connection, now.transfer_id, Loaded(accession=accession), by="checks")
                moved = transfer_items.listed(connection, now.transfer_id, states=(ItemState.ACCEPTED,))
                transfer_items.set_state(connection, now.transfer_id, [one.record_id for one in moved], ItemState.MOVED)
            if present is not None and present.state is TransferState.LOADED:
                self._log.append(connection, now.transfer_id, Closed(), by="checks")

        await self._database.write(step)
        log.info("transfer_closed", transfer=str(now.transfer_id))


def _waiting(connection: Connection) -> list[Transfer]:
    states = (
        TransferState.SUBMITTED,
        TransferState.CHECKING,
        TransferState.ACCEPTED,
        TransferState.SIGNED,
        TransferState.LOADED,
    )
    wanted = [state.value for state in states]
    found = [one for role in (RECEIVING, HOST) for one in opened_transfers(connection, wanted, role)]
    return [one for one in found if one.turn is Side.RECEIVER and not _stands_still(connection, one)]


def _stands_still(connection: Connection, now: Transfer) -> bool:
    if now.state is TransferState.ACCEPTED:
        return look_again(connection, now) is None
    return waits_for_people(connection, now)


def signing_keys(connection: Connection, transfer_id: UUID, side: Side) -> frozenset[str]:
    """Return the keys that sealed the steps by which a party signed: the hub vouched for each of them when it came."""
    return frozenset(one.key for one in logged(connection, transfer_id, side) if isinstance(one.step.what, Signed))


def look_again(connection: Connection, now: Transfer) -> Text | None:
    """Say why the giver's signature is not to be believed; None if it is."""
    if now.giver_signature is None or now.receiver_signature is not None:
        return None
    if not now.host:
        return signature_fault(now, now.giver_signature, signing_keys(connection, now.transfer_id, Side.GIVER))
    keys = owner_keys(connection, now.transfer_id)
    # Which keys are the owner's own, the hub says; until then nothing is wrong, and nothing may go on.
    return None if keys is None else signature_fault(now, now.giver_signature, keys)


def check_owner_is_known(connection: Connection, now: Transfer) -> None:
    """Go on only if the hub has named the keys of an owner whose fonds this site keeps.

    Raises:
        Refused: it has not said anything of the owner's signature yet.

    """
    if now.host and now.giver_signature is not None and owner_keys(connection, now.transfer_id) is None:
        raise Refused(
            Text(zh="县馆尚未核对所有者签字所用的密钥。", en="the county has not looked at the owner's key yet"),
            Text(
                zh="节点连上县馆后自动核对，随后再签。",
                en="It does so once this node reaches it; sign then.",
            ),
        )


def look_at_signature(connection: Connection, transfers: TransferLog, transfer_id: UUID) -> Text | None:
    """Refuse the giver's signature if it is not to be believed, and say why; None if it is, or there is none."""
    now = transfer_of(connection, transfer_id)
    fault = look_again(connection, now) if now is not None else None
    if fault is not None:
        transfers.append(connection, transfer_id, SignatureRefused(reason=fault), by="checks")
    return fault


def codes_of(connection: Connection, now: Transfer) -> KnownCodes:
    """Return what this site knows of a round's codes.

    What the catalogue has of these records only the hub can say: none are planned here but those that came.
    """
    came = transfer_items.listed(connection, now.transfer_id, states=(ItemState.CARRIED,))
    planned = frozenset(one.ref_code for one in came if one.round == now.round)
    return KnownCodes(planned=planned, held=kept_codes(connection, now))


def kept_codes(connection: Connection, now: Transfer) -> frozenset[str]:
    """Return the codes that the giver has handed over here in other transfers; records of this one are left out."""
    own = {one.record_id for one in transfer_items.listed(connection, now.transfer_id)}
    codes: set[str] = set()
    for other in opened_transfers(connection, (TransferState.CLOSED.value,), RECEIVING):
        if other.giver is not None and now.giver is not None and other.giver.site == now.giver.site:
            moved = transfer_items.listed(connection, other.transfer_id, states=(ItemState.MOVED,))
            codes |= {one.ref_code for one in moved if one.record_id not in own}
    return frozenset(codes)
