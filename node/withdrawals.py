"""Withdrawals: what happens to records whose rows are not there any more.

A row that another file repeats lives on there. Of the rest, a few are withdrawn at once, and more than a few wait at
the brake (``node.brake``) until a person has decided. Everything is done in transactions of bounded size, so a release
of fifty thousand records can be interrupted and goes on where it was.
"""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from sqlalchemy import Connection

from node import brake, files, lookups, retractions, store
from node.brake import Cause, HeldChange
from node.changes import NOWHERE, StoredRecord
from node.config import BrakeBounds
from node.files import CatalogueFile
from node.linking import note_withdrawn
from node.revisions import withdrawal
from node.store import Seat, Seen
from replication import outbox
from replication.database import Database
from replication.outbox import FrameWriter

WITHDRAWN_AT_ONCE = 2_000
"""Records withdrawn in one transaction."""

MISSING_GRACE_S = 10.0
"""Seconds that a file may be gone before anything is decided: renaming and saving make it vanish for a moment."""


class Vanished(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the records of vanished rows."""

    rehomed: int = 0
    """Live on in a row of another file that said the same."""
    withdrawn: int = 0
    held: int = 0


class Withdrawals:
    """Decides about records whose rows vanished, and carries out what persons decided."""

    def __init__(
        self,
        database: Database,
        writer: FrameWriter,
        bounds: BrakeBounds,
        on_events: Callable[[], None],
        clock_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._writer = writer
        self._bounds = bounds
        self._on_events = on_events
        self._clock_ms = clock_ms
        self.has_outdated = False
        """True when files have to be read again because their rows have taken over records."""

    async def settle_rows(self, file: CatalogueFile, docids: Sequence[int], of_count: int) -> Vanished:
        """Decide about the rows that a complete reading of a file did not find again."""
        docids, rehomed = await self._rehome(docids, file.file_id)
        docids = await self._without_converted(docids, file.file_id)
        if not brake.is_mass_change(len(docids), of_count, self._bounds):
            await self._database.write(partial(self._lapse, file=file))
            await self._withdraw(docids)
            return Vanished(rehomed=rehomed, withdrawn=len(docids))

        def hold(connection: Connection) -> None:
            store.set_lines(connection, NOWHERE, docids)
            brake.hold(connection, self._held(file, Cause.ROWS_VANISHED, len(docids), of_count))

        await self._database.write(hold)
        return Vanished(rehomed=rehomed, held=len(docids))

    async def _without_converted(self, docids: Sequence[int], file_id: int) -> list[int]:
        """Let volumes stay in whose place the file lists their items now: an entry is added to, never replaced."""
        kept = await self._database.read(partial(lookups.converted_volumes, file_id=file_id, docids=docids))
        if kept:
            await self._database.write(partial(store.set_lines, line=NOWHERE, docids=sorted(kept)))
        return [docid for docid in docids if docid not in kept]

    async def settle_missing(self) -> bool:
        """Decide about files that have been gone from their folders for some time: their records wait at the brake.

        Files of folders that are not available are left alone: ``hold_folder`` has dealt with all of them.
        Returns whether some have not been gone for long enough.
        """
        before_ms = self._clock_ms() - int(MISSING_GRACE_S * 1000)
        for file in await self._database.read(lambda connection: files.missing_files(connection, before_ms)):
            rows = await self._database.read(partial(lookups.standing_docids, file_id=file.file_id))
            if not rows:
                continue
            left, _ = await self._rehome(rows, file.file_id)
            if left:
                held = self._held(file, Cause.FILE_VANISHED, len(left), len(rows))
                await self._database.write(partial(brake.hold, change=held))
            else:
                await self._database.write(partial(self._lapse, file=file))

        return await self._database.read(partial(files.has_newly_missing, since_ms=before_ms))

    async def hold_folder(self, folder: str) -> None:
        """Hold everything of a folder that is not available."""

        def hold(connection: Connection) -> None:
            count = lookups.count_of_folder(connection, folder)
            if not count:
                brake.lapse(connection, folder, None, self._clock_ms())
            else:
                change = HeldChange(
                    brake_id=0,
                    folder=folder,
                    file_id=None,
                    path="",
                    cause=Cause.FOLDER_UNAVAILABLE,
                    row_count=count,
                    of_count=count,
                    state=brake.BrakeState.HELD,
                    held_at_ms=self._clock_ms(),
                )
                brake.hold(connection, change)

        await self._database.write(hold)

    async def carry_out(self) -> list[HeldChange]:
        """Carry out what persons have released; returns the changes done."""
        released = await self._database.read(brake.released)
        for change in released:
            await self._withdraw(await self._database.read(partial(_released_rows, change=change)))
            await self._database.write(partial(brake.carried_out, brake_id=change.brake_id, now_ms=self._clock_ms()))
        return released

    async def _rehome(self, docids: Sequence[int], file_id: int) -> tuple[list[int], int]:
        """Let records live on in rows that repeat them; returns those that have none, and how many had."""
        copies = await self._database.read(lambda connection: files.copies_of(connection, list(docids)))
        copies = {docid: copy for docid, copy in copies.items() if copy.file_id != file_id}
        if not copies:
            return list(docids), 0

        def rehome(connection: Connection) -> None:
            # No row has this digest: the row is read once more, because it may say more than the record it repeats.
            store.move(
                connection,
                [
                    Seat(
                        docid=docid,
                        seen=Seen(
                            file_id=copy.file_id,
                            sheet=copy.sheet,
                            line=copy.line,
                            row_digest=b"\0",
                        ),
                    )
                    for docid, copy in copies.items()
                ],
            )
            connection.execute(files.outdated({copy.file_id for copy in copies.values()}))

        await self._database.write(rehome)
        self.has_outdated = True
        return [docid for docid in docids if docid not in copies], len(copies)

    async def _withdraw(self, docids: Sequence[int]) -> None:
        for start in range(0, len(docids), WITHDRAWN_AT_ONCE):
            some = docids[start : start + WITHDRAWN_AT_ONCE]
            await self._database.write(partial(self._withdraw_some, docids=some))
            self._on_events()

    def _withdraw_some(self, connection: Connection, docids: Sequence[int]) -> None:
        rows = lookups.records_by_docid(connection, docids)
        withdraw(connection, self._writer, rows)

    def _lapse(self, connection: Connection, file: CatalogueFile) -> None:
        brake.lapse(connection, file.folder, file.file_id, self._clock_ms())

    def _held(self, file: CatalogueFile, cause: Cause, rows: int, of_count: int) -> HeldChange:
        return HeldChange(
            brake_id=0,
            folder=file.folder,
            file_id=file.file_id,
            path=file.path,
            cause=cause,
            row_count=rows,
            of_count=of_count,
            state=brake.BrakeState.HELD,
            held_at_ms=self._clock_ms(),
        )


def withdraw(connection: Connection, writer: FrameWriter, rows: Sequence[StoredRecord]) -> None:
    """Withdraw records in the present transaction: the events, and the tombstones."""
    note_withdrawn(connection, rows)
    events = [withdrawal(row) for row in rows]
    drafts = [event for event in events if event is not None]
    positions = outbox.append(connection, writer, drafts)
    retractions.note(connection, drafts, positions, writer.clock_ms())
    given = iter(positions)
    store.withdraw(connection, rows, [next(given) if event is not None else 0 for event in events])


def _released_rows(connection: Connection, change: HeldChange) -> list[int]:
    """Return what a released change withdraws, as things stand now: what has come back meanwhile stays."""
    if change.cause is Cause.ROWS_VANISHED and change.file_id is not None:
        gone = lookups.vanished_docids(connection, change.file_id)
        kept = lookups.converted_volumes(connection, change.file_id, gone)
        return [docid for docid in gone if docid not in kept]
    if change.cause is Cause.FILE_VANISHED and change.file_id is not None:
        file = files.file_named(connection, change.file_id)
        return lookups.standing_docids(connection, change.file_id) if file.missing_since_ms is not None else []
    return [
        docid
        for file in files.files_in(connection, change.folder)
        if file.missing_since_ms is not None
        for docid in lookups.standing_docids(connection, file.file_id)
    ]
