"""Intake: the loop that brings what happens in the folders into the store, and carries out what persons decided.

One step waits for news, notes which files are gone, takes what has settled, and looks at the brake. A file that cannot
be taken now, because the disk is full or somebody holds it, is tried again; everything else goes on.
"""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy import Connection, select

from node import brake, files, indexing, lookups
from node.files import CatalogueFile, FileState
from node.folders import FolderLook, FolderState, read_marker, write_marker
from node.ingest import Importer, Outcome
from node.settling import Look
from node.tables import folder as folder_table
from node.watching import FolderWatch, SettledFile, WatchedFolder
from node.withdrawals import Withdrawals
from protocol.errors import Retryable
from replication.database import Database

BRAKE_POLL_S = 3.0
"""Seconds after which a decision that a person made on the command line is seen."""

RETRY_S = 10.0
"""Seconds until the folders are walked through again after the disk was full."""

MARKER_TOKEN_BYTES = 8
"""Random bytes of a folder's marker."""

log = structlog.get_logger(__name__)


class Intake:
    """Watches, takes, withdraws; one for each node."""

    def __init__(
        self,
        database: Database,
        watch: FolderWatch,
        importer: Importer,
        withdrawals: Withdrawals,
        spool: Path,
        clock_ms: Callable[[], int],
        randomness: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._database = database
        self._watch = watch
        self._importer = importer
        self._withdrawals = withdrawals
        self._spool = spool
        self._clock_ms = clock_ms
        self._randomness = randomness
        self._is_missing_due = True

    async def begin(self) -> None:
        """Clear what a kill left behind, and learn how every file was when it was last read."""
        shutil.rmtree(self._spool, ignore_errors=True)
        if not await self._database.write(indexing.is_current):
            log.info("search_index_rebuilt")
            await self._database.write(indexing.rebuild)
        try:
            await self._importer.linking.begin()
        except Retryable as error:
            # The rest is looked at when the next file has been read.
            log.warning("linking_postponed", reason=error.reason.en)
        await self._let_go_of_dropped_folders()
        for folder in self._watch.folders:
            rules = self._importer.fingerprint(folder)
            token, known = await self._database.read(partial(_remembered, folder=folder.name))
            self._watch.tokens[folder.name] = token
            for file in known:
                if file.reading == rules and file.state is not FileState.LOADING and file.missing_since_ms is None:
                    look = Look(size_bytes=file.size_bytes, mtime_ns=file.mtime_ns)
                    self._watch.known[folder.place / file.path] = look

    async def _let_go_of_dropped_folders(self) -> None:
        """Hold what stood in folders that the settings do not name any more; where it stands now, it is found again."""
        watched = frozenset(folder.name for folder in self._watch.folders)
        dropping = partial(_dropped, watched=watched, now_ms=self._clock_ms())
        for folder in await self._database.write(dropping):
            await self._withdrawals.hold_folder(folder)

    async def run(self) -> None:
        """Go on for ever."""
        await self.begin()
        while True:
            await self.step()

    async def step(self) -> None:
        """Wait for the next thing to do, and do it."""
        news = await self._watch.step(BRAKE_POLL_S)
        try:
            for folder, look in news.walked:
                await self._note_walk(folder, look)
            for settled in news.settled:
                await self._take(settled)
            if self._is_missing_due and self._watch.is_quiet:
                self._is_missing_due = await self._withdrawals.settle_missing()
            await self._carry_out()
            await self._importer.indexing.settle()
        except Retryable as error:
            log.warning("intake_paused", reason=error.reason.en)
            self._watch.scan_soon(RETRY_S)
        if self._withdrawals.has_outdated:
            await self._read_outdated()

    async def _take(self, settled: SettledFile) -> None:
        try:
            taken = await self._importer.take(settled)
        except Retryable as error:
            log.warning("file_postponed", reason=error.reason.en)
            self._watch.retry(settled)
        except OSError as error:
            log.warning("file_postponed", reason=error.strerror)
            self._watch.retry(settled)
        else:
            if taken.outcome is Outcome.CHANGED_MEANWHILE:
                self._watch.retry(settled)
            else:
                self._watch.known[settled.path] = settled.look

    async def _read_outdated(self) -> None:
        """Have those files read again whose rows have taken over records of another file."""
        for file in await self._database.read(files.outdated_files):
            self._watch.known.pop(Path(file.folder, file.path), None)
        self._withdrawals.has_outdated = False
        self._watch.scan_soon()

    async def _note_walk(self, folder: WatchedFolder, look: FolderLook) -> None:
        token, state = self._watch.tokens.get(folder.name, ""), look.state
        if state in (FolderState.UNMARKED, FolderState.FOREIGN):
            count = await self._database.read(partial(lookups.count_of_folder, folder=folder.name))
            if not count:
                # Nothing depends on what stood there before: the folder is taken as it is.
                token, state = "", FolderState.READY
                self._watch.scan_soon()
        if state is FolderState.READY and not token:
            token = read_marker(folder.place) or self._marked(folder)
            if not token and not look.files:
                # Without a marker nothing tells an emptied folder from one that is not mounted.
                state = FolderState.UNMARKED
        self._watch.tokens[folder.name] = token
        noted = partial(_noted, folder=folder.name, look=look, state=state, token=token, now_ms=self._clock_ms())
        self._is_missing_due |= await self._database.write(noted)
        if state is not FolderState.READY:
            await self._withdrawals.hold_folder(folder.name)
        if look.is_complete:
            for path in [path for path in self._watch.known if path.is_relative_to(folder.place)]:
                if path.relative_to(folder.place).as_posix() not in look.files:
                    del self._watch.known[path]

    def _marked(self, folder: WatchedFolder) -> str:
        token = self._randomness(MARKER_TOKEN_BYTES).hex()
        return token if write_marker(folder.place, token) else ""

    async def _carry_out(self) -> None:
        await self._importer.corrector.settle()
        carried_out = await self._withdrawals.carry_out()
        if carried_out:
            await self._importer.linking.settle()
        for change in carried_out:
            log.info("change_released", cause=change.cause.value, records=change.row_count)
            if change.cause is brake.Cause.FOLDER_UNAVAILABLE:
                # From now on the folder is what it is: the next walk takes its marker, or gives it one.
                await self._database.write(partial(_forget_token, folder=change.folder))
                self._watch.tokens[change.folder] = ""
                self._watch.scan_soon()


def _remembered(connection: Connection, folder: str) -> tuple[str, list[CatalogueFile]]:
    row = connection.execute(folder_table.select().where(folder_table.c.path == folder)).one_or_none()
    return (row.token if row is not None else ""), files.files_in(connection, folder)


def _dropped(connection: Connection, watched: frozenset[str], now_ms: int) -> list[str]:
    known = connection.execute(select(folder_table.c.path)).scalars().all()
    dropped = sorted(set(known) - watched)
    for folder in dropped:
        connection.execute(
            folder_table.update().where(folder_table.c.path == folder).values(state=FolderState.ABSENT.value)
        )
        present = [file.file_id for file in files.files_in(connection, folder) if file.missing_since_ms is None]
        files.set_missing(connection, present, now_ms)
    return dropped


def _noted(connection: Connection, folder: str, look: FolderLook, state: FolderState, token: str, now_ms: int) -> bool:
    """Write down how a folder is, and which of its files are gone; returns whether some are."""
    connection.exec_driver_sql(
        "INSERT OR REPLACE INTO folder (path, token, state, looked_at_ms) VALUES (?, ?, ?, ?)",
        (folder, token, state.value, now_ms),
    )
    if state is FolderState.READY:
        brake.lapse(connection, folder, None, now_ms)
    if not look.is_complete:
        return False
    gone = [file for file in files.files_in(connection, folder) if file.path not in look.files]
    files.set_missing(connection, [file.file_id for file in gone if file.missing_since_ms is None], now_ms)
    return bool(gone)


def _forget_token(connection: Connection, folder: str) -> None:
    connection.execute(folder_table.update().where(folder_table.c.path == folder).values(token=""))
