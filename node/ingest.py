"""Ingest: takes one settled file into the store, with its events, in transactions of bounded size.

- A file is copied into the spool while it is hashed, and read from there: a slow share, or a program that writes on,
  cannot change it under way. If it has changed meanwhile, the copy is thrown away and the file settles again.
- Bytes that were read before by the same rules are not read again; a missing file's bytes under another name are that
  file, renamed.
- Records and events of up to ``CHUNK_ROWS`` rows are one transaction. After a kill the file is read again: what was
  stored is recognised by its digest, and the rest follows.
- The search index takes new records when all rows are through (``node.indexing``): their events need not wait for it.
- Rows count as vanished only when the file was read to its end.
- A file that cannot be read is refused with its reason, and what was stored from it stays.
"""

import asyncio
import errno
import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from enum import StrEnum
from functools import partial
from pathlib import Path

import msgspec
import structlog
from sqlalchemy import Connection

from node import brake, corrections, files, lookups, retractions, store
from node.brake import Cause
from node.catalogues.context import DescriptionContext
from node.catalogues.rejects import write_rejects
from node.changes import SPOILT, IncomingRow, StoredRecord
from node.correcting import Corrector
from node.courtesy import Courtesy
from node.files import CatalogueFile, FileState, SeenFile
from node.folders import look_at
from node.importing import CHUNK_ROWS, Batch, Chunk, FileImport, Tally, spoilt
from node.indexing import Indexing
from node.linking import Linking, listed_volumes, note_due
from node.lookups import Surroundings
from node.reading import FileReading, FileReport, by_code, gaps_of, reading_fingerprint, rejections
from node.revisions import record_ids
from node.watching import SettledFile, WatchedFolder
from node.withdrawals import Vanished, Withdrawals
from protocol.errors import NO_HINT, BadFile, DanglianError, StorageFull
from protocol.wording import Text
from replication import outbox
from replication.database import Database
from replication.faults import place_of
from replication.outbox import FrameWriter

COPY_DEADLINE_S = 900.0
"""Seconds that copying one file may take: the largest text file over a 10 Mbit/s share."""

COPY_BYTES = 1024 * 1024
"""Bytes copied into the spool at a time."""

log = structlog.get_logger(__name__)


class Outcome(StrEnum):
    """What became of a settled file."""

    TAKEN = "taken"
    UNCHANGED = "unchanged"
    RENAMED = "renamed"
    REFUSED = "refused"
    CHANGED_MEANWHILE = "changed_meanwhile"
    """It changed while it was read: it has to settle again."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one import."""

    outcome: Outcome
    tally: Tally = msgspec.field(default_factory=Tally)
    rejected: int = 0
    vanished: Vanished = Vanished()


