"""The copyist: brings approved orders to paper. It draws their pages, makes the PDF, asks for the seal and puts it in.

Pages come by the line, or couriers have brought them: whatever is whole first is used.
Everything that it does can be done again: it looks at the states of orders and goes on from there, after a restart too.
One order that cannot be made ends with its reason; the others go on.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import Connection

from hub.draws.brought_pieces import BroughtPieces
from hub.draws.disk_drawing import Brought, take_in
from hub.draws.receiving import unwritable
from hub.home import HubHome
from hub.membership.certificates import CertifiedKey
from hub.window import certificate_paths, certificates, copies, serials
from hub.window.copy_orders import OPEN, CopyOrder, CopyState
from hub.window.imprints import Imprint, MadeCertificate
from hub.window.serials import Certificate, Fate
from protocol.certificates import SignedCertificate
from protocol.consignments import ConsignedFile, Consignment
from protocol.copies import COPY_DRAWN, SEAL_ASKED, CopyDrawn, SealAsked
from protocol.errors import BadSetting, DanglianError, Permanent, Retryable
from protocol.sites import Site, parse_site
from protocol.wording import Text
from replication import letters
from replication.database import Database
from replication.keys import Identity

LOOK_S = 1.0
"""Seconds between looks for what can be done."""

AGAIN_S = 60.0
"""Seconds before something is tried again that this machine could not do: a font is missing, a disk is full."""

MAKING_AT_ONCE = 2
"""Certificates that are made at the same time: each holds its pages in memory."""

Draw = Callable[[Site, UUID, Sequence[ConsignedFile], Path, Callable[[int, int], None]], Awaitable[None]]
"""Fetches a consignment to its end (``hub.draws.drawing``)."""

log = structlog.get_logger(__name__)


class Copyist:
    """Works on orders; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        home: HubHome,
        draw: Draw,
        identity: Identity,
        imprint: Callable[[], Imprint],
        clock_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._home = home
        self._brought = BroughtPieces(home.brought)
        self._draw = draw
        self._identity = identity
        self._imprint = imprint
        self._clock_ms = clock_ms
        self._woken = asyncio.Event()
        self._busy: set[UUID | str] = set()
        self._put_off: dict[UUID | str, float] = {}
        self._making = asyncio.Semaphore(MAKING_AT_ONCE)

    def wake(self) -> None:
        """Look at once: something was decided."""
        self._woken.set()

    async def run(self) -> None:
        """Work, for ever."""
        awaited = await self._database.read(lambda connection: copies.in_state(connection, *OPEN))
        ids = {one.copy_id for one in awaited}
        await asyncio.to_thread(self._brought.clear_but, ids)
        await asyncio.to_thread(self._clear_but, ids)
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._woken.clear()
                await self.look(tasks)
                try:
                    async with asyncio.timeout(LOOK_S):
                        await self._woken.wait()
                except TimeoutError:
                    continue  # Nobody woke it: time for the next look.

    async def look(self, tasks: asyncio.TaskGroup) -> None:
        """Begin whatever can be done now."""
        try:
            waiting, unsealed, unmade = await self._database.read(_due)
        except Retryable as error:
            log.info("copyist_waits", reason=error.reason.en)
            return
        names = {*(one.copy_id for one in (*waiting, *unsealed)), *(one.serial for one in unmade)}
        for name in self._put_off.keys() - names - self._busy:
            # It was withdrawn while it was put off.
            del self._put_off[name]
            await asyncio.to_thread(self._clear, name)
        for order in waiting:
            self._begin(tasks, order.copy_id, partial(self._make, order))
        for order in unsealed:
            self._begin(tasks, order.copy_id, partial(self._seal, order))
        for one in unmade:
            self._begin(tasks, one.serial, partial(self._say_nothing, one))

    def _begin(self, tasks: asyncio.TaskGroup, name: UUID | str, work: Callable[[], Awaitable[None]]) -> None:
        now_s = asyncio.get_running_loop().time()
        if name in self._busy or self._put_off.get(name, 0.0) > now_s:
            return
        self._busy.add(name)
        tasks.create_task(self._done(name, work), name="copyist")

    async def _done(self, name: UUID | str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await self._tried(name, work)
        except Retryable as error:
            # The store is away as well: how it went is noted when it goes that way again.
            self._put_off[name] = asyncio.get_running_loop().time() + AGAIN_S
            log.warning("certificate_not_noted", name=str(name), reason=error.reason.en)
        finally:
            self._busy.discard(name)

    async def _tried(self, name: UUID | str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await _on_disk(work, self._home.window)
            self._put_off.pop(name, None)
        except (Retryable, BadSetting) as error:
            self._put_off[name] = asyncio.get_running_loop().time() + AGAIN_S
            log.warning("certificate_put_off", name=str(name), reason=error.reason.en)
            if isinstance(name, UUID):
                await self._remark(name, error)
        except Permanent as error:
            log.warning("certificate_failed", name=str(name), reason=error.reason.en)
            if isinstance(name, UUID):
                await self._write(copies.fail, name, error.reason, error.hint)
                await asyncio.to_thread(self._clear, name)
            else:
                await self._write(serials.void, name, error.reason.zh)

    async def _make(self, order: CopyOrder) -> None:
        order = await self._as_it_is(order)
        decision = order.decision
        if decision is None or order.state not in (CopyState.APPROVED, CopyState.DRAWING):
            return
        folder, consigned = self._pages_of(order.copy_id), decision.consignment
        if consigned is not None:
            if order.state is not CopyState.DRAWING:
                await self._write(copies.move, order.copy_id, CopyState.DRAWING, "hub")
            await self._drawn(order, consigned, folder)
        if (await self._as_it_is(order)).state in OPEN:
            signed = SignedCertificate(
                statement=decision.statement, signature=decision.signature, contents=decision.contents
            )
            async with self._making:
                made = await asyncio.to_thread(self._made, signed, folder)
            is_wanted = await self._database.write(
                lambda connection: _ready(connection, order, made, self._clock_ms(), is_drawn=consigned is not None)
            )
            if not is_wanted:
                await asyncio.to_thread(certificate_paths.remove, self._certificates, order.asked.serial)
        # The PDF holds them now, or nobody wants them; a second copy of somebody's papers would be one to look after.
        await asyncio.to_thread(self._clear, order.copy_id)

    async def _as_it_is(self, order: CopyOrder) -> CopyOrder:
        """Return an order as it stands: what a look has read may be behind what another task has done since."""
        return await self._database.read(lambda connection: copies.found(connection, order.copy_id))

    def _pages_of(self, copy_id: UUID) -> Path:
        return self._home.window / "copies" / str(copy_id)

    def _clear(self, name: UUID | str) -> None:
        """Remove the pages of an order; a statement of no record has none."""
        if isinstance(name, UUID):
            shutil.rmtree(self._pages_of(name), ignore_errors=True)

    def _clear_but(self, awaited: Collection[UUID]) -> None:
        """Remove the pages of all orders but these: what a stop has left of those that ended."""
        names = {str(one) for one in awaited}
        for folder in (self._home.window / "copies").glob("*"):
            if folder.name not in names:
                shutil.rmtree(folder, ignore_errors=True)

    async def _drawn(self, order: CopyOrder, consigned: Consignment, folder: Path) -> None:
        """Have the pages here, by the line or as couriers brought them, whichever comes first.

        What is withdrawn meanwhile is not fetched to its end.
        """
        told = noted = (order.done_bytes, order.total_bytes)

        def hear(done: int, total: int) -> None:
            nonlocal told
            told = (done, total)

        site = parse_site(order.keeper)
        drawing = asyncio.ensure_future(self._draw(site, order.copy_id, consigned.files, folder, hear))
        try:
            while not drawing.done() and not await asyncio.to_thread(self._is_brought, consigned):
                await asyncio.wait((drawing,), timeout=LOOK_S)
                if told != noted:
                    noted = told
                    step = partial(copies.progress, copy_id=order.copy_id, done_bytes=noted[0], total_bytes=noted[1])
                    await self._database.write(step)
                if not drawing.done() and (await self._as_it_is(order)).state not in OPEN:
                    await _ended(drawing)
                    break
            if not drawing.done():
                await _ended(drawing)
                brought = Brought(site=site, consignment=consigned, source=self._brought.row(consigned))
                drawing = asyncio.ensure_future(take_in(self._database, brought, folder, self._clock_ms, hear))
            if not drawing.cancelled():
                await drawing
        except Permanent:
            await asyncio.to_thread(self._brought.clear, order.copy_id)
            raise
        finally:
            drawing.cancel()
        await asyncio.to_thread(self._brought.clear, order.copy_id)

    def _is_brought(self, consigned: Consignment) -> bool:
        return not self._brought.missing(consigned)

    async def _seal(self, order: CopyOrder) -> None:
        given = (await self._as_it_is(order)).seal
        if given is None:
            return
        serial = order.asked.serial
        if given.refused:
            refused = Text(zh=f"该站未签章（{given.refused}）", en=f"the site did not seal it ({given.refused})")
            await self._database.write(lambda connection: copies.unsealed(connection, order.copy_id, refused))
            return
        try:
            pdf = await asyncio.to_thread(self._sealed, serial, given.signature)
        except Permanent as error:
            reason = error.reason
            await self._database.write(lambda connection: copies.unsealed(connection, order.copy_id, reason))
            return
        await self._database.write(lambda connection: _sealed(connection, order, pdf, self._clock_ms()))
        await asyncio.to_thread(certificate_paths.tidy, self._certificates, serial)

    async def _say_nothing(self, one: Certificate) -> None:
        present = await self._database.read(lambda connection: serials.found(connection, one.serial))
        if present.fate is not Fate.TAKEN:
            return
        signed = SignedCertificate(statement=one.statement, signature=one.signature, contents=one.contents)
        async with self._making:
            pdf, pages = await asyncio.to_thread(self._made_and_sealed, signed)
        await self._database.write(lambda connection: certificates.made(connection, one.serial, pdf, pages))

    @property
    def _certificates(self) -> Path:
        return self._home.certificates

    # The libraries of PDF take a second to load: a hub that certifies nothing does without, and so does its start.

    def _made(self, signed: SignedCertificate, pages_in: Path) -> MadeCertificate:
        from hub.window import certificate_files  # noqa: PLC0415 - as above

        return certificate_files.make(self._certificates, signed, pages_in, self._imprint(), self._authority())

    def _sealed(self, serial: str, signature: bytes) -> bytes:
        from hub.window import certificate_files  # noqa: PLC0415 - as above

        return certificate_files.seal(self._certificates, serial, self._authority(), signature)

    def _made_and_sealed(self, signed: SignedCertificate) -> tuple[bytes, int]:
        from hub.window import certificate_files  # noqa: PLC0415 - as above

        return certificate_files.make_and_seal(
            self._certificates, signed, self._imprint(), self._authority(), self._identity
        )

    def _authority(self) -> CertifiedKey:
        return CertifiedKey(certificate=self._home.authority.read_bytes(), key=self._home.authority_key.read_bytes())

    async def _remark(self, copy_id: UUID, error: DanglianError) -> None:
        await self._database.write(lambda connection: copies.remark(connection, copy_id, error.reason, error.hint))

    async def _write(self, step: Callable[..., None], *arguments: object) -> None:
        await self._database.write(lambda connection: step(connection, *arguments, self._clock_ms()))


async def _ended(task: "asyncio.Future[None]") -> None:
    """End a task and wait until it has let go of what it held."""
    task.cancel()
    await asyncio.wait((task,))


async def _on_disk(work: Callable[[], Awaitable[None]], folder: Path) -> None:
    """Do a piece of work; what the disk refuses is tried again."""
    try:
        await work()
    except OSError as error:
        raise unwritable(error, folder) from error


def _due(connection: Connection) -> tuple[list[CopyOrder], list[CopyOrder], list[Certificate]]:
    waiting = copies.in_state(connection, CopyState.APPROVED, CopyState.DRAWING)
    made = copies.in_state(connection, CopyState.READY, CopyState.ISSUED, with_seal=True)
    return waiting, made, serials.unmade(connection)


def _ready(connection: Connection, order: CopyOrder, made: MadeCertificate, now_ms: int, *, is_drawn: bool) -> bool:
    """Note that a certificate is made, and ask for its seal; False if it was withdrawn while it was made."""
    serial, copy_id = order.asked.serial, order.copy_id
    present = copies.found(connection, copy_id)
    if present.state not in (CopyState.APPROVED, CopyState.DRAWING):
        return False
    certificates.made(connection, serial, made.pdf, made.pages)
    copies.move(connection, copy_id, CopyState.READY, "hub", now_ms)
    if is_drawn:
        body = CopyDrawn(copy_id=copy_id)
        letters.write(connection, order.keeper, kind=COPY_DRAWN, topic=copy_id, body=body, now_ms=now_ms)
    asked = SealAsked(copy_id=copy_id, serial=serial, attributes=made.attributes)
    letters.write(connection, order.keeper, kind=SEAL_ASKED, topic=copy_id, body=asked, now_ms=now_ms)
    return True


def _sealed(connection: Connection, order: CopyOrder, pdf: bytes, now_ms: int) -> None:
    certificates.resealed(connection, order.asked.serial, pdf)
    copies.sealed(connection, order.copy_id)
    letters.settle(connection, order.copy_id)
    if copies.found(connection, order.copy_id).state is CopyState.READY:
        copies.move(connection, order.copy_id, CopyState.SIGNED, order.keeper, now_ms)
