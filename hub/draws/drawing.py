"""Drawing: the hub fetches the files that a site has offered, over whatever line there is.

``Drawer.draw`` is one attempt: it takes up where the last one stopped, and raises what stopped it; ``draw_to_the_end``
goes on through cuts, hours and full disks. What was committed is never fetched twice; what a crash takes is at most
what came within ``COMMIT_EVERY_S`` or one part in ``COMMIT_PARTS`` of the consignment.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from pathlib import Path
from uuid import UUID

import structlog

from hub.draws import draw_book
from hub.draws.draw_book import Drawing, DrawMark
from hub.draws.draw_course import DrawCourse, Progress
from hub.draws.draw_endings import conclude
from hub.draws.draw_session import DrawDesk
from hub.draws.receiving import Receiver
from protocol.consignments import ConsignedFile, check_list, list_digest
from protocol.errors import DanglianError, NotYet, Refused, Retryable
from protocol.file_lists import FileList
from protocol.sites import Site
from protocol.wording import Text
from replication.bus import Bus
from replication.database import Database
from replication.keys import Identity
from replication.retry import Backoff, Pause

DRAWS_AT_ONCE = 3
"""Consignments that are drawn at the same time: each keeps 5 MB of ranges at most, and its list, in memory."""

RETRY = Backoff(first_s=2.0, ceiling_s=300.0)
"""Pauses between attempts."""

NOT_YET_LOOK_S = 900.0
"""Seconds at most between two looks whether a site's hours have begun: its clock may be wrong."""

log = structlog.get_logger(__name__)


class Drawer:
    """Fetches consignments; one of them serves a whole program."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        identity: Identity,
        keys_of: Callable[[Site], Collection[str]],
        clock_ms: Callable[[], int],
        *,
        name: str = "",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._desk = DrawDesk(bus, identity, keys_of, name or f"drawer-{secrets.token_hex(6)}")
        self._clock_ms = clock_ms
        self._sleep = sleep
        self._turns = asyncio.Semaphore(DRAWS_AT_ONCE)
        self._busy: set[tuple[str, UUID]] = set()

    async def listed(self, site: Site, consignment_id: UUID) -> FileList:
        """Fetch the list of what a site has offered; it bears the site's signature.

        Raises:
            Retryable: the site cannot be reached.
            Refused: it offers no such thing, or its list cannot be taken.

        """
        async with self._desk.session(site, consignment_id) as session:
            return await session.files()

    async def draw(
        self, site: Site, consignment_id: UUID, files: Sequence[ConsignedFile], into: Path, progress: Progress
    ) -> None:
        """Fetch what is still missing of a consignment, and verify it; done again, it changes nothing.

        Args:
            site: whose files they are.
            consignment_id: under which id they are offered.
            files: the list; the site must have offered exactly this one.
            into: the folder that the files belong in, on the disk of the holdings.
            progress: hears bytes that are here, and all bytes.

        Raises:
            Retryable: the line, the site's hours (``NotYet``) or the disk (``StorageFull``); the next attempt goes on.
            BadFiles: some files are not at the site as listed; all others are here.
            Permanent: the site offers no such thing, or another list.

        """
        with self._claimed(site, consignment_id):
            async with self._turns:
                await self._draw(site, consignment_id, files, into, progress)

    async def draw_to_the_end(
        self, site: Site, consignment_id: UUID, files: Sequence[ConsignedFile], into: Path, progress: Progress
    ) -> None:
        """Do as ``draw``, as often as it takes: through cuts, closed hours and full disks.

        Raises:
            Permanent: as ``draw``.

        """
        pause = Pause(RETRY, sleep=self._sleep)
        while True:
            before = await self._mark(site, consignment_id)
            try:
                return await self.draw(site, consignment_id, files, into, progress)
            except NotYet as error:
                wait_s = (error.not_before_ms - self._clock_ms()) / 1000
                await self._sleep(min(NOT_YET_LOOK_S, max(1.0, wait_s)))
            except Retryable as error:
                log.info("draw_stopped", site=site.code, consignment=str(consignment_id), reason=error.reason.en)
                if await self._mark(site, consignment_id) != before:
                    pause.reset()
                await pause.wait()

    @contextlib.contextmanager
    def _claimed(self, site: Site, consignment_id: UUID) -> Iterator[None]:
        key = site.code, consignment_id
        if key in self._busy:
            raise Refused(
                Text(zh="这批文件正在提取中", en="these files are being fetched already"),
                Text(zh="请等待其完成。", en="Wait until that is done."),
            )
        self._busy.add(key)
        try:
            yield
        finally:
            self._busy.discard(key)

    async def _draw(
        self, site: Site, consignment_id: UUID, files: Sequence[ConsignedFile], into: Path, progress: Progress
    ) -> None:
        await asyncio.to_thread(check_list, files)
        line = await self._begin(site, consignment_id, files, into)
        receiver = Receiver(into, files, line.progress)
        try:
            await self._receive(site, consignment_id, receiver, line, progress)
        except DanglianError as error:
            await self._database.write(
                lambda connection, why=error: draw_book.note_state(connection, site, consignment_id, why)  # type: ignore[misc]
            )
            raise
        finally:
            await asyncio.to_thread(receiver.close)
        await conclude(self._database, site, consignment_id, files, receiver)

    async def _begin(self, site: Site, consignment_id: UUID, files: Sequence[ConsignedFile], into: Path) -> Drawing:
        now_ms = self._clock_ms()
        wanted = Drawing(
            site=site.code,
            consignment_id=consignment_id,
            list_digest=await asyncio.to_thread(list_digest, files),
            place=str(into),
            files=len(files),
            size_bytes=sum(one.size_bytes for one in files),
            began_at_ms=now_ms,
            moved_at_ms=now_ms,
        )
        return await self._database.write(lambda connection: draw_book.begin(connection, wanted))

    async def _receive(
        self, site: Site, consignment_id: UUID, receiver: Receiver, line: Drawing, progress: Progress
    ) -> None:
        async def note(mark: DrawMark, carried_bytes: int) -> None:
            now_ms = self._clock_ms()
            await self._database.write(
                lambda connection: draw_book.note_progress(
                    connection, site, consignment_id, mark, carried_bytes, now_ms
                )
            )

        await asyncio.to_thread(receiver.prepare)
        if not receiver.spans():
            await asyncio.to_thread(receiver.make_empty)
            await note(await asyncio.to_thread(receiver.snapshot()), 0)
            return
        async with self._desk.session(site, consignment_id) as session:
            if session.opening.list_digest != line.list_digest:
                raise Refused(
                    Text(zh="该站提供的清单与登记的不同", en="the site offers another list than the one known here"),
                    Text(zh="请该站撤回后以新的编号重新提供。", en="Have the site take it back and use a new id."),
                )
            await asyncio.to_thread(receiver.make_empty)
            spans = receiver.spans()
            while spans:
                await DrawCourse(session, receiver, spans, progress, note).run()
                spans = receiver.spans_again()

    async def _mark(self, site: Site, consignment_id: UUID) -> DrawMark | None:
        line = await self._database.read(lambda connection: draw_book.drawing_of(connection, site.code, consignment_id))
        return line.progress if line is not None else None