class Spooled(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of a file as it was at one moment."""

    path: Path
    sha256: bytes


class Recognised(msgspec.Struct, frozen=True, kw_only=True):
    """Which file it is; with an outcome if it need not be read."""

    file_id: int
    outcome: Outcome | None = None
    is_interrupted: bool = False
    """Its first reading broke off, and its bytes are still the same."""


class Importer:
    """Takes files, one at a time."""

    def __init__(
        self,
        database: Database,
        writer: FrameWriter,
        withdrawals: Withdrawals,
        spool: Path,
        context_of: Callable[[WatchedFolder], DescriptionContext],
        on_events: Callable[[], None],
        clock_ms: Callable[[], int],
        randomness: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._database = database
        self._writer = writer
        self._withdrawals = withdrawals
        self._spool = spool
        self._context_of = context_of
        self._on_events = on_events
        self._clock_ms = clock_ms
        self._randomness = randomness
        self.courtesy = Courtesy()
        """Lets those who ask the site go first; what answers them has to say so to it."""
        self.linking = Linking(database, writer, on_events, clock_ms)
        self.corrector = Corrector(database, writer, on_events, clock_ms)
        self.indexing = Indexing(database, self.courtesy)
        self.is_busy = False

    def fingerprint(self, folder: WatchedFolder) -> str:
        """Return the rules by which files of a folder are read now."""
        return reading_fingerprint(folder.settings, self._context_of(folder))

    async def take(self, settled: SettledFile) -> Taken:
        """Take one file.

        Raises:
            StorageFull: the disk has no room; what was stored stays, and the file is to be taken again.
            OSError: the file cannot be read now, or not within ``COPY_DEADLINE_S``.

        """
        self.is_busy = True
        try:
            self._spool.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._spool, ignore_cleanup_errors=True) as folder:
                async with asyncio.timeout(COPY_DEADLINE_S):
                    copy = await asyncio.to_thread(_spooled, settled.path, Path(folder))
                    look = await asyncio.to_thread(look_at, settled.path)
                if look != settled.look:
                    return Taken(outcome=Outcome.CHANGED_MEANWHILE)
                taken = await self._take_copy(settled, copy)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise _disk_full() from error
        finally:
            self.is_busy = False
            # The next sign of life says what came of it, and that the import is over.
            self._on_events()
        log.info("file_read", outcome=taken.outcome.value, rejected=taken.rejected, **msgspec.to_builtins(taken.tally))
        return taken

    async def _take_copy(self, settled: SettledFile, copy: Spooled) -> Taken:
        rules = self.fingerprint(settled.folder)
        others = await self._database.read(files.files_in)
        is_known = any((file.folder, file.path) == (settled.folder.name, settled.relative) for file in others)
        # A new name may be a new name for a file that is gone; the walk that would notice that may come later.
        gone = [] if is_known else await asyncio.to_thread(_gone, others)
        recognised = partial(self._recognised, settled=settled, copy=copy, rules=rules, gone=gone)
        found = await self._database.write(recognised)
        if found.outcome is not None:
            return Taken(outcome=found.outcome)
        try:
            context = self._context_of(settled.folder)
            reading = await asyncio.to_thread(FileReading, copy.path, settled.folder.settings, context)
            return await self._read(settled, found, reading)
        except BadFile as error:
            return await self._refuse(found, error.reason, error.hint)
        except (DanglianError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - one file that finds a defect never stops the others (promise 9)
            # Where, not what: the words of an exception may quote a row.
            log.error("reading_failed", file_id=found.file_id, error=place_of(error))  # noqa: TRY400
            return await self._refuse(found, _DEFECT, NO_HINT)

    async def _refuse(self, found: Recognised, reason: Text, hint: Text) -> Taken:
        refusal = partial(files.refuse, file_id=found.file_id, reason=reason, hint=hint, now_ms=self._clock_ms())
        await self._database.write(refusal)
        return Taken(outcome=Outcome.REFUSED)

    def _recognised(
        self,
        connection: Connection,
        settled: SettledFile,
        copy: Spooled,
        rules: str,
        gone: Sequence[CatalogueFile],
    ) -> Recognised:
        """Find out which file this is, and whether it has to be read."""
        seen = SeenFile(
            folder=settled.folder.name,
            path=settled.relative,
            size_bytes=settled.look.size_bytes,
            mtime_ns=settled.look.mtime_ns,
            sha256=copy.sha256,
            reading=rules,
            at_ms=self._clock_ms(),
        )
        known, outcome = files.file_at(connection, seen.folder, seen.path), Outcome.UNCHANGED
        if known is None:
            files.set_missing(connection, [file.file_id for file in gone if not file.missing_since_ms], seen.at_ms)
            renamed = (file for file in gone if file.sha256 == copy.sha256 and file.state is not FileState.REFUSED)
            known, outcome = next(renamed, None), Outcome.RENAMED
        if known is None:
            return Recognised(file_id=files.begin(connection, seen).file_id)
        is_same = known.sha256 == copy.sha256 and known.reading == rules
        # Not if its records have been withdrawn, or live on elsewhere, since it was read.
        is_whole = lookups.count_listed(connection, known.file_id) == known.accepted
        is_read = is_same and is_whole and known.state is not FileState.LOADING
        files.seen_again(connection, known.file_id, seen, is_read=is_read)
        if is_read:
            brake.lapse(connection, known.folder, known.file_id, self._clock_ms(), Cause.FILE_VANISHED)
        return Recognised(
            file_id=known.file_id,
            outcome=outcome if is_read else None,
            is_interrupted=is_same and known.state is FileState.LOADING,
        )

    async def _read(self, settled: SettledFile, found: Recognised, reading: FileReading) -> Taken:
        stored = await self._database.read(partial(lookups.rows_of_file, file_id=found.file_id))
        strays = await self._database.read(partial(lookups.rows_of_missing_files, file_id=found.file_id))
        around = await self._database.read(partial(lookups.surroundings, file_id=found.file_id))
        # A load that was interrupted goes on as a first load: all that is stored stands in the part that was read.
        is_first_load = not strays and (not stored or found.is_interrupted)
        work = FileImport(reading, found.file_id, stored, strays, is_first_load=is_first_load, courtesy=self.courtesy)
        async with aclosing(_ahead(work.batches())) as batches:
            async for batch in batches:
                work.rejects += batch.rejects
                if batch.rows:
                    await self._take_batch(work, batch.rows, found.file_id, around)
        for start in range(0, len(work.shifted), CHUNK_ROWS):
            places = work.shifted[start : start + CHUNK_ROWS]
            await self._database.write(partial(store.move_lines, file_id=found.file_id, places=places))
        vanished = await self._vanished(work, found.file_id, len(stored))
        await self.linking.settle()
        await asyncio.to_thread(_write_rejects, settled.path, reading, work)
        await self.indexing.settle()
        await self._finish(work, reading, found.file_id)
        return Taken(outcome=Outcome.TAKEN, tally=work.tally, rejected=len(work.rejects), vanished=vanished)

    async def _take_batch(
        self, work: FileImport, batch: Sequence[IncomingRow], file_id: int, around: Surroundings
    ) -> None:
        related = partial(_related, file_id=file_id, batch=batch, unclaimed=work.unclaimed, around=around)
        here, elsewhere = await self._database.read(related)
        codes = await self._database.read(partial(lookups.codes_of_file, file_id=file_id)) if work.needs_codes else []
        ids_met = [one.record_id for one in (*here, *elsewhere)]
        if ids_met:
            work.corrections.learn(await self._database.read(partial(corrections.standing, record_ids=ids_met)))
        named = {(row.record.fonds_no, row.volume_code) for row in batch if row.volume_code}
        if named:
            work.volumes.learn(await self._database.read(partial(listed_volumes, keys=named)))
        now_ms = self._clock_ms()
        ids = partial(record_ids, now_ms, randomness=self._randomness)
        chunks = work.chunks(batch, here, elsewhere, codes, ids, now_ms)
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            await self._database.write(partial(self._write, chunk=chunk))
            self._on_events()
            self.indexing.note(len(chunk.new))
        await self.indexing.keep_up()

    def _write(self, connection: Connection, chunk: Chunk) -> None:
        rows = (*chunk.new, *chunk.changed)
        drafts = [row.event for row in rows if row.event is not None]
        minted = outbox.append(connection, self._writer, drafts)
        retractions.note(connection, drafts, minted, self._clock_ms())
        given = iter(minted)
        positions = [next(given) if row.event is not None else 0 for row in rows]
        if chunk.new:
            store.insert(connection, chunk.new, positions[: len(chunk.new)])
        if chunk.changed:
            store.replace(connection, chunk.changed, positions[len(chunk.new) :])
        store.move(connection, chunk.moved)
        note_due(connection, chunk.volumes)
        corrections.drop(connection, chunk.dropped, self._clock_ms())
        corrections.settle(connection, chunk.settled)

    async def _vanished(self, work: FileImport, file_id: int, of_count: int) -> Vanished:
        docids = work.vanished
        if docids and work.rejects:
            rows = await self._database.read(partial(lookups.records_by_docid, docids=docids))
            kept = set(await asyncio.to_thread(spoilt, rows, work.rejects))
            if kept:
                await self._database.write(partial(store.set_lines, line=SPOILT, docids=sorted(kept)))
                docids = [docid for docid in docids if docid not in kept]
        file = await self._database.read(partial(files.file_named, file_id=file_id))
        return await self._withdrawals.settle_rows(file, docids, of_count)

    async def _finish(self, work: FileImport, reading: FileReading, file_id: int) -> None:
        before, codes, warned = await self._database.read(partial(_reported, file_id=file_id, work=work))
        report = msgspec.structs.replace(
            reading.report(),
            duplicates=work.tally.duplicates + work.tally.copies,
            gaps=before.gaps if codes is None else await asyncio.to_thread(gaps_of, codes),
            warned=by_code(warned),
            rejected=rejections(work.rejects),
        )

        def finish(connection: Connection) -> None:
            files.set_rejects(connection, file_id, work.rejects)
            encoded = msgspec.json.encode(report)
            files.finish(connection, file_id, encoded, len(work.rejects), self._clock_ms())

        await self._database.write(finish)


async def _ahead(batches: Iterator[Batch]) -> AsyncGenerator[Batch]:
    """Yield batches; while one is taken, the next is described: the store computes without Python's lock."""
    describing = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
    try:
        while (batch := await describing) is not None:
            describing = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
            yield batch
    finally:
        # The thread ends before the copy of the file goes that it may be reading.
        await asyncio.gather(describing, return_exceptions=True)


def _write_rejects(source: Path, reading: FileReading, work: FileImport) -> None:
    try:
        write_rejects(source, reading.rejects(work.rejects))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        # A read-only share, or somebody looks at it on Windows: the rejected rows stand in the status all the same.
        log.warning("reject_file_not_written", error=error.strerror)


def _reported(
    connection: Connection, file_id: int, work: FileImport
) -> tuple[FileReport, list[str] | None, dict[str, int]]:
    """Return the report of before, the codes of the file if they may have changed, and the warnings that stand."""
    report = files.report_of(connection, file_id)
    before = msgspec.json.decode(report, type=FileReport) if report else FileReport()
    codes = lookups.ref_codes(connection, file_id) if work.has_changed or not report else None
    return before, codes, files.warnings_of(connection, file_id)


def _spooled(source: Path, folder: Path) -> Spooled:
    """Copy a file under its own name, and hash it on the way."""
    target = folder / source.name
    digest = hashlib.sha256()
    with source.open("rb") as original, target.open("wb") as copy:
        while piece := original.read(COPY_BYTES):
            digest.update(piece)
            copy.write(piece)
    return Spooled(path=target, sha256=digest.digest())


def _gone(known: Sequence[CatalogueFile]) -> list[CatalogueFile]:
    """Return the files that are not in their places any more."""
    return [file for file in known if look_at(Path(file.folder, file.path)) is None]


def _related(
    connection: Connection,
    file_id: int,
    batch: Sequence[IncomingRow],
    unclaimed: frozenset[int],
    around: Surroundings,
) -> tuple[list[StoredRecord], list[StoredRecord]]:
    """Return the stored records that the rows may continue: those of their file, and those of others."""
    here = lookups.records_by_docid(connection, sorted(unclaimed)) if unclaimed else []
    if not (around.has_gone or around.has_others):
        return here, []
    keys = [row.content_key for row in batch]
    if around.has_gone:
        codes = [row.record.ref_code for row in batch if row.record.ref_code]
        here += lookups.records_gone(connection, file_id, keys, codes)
    return here, lookups.records_saying(connection, keys, file_id) if around.has_others else []


def _disk_full() -> StorageFull:
    return StorageFull(
        Text(zh="磁盘已满，目录文件暂时无法读入。", en="disk full: a catalogue file cannot be taken now"),
        Text(zh="请清理磁盘空间；之后会自动继续。", en="Free some disk space; work goes on by itself then."),
    )


_DEFECT = Text(zh="程序在读取该文件时出错，已记录。", en="The program failed while reading this file; it is recorded.")
