"""``danglian-node status``: what was taken and what was rejected and why, the folders, the brake, the link."""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

from node import brake, corrections, couriers, files, lookups, proposals, restoration, retractions, store
from node.brake import HeldChange
from node.commands.transfer_copies import copies_told
from node.commands.transfer_work import today
from node.config import NodeConfig, load
from node.corrections import Correction
from node.files import CatalogueFile, FileState
from node.home import NodeHome, add_home_option, home_of
from node.reading import FileReport
from node.retractions import Retraction
from node.tables import fact, folder
from node.transfers import retained
from node.transfers.retained import RetainedCopy
from node.wording import moment
from protocol.findings import rule
from protocol.proposals import FIELD_WORDS, Dropped
from protocol.wording import Text
from replication import outbox
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say_json
from replication.database import is_made, opened

REJECTS_SHOWN_MAX = 200
"""Rejected rows of one file that ``--rejects`` lists; the reject file beside the catalogue has all."""

RETRACTIONS_SHOWN = 20
"""Withdrawals and closings that the status lists, the latest first."""

CORRECTIONS_SHOWN = 20
"""Corrections that the status lists."""

LINK_FACT = "link_state"
"""Where the daemon writes how its link is, as JSON."""

_HELP = "本站状态：已收录、拒收及原因、目录、待定变更、上报 · what was taken, what was not, and why"


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


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser("status", help=_HELP, description=_HELP)
    add_home_option(parser)
    parser.add_argument("--rejects", action="store_true", help="逐行列出拒收的行 · list every rejected row")
    parser.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the status; 1 if something needs a person.

    Raises:
        BadSetting: the home has no settings.

    """
    home = home_of(args)
    config = load(home.settings)
    status = asyncio.run(read_status(home, config, with_rejects=args.rejects))
    if args.json:
        say_json(status)
    else:
        sys.stdout.write("\n".join(_lines(status)) + "\n")
    return EXIT_PROBLEM if status.is_troubled else EXIT_OK


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


def _lines(status: Status) -> Iterator[str]:
    yield f"{status.name} ({status.site})"
    yield f"条目 · records: {status.records}; 不上报 · withheld: {status.withheld}"
    yield f"历史位置 · position: {status.seq} ({status.epoch or '—'})"
    yield f"待上报帧 · frames waiting: {status.outbox_frames}"
    if bytes(status.link) != b"null":
        yield f"连接 · link: {bytes(status.link).decode()}"
    if status.courier_sent_at_ms or status.courier_taken_at_ms:
        sent, taken = moment(status.courier_sent_at_ms) or "—", moment(status.courier_taken_at_ms) or "—"
        yield f"信使包 · courier: 最近写出 · last written {sent}; 最近收到回执 · last reply {taken}"
    for one in status.folders:
        yield f"目录 · folder: {one.path}  {one.state}  {moment(one.looked_at_ms)}"
    for file in status.files:
        yield from _file_lines(file)
    if status.restored_unlisted:
        yield f"取自县级、尚无文件列出 · restored from the hub, in no file: {status.restored_unlisted}"
    yield from _retraction_lines(status)
    yield from _correction_lines(status)
    if status.copies_due:
        yield "移交后留存的副本 · copies of what was handed over:"
        yield from copies_told(status.copies_due, today())
    for change in status.brakes:
        yield f"待定变更 · held [{change.brake_id}] {change.reason.both()}"
    if status.brakes:
        yield brake.REMEDY.both()


def _retraction_lines(status: Status) -> Iterator[str]:
    if not status.retractions:
        return
    yield f"撤回与关闭，县级未确认 · withdrawn or closed, not confirmed yet: {status.retractions_unconfirmed}"
    for one in status.retractions:
        kind = "撤回 · withdrawn" if one.kind == "withdrawn" else "关闭 · closed"
        confirmed = "; ".join(f"{name} {moment(at_ms)}" for name, at_ms in one.confirmed.items())
        yield f"    {one.record_id}  {kind}  {moment(one.minted_at_ms)}  确认 · confirmed: {confirmed or '—'}"


def _correction_lines(status: Status) -> Iterator[str]:
    if status.proposals_waiting:
        yield (
            f"县级修改建议待处理 · proposals of the county wait: {status.proposals_waiting}"
            "（danglian-node proposals list）"
        )
    for one in status.corrections:
        words = FIELD_WORDS[one.field].both()
        stands = {
            Dropped.SHEET_AGREES.value: "表格已同样写明，不再另记 · the sheet says the same now",
            Dropped.SHEET_CHANGED.value: "表格已另行修改，以表格为准 · the sheet was changed and stands",
        }.get(one.dropped, "已采纳，代替表格中的内容 · stands in place of the sheet")
        yield f"更正 · correction: {one.record_id}  {words}  {stands}  {moment(one.dropped_at_ms or one.made_at_ms)}"


def _file_lines(file: FileStatus) -> Iterator[str]:
    missing = "  (文件不见了 · gone)" if file.is_missing else ""
    yield f"文件 · file: {Path(file.path)}  {file.state.value}{missing}  {moment(file.read_at_ms)}"
    yield f"    收录 · taken {file.accepted}; 警告 · warned {file.warned}; 拒收 · rejected {file.rejected}"
    if file.reason is not None and file.remedy is not None:
        yield f"    {file.reason.both()}"
        yield f"    {file.remedy.both()}"
    for sheet in file.sheets:
        yield from _sheet_lines(sheet)
    if file.duplicates:
        yield f"    重号 · duplicates {file.duplicates}"
    for code, count in file.rejected_for.items():
        yield f"    拒收 · rejected {count} × {rule(code).reason.both()}"
    for code, count in file.warned_for.items():
        yield f"    警告 · warned {count} × {rule(code).reason.both()}"
    for row in file.rejects:
        yield f"      {row.sheet}:{row.line} {row.field} {row.value!r} {row.reason.both()}"


def _sheet_lines(sheet: SheetStatus) -> Iterator[str]:
    """Say of a sheet what its keeper may wonder about; nothing of one of which every row is a record."""
    if sheet.reason is not None:
        yield f"    未读的表 · sheet not read: {sheet.name}  {sheet.reason.both()}"
    if sheet.skipped:
        yield f"    {sheet.name}: 跳过 · skipped {sheet.skipped}（小计、重复表头、标题 · subtotals, headers, headings）"
    if sheet.unread:
        yield (
            f"    {sheet.name}: 未读 · not read {sheet.unread}"
            "（与目录相隔很多空行；如属目录，请删去空行"
            " · far behind the list: remove the empty rows if they belong to it）"
        )
