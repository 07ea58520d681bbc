"""How a site is, read from its database: what was taken, what was rejected and why, folders, brake, link."""

from collections.abc import Iterator

import msgspec
from sqlalchemy import Connection, select

from node import brake, corrections, couriers, files, lookups, proposals, restoration, retractions, store
from node.brake import HeldChange
from node.commands.transfer_work import today
from node.config import NodeConfig
from node.corrections import Correction
from node.files import CatalogueFile, FileState
from node.home import NodeHome
from node.reading import FileReport
from node.retractions import Retraction
from node.tables import fact, folder
from node.transfers import retained
from node.transfers.retained import RetainedCopy
from protocol.wording import Text
from replication import outbox
from replication.database import is_made, opened

REJECTS_SHOWN_MAX = 200
"""Rejected rows of one file that ``--rejects`` lists; the reject file beside the catalogue has all."""

RETRACTIONS_SHOWN = 20
"""Withdrawals and closings that the status lists, the latest first."""

CORRECTIONS_SHOWN = 20
"""Corrections that the status lists."""

LINK_FACT = "link_state"
"""Where the daemon writes how its link is, as JSON."""


class FolderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A watched folder."""

    path: str
    state: str
    looked_at_ms: int


class RejectStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why one row stands rejected."""

    sheet: str
    line: int
    field: str
    code: str
    value: str
    reason: Text


class SheetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows of one sheet that are no records."""

    name: str
    skipped: int
    """Subtotals, repeated headers, headings between the rows."""
    blank: int
    unread: int
    """Rows that hold something but stand so far behind the list that they were not taken for part of it."""
    reason: Text | None = None
    """Why the sheet was not read at all."""


class FileStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue file."""

    folder: str
    path: str
    state: FileState
    is_missing: bool
    accepted: int
    warned: int
    rejected: int
    read_at_ms: int
    reason: Text | None
    remedy: Text | None
    warned_for: dict[str, int]
    rejected_for: dict[str, int]
    duplicates: int = 0
    sheets: tuple[SheetStatus, ...] = ()
    rejects: tuple[RejectStatus, ...] = ()


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How a site is, as its keeper sees it."""

    site: str
    name: str
    epoch: str = ""
    seq: int = 0
    outbox_frames: int = 0
    records: int = 0
    withheld: int = 0
    link: msgspec.Raw = msgspec.Raw(b"null")
    folders: tuple[FolderStatus, ...] = ()
    files: tuple[FileStatus, ...] = ()
    brakes: tuple[HeldChange, ...] = ()
    restored_unlisted: int = 0
    """Records restored from the hub that no file lists."""
    retractions: tuple[Retraction, ...] = ()
    """The latest withdrawals and closings, and which copy confirmed each when."""
    retractions_unconfirmed: int = 0
    """Withdrawals and closings that the county has not confirmed."""
    proposals_waiting: int = 0
    """Changes that the county proposes and nobody has decided."""
    corrections: tuple[Correction, ...] = ()
    """Values that stand in place of what a sheet says, then those that a sheet has overtaken, the latest first."""
    courier_sent_at_ms: int = 0
    """When the last bundle for the county was written; 0 if there never was one."""
    courier_taken_at_ms: int = 0
    """When the last reply of the county was taken from a stick."""
    copies_due: tuple[RetainedCopy, ...] = ()
    """Copies of what was handed over whose retention ends now, or soon."""

    @property
    def is_troubled(self) -> bool:
        """True if somebody should look."""
        return (
            bool(self.brakes)
            or bool(self.proposals_waiting)
            or any(one.is_due(today()) for one in self.copies_due)
            or any(one.state != "ready" for one in self.folders)
            or any(one.state is FileState.REFUSED or one.rejected for one in self.files)
        )


async def read_status(home: NodeHome, config: NodeConfig, *, with_rejects: bool = False) -> Status:
    """Read the status from the database, whether the daemon runs or not."""
    nothing_yet = Status(site=config.site, name=config.name)
    if not home.database.exists():
        return nothing_yet
    async with opened(home.database, (), read_only=True) as database:
        return await database.read(
            lambda connection: (
                _status(connection, config, with_rejects=with_rejects) if is_made(connection) else nothing_yet
            )
        )


def _status(connection: Connection, config: NodeConfig, *, with_rejects: bool) -> Status:
    here = outbox.head(connection)
    records, withheld = store.count_standing(connection)
    courier = couriers.read(connection)
    link = connection.execute(select(fact.c.value).where(fact.c.name == LINK_FACT)).scalar_one_or_none()
    return Status(
        site=config.site,
        name=config.name,
        epoch=here.epoch if here is not None else "",
        seq=here.seq if here is not None else 0,
        outbox_frames=outbox.depth(connection),
        records=records,
        withheld=withheld,
        link=msgspec.Raw((link or "null").encode()),
        folders=tuple(
            FolderStatus(path=row.path, state=row.state, looked_at_ms=row.looked_at_ms)
            for row in connection.execute(select(folder).order_by(folder.c.path))
        ),
        files=tuple(
            _file_status(connection, file, with_rejects=with_rejects)
            for file in files.files_in(connection)
            if file.folder != restoration.RESTORED_FOLDER
            and (file.missing_since_ms is None or lookups.count_listed(connection, file.file_id))
        ),
        restored_unlisted=restoration.count_unlisted(connection),
        brakes=tuple(brake.held(connection)),
        retractions=tuple(retractions.latest(connection, RETRACTIONS_SHOWN)),
        retractions_unconfirmed=retractions.counts(connection)[1],
        proposals_waiting=proposals.count_waiting(connection),
        corrections=tuple(corrections.listed(connection, CORRECTIONS_SHOWN)),
        courier_sent_at_ms=courier.sent_at_ms,
        courier_taken_at_ms=courier.taken_at_ms,
        copies_due=tuple(retained.copies_due(connection, today())),
    )


def _file_status(connection: Connection, file: CatalogueFile, *, with_rejects: bool) -> FileStatus:
    encoded = files.report_of(connection, file.file_id)
    report = msgspec.json.decode(encoded, type=FileReport) if encoded else FileReport()
    refused = file.state is FileState.REFUSED
    return FileStatus(
        folder=file.folder,
        path=file.path,
        state=file.state,
        is_missing=file.missing_since_ms is not None,
        accepted=file.accepted,
        warned=file.warned,
        rejected=file.rejected,
        read_at_ms=file.read_at_ms,
        reason=file.reason if refused else None,
        remedy=file.hint if refused else None,
        warned_for=report.warned,
        rejected_for=report.rejected,
        duplicates=report.duplicates,
        sheets=tuple(_sheets(report)),
        rejects=_rejects(connection, file.file_id) if with_rejects else (),
    )


def _sheets(report: FileReport) -> Iterator[SheetStatus]:
    for sheet in report.sheets:
        counts = sheet.counts
        skipped = counts.subtotals + counts.repeated_headers + counts.headings
        yield SheetStatus(name=sheet.name, skipped=skipped, blank=counts.blank, unread=counts.unread)
    for unread in report.unread:
        yield SheetStatus(name=unread.name, skipped=0, blank=0, unread=0, reason=unread.reason)


def _rejects(connection: Connection, file_id: int) -> tuple[RejectStatus, ...]:
    return tuple(
        RejectStatus(
            sheet=row["sheet"],
            line=row["line"],
            field=row["field"],
            code=row["code"],
            value=row["value"],
            reason=Text(zh=row["reason_zh"], en=row["reason_en"]),
        )
        for row in connection.execute(files.rejects_statement(file_id, REJECTS_SHOWN_MAX)).mappings()
    )
