"""``danglian-node status``: what was taken and what was rejected and why, the folders, the brake, the link."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from node import brake
from node.commands.standing import FileStatus, SheetStatus, Status, read_status
from node.commands.transfer_copies import copies_told
from node.commands.transfer_work import today
from node.config import load
from node.files import FileState
from node.folders import FolderState
from node.home import add_home_option, home_of
from node.wording import moment
from protocol.findings import rule
from protocol.proposals import FIELD_WORDS, Dropped
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say_json, worded

_HELP = "本站状态：已收录、拒收及原因、目录、待定变更、上报 · what was taken, what was not, and why"


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


def _lines(status: Status) -> Iterator[str]:
    """Return the lines of a status."""
    yield f"{status.name} ({status.site})"
    yield worded(
        Text(
            zh=f"条目 {status.records:,} 条，其中不上报 {status.withheld:,} 条",
            en=f"records: {status.records:,}, of these kept here: {status.withheld:,}",
        )
    )
    yield worded(
        Text(
            zh=f"已记变更 {status.seq:,} 号；待上报 {status.outbox_frames:,} 批",
            en=f"changes so far: {status.seq:,}; batches waiting to be sent: {status.outbox_frames:,}",
        )
    )
    if bytes(status.link) != b"null":
        yield worded(Text(zh=f"连接：{bytes(status.link).decode()}", en=f"link: {bytes(status.link).decode()}"))
    if status.courier_sent_at_ms or status.courier_taken_at_ms:
        sent, taken = moment(status.courier_sent_at_ms) or "—", moment(status.courier_taken_at_ms) or "—"
        yield worded(
            Text(
                zh=f"信使包：最近写出 {sent}；最近收到回执 {taken}",
                en=f"courier bundles: last written {sent}; last reply taken {taken}",
            )
        )
    yield from _folder_lines(status)
    for file in status.files:
        yield from _file_lines(file)
    yield from _waiting_lines(status)


def _folder_lines(status: Status) -> Iterator[str]:
    for one in status.folders:
        words = _FOLDER_STATES.get(one.state, Text(zh=one.state, en=one.state))
        looked = moment(one.looked_at_ms)
        yield worded(
            Text(
                zh=f"目录 {one.path}：{words.zh}，{looked} 看过",
                en=f"folder {one.path}: {words.en}, looked at {looked}",
            )
        )


def _file_lines(file: FileStatus) -> Iterator[str]:
    state = _FILE_STATES[file.state]
    gone = Text(zh="，文件不见了", en=", gone from the folder") if file.is_missing else Text(zh="", en="")
    read = moment(file.read_at_ms)
    yield worded(
        Text(
            zh=f"文件 {Path(file.path)}：{state.zh}{gone.zh}，{read}",
            en=f"file {Path(file.path)}: {state.en}{gone.en}, {read}",
        )
    )
    yield worded(
        Text(
            zh=f"    收录 {file.accepted:,} 行，其中有提示 {file.warned:,} 行；拒收 {file.rejected:,} 行",
            en=f"    rows taken {file.accepted:,}, of these with remarks {file.warned:,}; rejected {file.rejected:,}",
        )
    )
    if file.reason is not None and file.remedy is not None:
        yield f"    {worded(file.reason)}"
        yield f"    {worded(file.remedy)}"
    yield from _why(file.rejected_for, Text(zh="拒收", en="rejected"))
    yield from _why(file.warned_for, Text(zh="提示", en="remark"))
    for sheet in file.sheets:
        yield from _sheet_lines(sheet)
    if file.duplicates:
        yield worded(
            Text(zh=f"    重号 {file.duplicates:,} 行", en=f"    rows with the same code: {file.duplicates:,}")
        )
    for row in file.rejects:
        yield f"      {row.sheet}:{row.line} {row.field} {row.value!r} {worded(row.reason)}"


def _why(counts: Mapping[str, int], what: Text) -> Iterator[str]:
    for code, count in sorted(counts.items(), key=lambda item: -item[1]):
        reason = rule(code).reason
        yield worded(
            Text(
                zh=f"    {what.zh} {count:,} 行：{reason.zh}", en=f"    {what.en} {Count(count):,row|rows}: {reason.en}"
            )
        )


def _sheet_lines(sheet: SheetStatus) -> Iterator[str]:
    """Say of a sheet what its keeper may wonder about; nothing of one of which every row is a record."""
    if sheet.reason is not None:
        yield worded(
            Text(
                zh=f"    未读的表“{sheet.name}”：{sheet.reason.zh}",
                en=f"    sheet not read, {sheet.name}: {sheet.reason.en}",
            )
        )
    if sheet.skipped:
        yield worded(
            Text(
                zh=f"    表“{sheet.name}”跳过 {sheet.skipped:,} 行（小计、重复表头、标题）",
                en=f"    sheet {sheet.name}: {Count(sheet.skipped):,row|rows} skipped (subtotals, repeated headers,"
                " headings)",
            )
        )
    if sheet.unread:
        yield worded(
            Text(
                zh=f"    表“{sheet.name}”未读 {sheet.unread:,} 行：与目录相隔很多空行；如属目录，请删去空行",
                en=f"    sheet {sheet.name}: {Count(sheet.unread):,row|rows} not read, far behind the list:"
                " remove the empty rows if they belong to it",
            )
        )


def _waiting_lines(status: Status) -> Iterator[str]:
    if status.restored_unlisted:
        yield worded(
            Text(
                zh=f"取自县级、尚无文件列出 {status.restored_unlisted:,} 条",
                en=f"restored from the county, in no file yet: {status.restored_unlisted:,}",
            )
        )
    yield from _retraction_lines(status)
    yield from _correction_lines(status)
    if status.copies_due:
        yield worded(Text(zh="移交后留存的副本：", en="copies of what was handed over:"))
        yield from copies_told(status.copies_due, today())
    for change in status.brakes:
        yield worded(
            Text(
                zh=f"待定变更 [{change.brake_id}] {change.reason.zh}",
                en=f"change held [{change.brake_id}] {change.reason.en}",
            )
        )
    if status.brakes:
        yield worded(brake.REMEDY)


def _retraction_lines(status: Status) -> Iterator[str]:
    if not status.retractions:
        return
    count = status.retractions_unconfirmed
    yield worded(Text(zh=f"撤回与关闭，县级未确认 {count:,} 条", en=f"withdrawn or closed, unconfirmed: {count:,}"))
    for one in status.retractions:
        kind = Text(zh="撤回", en="withdrawn") if one.kind == "withdrawn" else Text(zh="关闭", en="closed")
        confirmed = "; ".join(f"{name} {moment(at_ms)}" for name, at_ms in one.confirmed.items()) or "—"
        made = moment(one.minted_at_ms)
        yield worded(
            Text(
                zh=f"    {one.record_id}  {kind.zh}  {made}  确认：{confirmed}",
                en=f"    {one.record_id}  {kind.en}  {made}  confirmed: {confirmed}",
            )
        )


def _correction_lines(status: Status) -> Iterator[str]:
    if status.proposals_waiting:
        waiting = status.proposals_waiting
        yield worded(
            Text(
                zh=f"县级修改建议待处理 {waiting:,} 条（danglian-node proposals list）",
                en=f"changes that the county proposes wait: {waiting:,} (danglian-node proposals list)",
            )
        )
    for one in status.corrections:
        words, stands = FIELD_WORDS[one.field], _STANDINGS.get(one.dropped, _IN_PLACE)
        at = moment(one.dropped_at_ms or one.made_at_ms)
        yield worded(
            Text(
                zh=f"更正 {one.record_id}  {words.zh}  {stands.zh}  {at}",
                en=f"correction {one.record_id}  {words.en}  {stands.en}  {at}",
            )
        )


_FILE_STATES = {
    FileState.LOADING: Text(zh="正在读入", en="being read"),
    FileState.TAKEN: Text(zh="已读完", en="read"),
    FileState.REFUSED: Text(zh="不能读取", en="cannot be read"),
}
_FOLDER_STATES = {
    FolderState.READY.value: Text(zh="正常", en="in order"),
    FolderState.ABSENT.value: Text(zh="不在，或打不开", en="not there, or cannot be opened"),
    FolderState.UNMARKED.value: Text(zh="标记文件不见了，暂不读取", en="without its marker, so not read for now"),
    FolderState.FOREIGN.value: Text(zh="换成了别的目录，暂不读取", en="another folder is in its place, so not read"),
}
_IN_PLACE = Text(zh="已采纳，代替表格中的内容", en="stands in place of what the sheet says")
_STANDINGS = {
    Dropped.SHEET_AGREES.value: Text(zh="表格已同样写明，不再另记", en="the sheet says the same now"),
    Dropped.SHEET_CHANGED.value: Text(zh="表格已另行修改，以表格为准", en="the sheet was changed and stands"),
}
