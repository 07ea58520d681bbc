"""Witnessing: what two sites hand over passes through the hub, which keeps none of it.

While a package of such a transfer is submitted the hub fetches it from the giver, whenever that is there, and holds it
until the receiver has drawn it (``passing``). Then it is removed: the giver has its own, the receiver has its own, and
a third copy is nobody's. Where a courier carries the disk from one to the other, the hub fetches nothing.
"""

import asyncio
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import Connection

from hub.transfers.drawing_in import Drawing, drawn
from hub.transfers.relaying import TransferRelay
from protocol.consignments import list_digest
from protocol.errors import DanglianError, Refused, Retryable
from protocol.sites import parse_site
from protocol.transfer_folds import Transfer
from protocol.transfers import LETTER_KIND, TransferState
from protocol.wording import Text
from replication import letters, transfer_rounds
from replication.database import Database
from replication.letters import Handlers
from replication.transfer_arrivals import waits_for_disk
from replication.transfer_log import WITNESS, opened_transfers
from replication.transfer_packages import list_of, package_of, write_list
from replication.transfer_rounds import Round

LOOK_S = 1.0
"""Seconds between looks for transfers of two sites."""

AGAIN_S = 20.0
"""Seconds before a package is tried again that could not be fetched."""

FOLDER = "between"
"""Folder of the hub's transfers in which packages lie on their way from one site to another."""

log = structlog.get_logger(__name__)


def place_of(root: Path, transfer_id: UUID, number: int) -> Path:
    """Return where the package of a round lies while it is on its way."""
    return package_of(root / FOLDER, transfer_id, number)


class WitnessDesk:
    """Works on every transfer of two sites; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        relay: TransferRelay,
        drawer: Drawing,
        root: Path,
        handlers: Handlers,
        clock_ms: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._database = database
        self._relay = relay
        self._drawer = drawer
        self._root = root
        self._handlers = handlers
        self._clock_ms = clock_ms
        self._monotonic = monotonic
        self._fetching: dict[tuple[UUID, int], asyncio.Task[None]] = {}
        self._put_off: dict[UUID, float] = {}
        self._known = -1

    async def run(self) -> None:
        """Take up whatever waits, for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    wanted = await self.step()
                except Retryable as error:
                    log.warning("witnessing_put_off", reason=error.reason.en)
                    wanted = []
                except OSError as error:
                    log.warning("witnessing_put_off", fault=error.strerror)
                    wanted = []
                for now in wanted:
                    key = now.transfer_id, now.round
                    self._fetching[key] = tasks.create_task(self._fetch(now), name=f"between {now.transfer_id}")
                await asyncio.sleep(LOOK_S)

    async def step(self) -> list[Transfer]:
        """Give on what is due, remove what is needed no more; return whose package is to be fetched now."""
        open_states = [state.value for state in TransferState if not state.is_over]
        found = await self._database.read(lambda c: opened_transfers(c, open_states, WITNESS))
        for now in found:
            # All else was given on when it came; this waits for the catalogue.
            if now.state is TransferState.SIGNED and now.custody is not None:
                await self._database.write(partial(self._give_on, now=now))
        if len(found) != self._known:
            # A receiver's steps that came before the first one of the giver were set aside: they can be taken now.
            await self._database.write(lambda c: _retry(c, self._handlers))
            self._known = len(found)
        wanted = await self._database.read(partial(self._wanted, found=found))
        keep = {(one.transfer_id, one.round) for one in found if one.state is TransferState.SUBMITTED}
        for key in [key for key in self._fetching if key not in keep or self._fetching[key].done()]:
            self._fetching.pop(key).cancel()
        await asyncio.to_thread(_swept, self._root, keep)
        return wanted

    def _give_on(self, connection: Connection, now: Transfer) -> None:
        told = self._relay.give_on(connection, now.transfer_id)
        if told:
            log.info("transfer_steps_given_on", transfer=str(now.transfer_id), steps=told)

    def _wanted(self, connection: Connection, found: list[Transfer]) -> list[Transfer]:
        moment = self._monotonic()
        return [
            one
            for one in found
            if one.state is TransferState.SUBMITTED
            and not one.host
            and (one.transfer_id, one.round) not in self._fetching
            and self._put_off.get(one.transfer_id, 0.0) <= moment
            and not waits_for_disk(connection, one)
            and not list_of(place_of(self._root, one.transfer_id, one.round)).is_file()
        ]

    async def _fetch(self, now: Transfer) -> None:
        try:
            await self.fetch(now)
        except DanglianError as error:
            self._put_off[now.transfer_id] = self._monotonic() + AGAIN_S
            log.info("transfer_put_off", transfer=str(now.transfer_id), reason=error.reason.en)
        except OSError as error:
            self._put_off[now.transfer_id] = self._monotonic() + AGAIN_S
            log.info("transfer_put_off", transfer=str(now.transfer_id), fault=error.strerror)

    async def fetch(self, now: Transfer) -> None:
        """Fetch the package of the present round from the giver.

        Raises:
            Retryable: the line or the disk; what came stays.
            Permanent: the giver does not offer what it submitted.

        """
        if now.consignment is None or now.giver is None:
            return
        into = place_of(self._root, now.transfer_id, now.round)
        files = await self._drawer.listed(parse_site(now.giver.site), now.consignment)
        if await asyncio.to_thread(list_digest, files) != now.list_digest:
            raise Refused(Text(zh="文件清单与提交时不符", en="the list of files is not the one submitted"))
        work = Round(
            round=now.round,
            package=into.relative_to(self._root.parent).as_posix(),
            total_bytes=files.size_bytes,
            at_ms=self._clock_ms(),
        )
        await self._database.write(lambda c: transfer_rounds.note(c, now.transfer_id, work))
        await drawn(self._database, self._drawer, now, files, into, self._clock_ms)
        # Last: the list says that the package is whole.
        await asyncio.to_thread(write_list, into, files)
        log.info("transfer_held_for_receiver", transfer=str(now.transfer_id), files=len(files))


def _retry(connection: Connection, handlers: Handlers) -> None:
    if any(one.letter.kind == LETTER_KIND for one in letters.set_aside(connection)):
        letters.retry(connection, handlers)


def _swept(root: Path, keep: set[tuple[UUID, int]]) -> None:
    """Remove the packages that are not on their way any more."""
    folder = root / FOLDER
    if not folder.is_dir():
        return
    wanted = {str(transfer_id): f"{number:02d}" for transfer_id, number in keep}
    for of_transfer in folder.iterdir():
        for one in of_transfer.iterdir():
            if one.name.split(".")[0] == wanted.get(of_transfer.name):
                continue
            if one.is_dir():
                shutil.rmtree(one, ignore_errors=True)
            else:
                one.unlink(missing_ok=True)
        if of_transfer.name not in wanted:
            shutil.rmtree(of_transfer, ignore_errors=True)
