"""Exports: results of a search written into a file in the background, page by page, with progress and a bound.

Files have no name on the disk: they are gone with the hub's process, however it ends. They are for who asked only.
"""

import asyncio
import datetime
import os
import secrets
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, Final

import msgspec
import structlog
from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry
from hub.catalogue_files import CatalogueFile, FileFormat, Heading, Line, begun
from hub.disclosure.guarding import GUARDED
from hub.membership import keyring
from hub.searching.search import Names, Page, Query, search
from protocol.errors import DanglianError, Retryable
from protocol.limits import SEARCH_HITS_MAX
from protocol.wording import Text
from replication.database import Database

EXPORT_ENTRIES_MAX: Final = 50_000
"""Entries of one export: what a spreadsheet opens at ease; who needs more narrows the search, or takes parts."""

RUNNING_MAX: Final = 2
"""Exports that are written at once: each reads as a person who searches without a rest."""

KEPT_MAX: Final = 20
"""Exports that are kept, of all people together; the oldest go first."""

KEPT_S: Final = 3_600
"""Seconds that a finished export can be fetched."""

PAGE_S: Final = 30.0
"""Seconds that reading one page may take."""

log = structlog.get_logger(__name__)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants what."""

    login: str
    origin: str
    query: Query
    format: FileFormat
    heading: Heading


class Export:
    """One export; looked at while it is written."""

    def __init__(self, asked: Asked, begun_at_ms: int) -> None:
        self.asked = asked
        self.begun_at_ms = begun_at_ms
        self.number = secrets.token_hex(12)
        self.file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - closed by ``drop``
        self._reading = threading.Lock()
        self._fetching = 0
        self._is_dropped = False
        self.size_bytes = 0
        """Size of the file, once it is whole."""
        self.written = 0
        self.restricted = 0
        self.total = 0
        self.is_exact = True
        self.is_done = False
        self.is_bounded = False
        """The bound was reached: there are more entries than the file has."""
        self.was_cut = False
        """A search ran out of time: entries may be missing."""
        self.fault: DanglianError | None = None

    def part(self, at: int, size: int) -> bytes:
        """Return a part of the file; several threads may read."""
        with self._reading:
            self.file.seek(at)
            return self.file.read(size)

    @contextmanager
    def fetched(self) -> Iterator[None]:
        """Keep the file while somebody fetches it, even where its time is over meanwhile."""
        self._fetching += 1
        try:
            yield
        finally:
            self._fetching -= 1
            if self._is_dropped:
                self.drop()

    def drop(self) -> None:
        """Let the file go, once nobody fetches it any more."""
        self._is_dropped = True
        if not self._fetching:
            self.file.close()


class Exports:
    """All exports of a hub that runs."""

    def __init__(self, database: Database, clock_ms: Callable[[], int], names: Callable[[], Names | None]) -> None:
        self._database = database
        self._clock_ms = clock_ms
        self._names = names
        self._kept: dict[str, Export] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(RUNNING_MAX)

    def begin(self, asked: Asked) -> Export | None:
        """Begin an export; None while too many are being written."""
        self._tidy()
        if len(self._kept) >= KEPT_MAX:
            return None
        made = Export(asked, self._clock_ms())
        self._kept[made.number] = made
        task = asyncio.create_task(self._run(made), name="export")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return made

    def of(self, login: str, number: str) -> Export | None:
        """Return somebody's export; None if there is none, or it is somebody else's."""
        self._tidy()
        found = self._kept.get(number)
        return found if found is not None and found.asked.login == login else None

    async def close(self) -> None:
        """End what is being written."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for one in self._kept.values():
            one.drop()
        self._kept.clear()

    def _tidy(self) -> None:
        old = [one for one in self._kept.values() if one.is_done]
        late = self._clock_ms() - KEPT_S * 1000
        over = len(self._kept) - KEPT_MAX + 1
        for place, one in enumerate(old):
            if one.begun_at_ms < late or place < over:
                self._kept.pop(one.number).drop()

    async def _run(self, export: Export) -> None:
        try:
            async with self._turn:
                await self._write(export)
        except DanglianError as error:
            export.fault = error
            log.warning("export_failed", reason=error.reason.en)
        except OSError as error:
            export.fault = _unwritable(error)
            log.warning("export_failed", reason=export.fault.reason.en)
        finally:
            if export.fault is not None:
                export.drop()
            export.is_done = True

    async def _write(self, export: Export) -> None:
        asked = export.asked
        file = await asyncio.to_thread(begun, asked.format, export.file, asked.heading)
        names = await asyncio.to_thread(self._names)
        sites = await self._database.read(keyring.site_names)
        try:
            async for found in self._pages(asked.query, names):
                await asyncio.to_thread(_add, export, file, found, sites)
                if export.is_bounded:
                    break
        except TimeoutError:
            # What was written until then is a whole file all the same, and the page says that entries are missing.
            export.was_cut = True
        await asyncio.to_thread(file.close)
        export.size_bytes = export.file.seek(0, os.SEEK_END)
        await self._database.write(lambda connection: _note(connection, export, self._clock_ms()))

    async def _pages(self, wanted: Query, names: Names | None) -> AsyncIterator[Page]:
        cursor, is_more = "", True
        while is_more:
            query = msgspec.structs.replace(wanted, limit=SEARCH_HITS_MAX, cursor=cursor, with_facets=False)
            async with asyncio.timeout(PAGE_S):
                found = await self._database.read(partial(search, query=query, names=names))
            yield found
            cursor, is_more = found.cursor, bool(found.cursor)


def _add(export: Export, file: CatalogueFile, found: Page, sites: dict[str, str]) -> None:
    room = EXPORT_ENTRIES_MAX - export.written
    hits = found.hits[:room]
    file.add(Line(site=one.site, site_name=sites.get(one.site, ""), record=one.record) for one in hits)
    export.total, export.is_exact = max(found.total, export.written + len(hits)), found.exact
    export.written += len(hits)
    export.restricted += sum(one.record.access_status in GUARDED for one in hits)
    export.was_cut = export.was_cut or found.was_cut
    export.is_bounded = export.written >= EXPORT_ENTRIES_MAX and (len(found.hits) > room or bool(found.cursor))


def _note(connection: Connection, export: Export, now_ms: int) -> None:
    """Write into the audit log what left the hub: how much, how much of it restricted; not what was searched for."""
    entry = AuditEntry(
        who=export.asked.login,
        action=Action.CATALOGUE_EXPORTED,
        object=f"/catalogue/exports/{export.number}",
        origin=export.asked.origin,
        detail=f"{export.asked.format.value}: {export.written}, restricted: {export.restricted}",
    )
    audit.append(connection, entry, now_ms)


def _unwritable(error: OSError) -> Retryable:
    return Retryable(
        Text(
            zh=f"导出文件写不下去：{error.strerror or error}", en=f"cannot write the export: {error.strerror or error}"
        ),
        Text(
            zh="请检查系统临时文件夹的空间，再导出一次。",
            en="Make room in the temporary folder, then try again.",
        ),
    )


def heading(title: str, agency: str, language: str, now_ms: int) -> Heading:
    """Return what a file says of itself."""
    made_at = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC)
    return Heading(title=title, agency=agency, language=language, made_at=made_at)
