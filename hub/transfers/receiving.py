"""Receiving: draws what a giver has submitted, checks it, and loads what both have signed, without anybody watching.

Every transfer that waits for the receiver's program is taken up again after a restart; each step is written only once,
because the state that it leads to needs it no more. People decide and sign (``deciding``, ``signing``).
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import Connection, select

from hub.tables import entry
from hub.transfers import year_counts
from hub.transfers.accession import registered
from hub.transfers.drawing_in import Drawing, drawn
from hub.transfers.held import catalogued_codes, handed_over
from hub.transfers.shelving import shelved
from hub.transfers.signing import look_at_signature
from protocol.codec import decode_record
from protocol.consignments import list_digest
from protocol.errors import DanglianError, Permanent, Retryable
from protocol.file_lists import FileList
from protocol.sites import parse_site
from protocol.transfer_folds import Transfer
from protocol.transfers import Closed, Loaded, Side, TransferState
from protocol.wording import Text
from replication import transfer_items
from replication.checks.running import NO_TOOLS
from replication.checks.survey import CheckTools
from replication.database import Database
from replication.transfer_arrivals import arrived, begin_checking
from replication.transfer_items import ItemState
from replication.transfer_log import USUAL, TransferLog, opened_transfers, transfer_of
from replication.transfer_packages import package_of, read_list, write_list
from replication.transfer_reception import KnownCodes, Reception, waits_for_people

LOOK_S = 1.0
"""Seconds between looks for transfers that wait."""

AGAIN_S = 20.0
"""Seconds before a transfer is tried again that could not go on."""

log = structlog.get_logger(__name__)


class TransferDesk:
    """Works on every transfer that waits for the receiver's program; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        transfers: TransferLog,
        drawer: Drawing,
        root: Path,
        holdings: Path,
        clock_ms: Callable[[], int],
        monotonic: Callable[[], float],
        tools: CheckTools = NO_TOOLS,
    ) -> None:
        self._database = database
        self._log = transfers
        self._drawer = drawer
        self._root = root
        self._holdings = holdings
        self._clock_ms = clock_ms
        self._monotonic = monotonic
        self._reception = Reception(database, transfers, root, clock_ms, codes_of, tools)
        self._busy: set[UUID] = set()
        self._put_off: dict[UUID, float] = {}

    async def run(self) -> None:
        """Take up whatever waits, for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for now in await self.due():
                    self._busy.add(now.transfer_id)
                    tasks.create_task(self._attend(now), name=f"transfer {now.transfer_id}")
                await asyncio.sleep(LOOK_S)

    async def due(self) -> list[Transfer]:
        """Return the transfers that this program can go on with now."""
        states = (TransferState.SUBMITTED, TransferState.CHECKING, TransferState.ACCEPTED, TransferState.SIGNED)
        later = (TransferState.LOADED,)
        try:
            waiting = await self._database.read(partial(_waiting, states=[state.value for state in (*states, *later)]))
        except Retryable as error:
            log.warning("transfers_not_looked_for", reason=error.reason.en)
            return []
        moment = self._monotonic()
        return [
            one
            for one in waiting
            if one.transfer_id not in self._busy and self._put_off.get(one.transfer_id, 0.0) <= moment
        ]

    async def _attend(self, now: Transfer) -> None:
        try:
            await self.attend(now)
        except (DanglianError, OSError) as error:
            self._put_off[now.transfer_id] = self._monotonic() + AGAIN_S
            await self._reception.put_off(now, error)
        finally:
            self._busy.discard(now.transfer_id)

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
                self._put_off[now.transfer_id] = self._monotonic() + AGAIN_S
            case TransferState.SIGNED | TransferState.LOADED:
                await self._load(now)
            case _:
                return

    async def _receive(self, now: Transfer) -> None:
        if now.consignment is None or now.giver is None or now.prepared is None:
            return
        site, into = parse_site(now.giver.site), package_of(self._root, now.transfer_id, now.round)
        files = await asyncio.to_thread(listed_at, into, now)
        if files is None:
            files = await self._drawer.listed(site, now.consignment)
        if await asyncio.to_thread(list_digest, files) != now.list_digest:
            other = Text(zh="文件清单与提交时不符", en="the list of files is not the one submitted")
            await self._reception.send_back(now, other)
            return
        await self._reception.begin(now, into, files.size_bytes)
        try:
            await drawn(self._database, self._drawer, now, files, into, self._clock_ms)
            items = await asyncio.to_thread(arrived, into, now)
            await asyncio.to_thread(write_list, into, files)
        except Permanent as error:
            await self._reception.send_back(now, error.reason)
            return
        await self._database.write(lambda c: begin_checking(c, self._log, now, items))
        log.info("transfer_drawn", transfer=str(now.transfer_id), files=len(files))

    async def _load(self, now: Transfer) -> None:
        if now.turn is not Side.RECEIVER:
            return
        if not await self._database.read(partial(shows_custody, now=now)):
            self._put_off[now.transfer_id] = self._monotonic() + LOOK_S
            return
        site = parse_site(now.giver.site if now.giver is not None else "")
        lists = await asyncio.to_thread(shelved, now, site, self._root, self._holdings)
        await self._database.write(partial(self._close, transfer_id=now.transfer_id, lists=lists))
        log.info("transfer_closed", transfer=str(now.transfer_id))

    def _close(self, connection: Connection, transfer_id: UUID, lists: dict[str, FileList]) -> None:
        now = transfer_of(connection, transfer_id)
        if now is not None and now.state is TransferState.SIGNED and now.custody is not None:
            accession = registered(connection, now, lists, self._clock_ms())
            now = self._log.append(connection, transfer_id, Loaded(accession=accession), by="checks")
            moved = [one.record_id for one in transfer_items.listed(connection, transfer_id, states=_ACCEPTED)]
            transfer_items.set_state(connection, transfer_id, moved, ItemState.MOVED)
            if now.giver is not None:
                year_counts.forget(connection, now.giver.site)
        if now is not None and now.state is TransferState.LOADED:
            self._log.append(connection, transfer_id, Closed(), by="checks")


_ACCEPTED = (ItemState.ACCEPTED,)


def _waiting(connection: Connection, states: Sequence[str]) -> list[Transfer]:
    found = opened_transfers(connection, states, USUAL)
    return [one for one in found if one.turn is Side.RECEIVER and not waits_for_people(connection, one)]


def listed_at(package: Path, now: Transfer) -> FileList | None:
    """Return the list of files that lies beside a package already, brought by a disk; None where there is none."""
    files = read_list(package)
    return files if files is not None and list_digest(files) == now.list_digest else None


def codes_of(connection: Connection, now: Transfer) -> KnownCodes:
    """Return what the catalogue and the holdings say of a round's codes."""
    came = [one.record_id for one in transfer_items.listed(connection, now.transfer_id) if one.round == now.round]
    return KnownCodes(planned=catalogued_codes(connection, now, came), held=handed_over(connection, now))


def shows_custody(connection: Connection, now: Transfer) -> bool:
    """Tell whether the catalogue shows every accepted item as kept by the receiver."""
    states = (ItemState.ACCEPTED, ItemState.MOVED)
    wanted = [one.record_id.bytes for one in transfer_items.listed(connection, now.transfer_id, states=states)]
    for start in range(0, len(wanted), transfer_items.ITEMS_AT_ONCE):
        some = wanted[start : start + transfer_items.ITEMS_AT_ONCE]
        site = now.giver.site if now.giver is not None else ""
        rows = connection.execute(
            select(entry.c.body).where(entry.c.record_id.in_(some), entry.c.site == site, entry.c.body.is_not(None))
        ).all()
        kept = [decode_record(row.body).custodian == now.receiver_site for row in rows]
        if len(kept) != len(some) or not all(kept):
            return False
    return True
