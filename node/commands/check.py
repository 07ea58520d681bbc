"""``danglian-node check``: reads catalogue files and tells what would be made of them; changes nothing."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from node.catalogues.context import DescriptionContext
from node.catalogues.fields import called
from node.changes import CodeKey, Place, code_key
from node.config import FolderSettings, load
from node.files import RejectedRow
from node.folders import look_into
from node.home import NodeHome, add_home_option, home_of
from node.reading import FileReading, FileReport, SheetReport, by_code, context_of, gaps_of, rejections
from protocol.errors import BadFile, BadSetting
from protocol.findings import finding, rule
from protocol.wording import Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say_json, worded
from replication.county_key import read_county_key

REJECTS_SHOWN_MAX = 50
"""Rejected rows that the report lists one by one; the reject file of a real import has all."""

NO_SITE = "000000000000"
"""Stands for the site where files are checked outside of any home."""

_HELP = "试读目录文件，只出报告，不改动任何数据 · read files and report, change nothing"
_DESCRIPTION = """试读目录文件并给出导入报告：行数、接收、警告、拒收、缺号、重号、表头对应、编码、摘要，不改动数据。

Read catalogue files and print the import report: rows, warnings, rejections, gaps and duplicates in the numbering, the
mapping of the headers, the encoding and the digest of the sheet. Nothing is changed.
"""


class RejectLine(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why one row would be rejected."""

    sheet: str
    line: int
    field: str
    code: str
    reason: Text


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """What would be made of one file."""

    file: str
    refused: Text | None = None
    remedy: Text | None = None
    report: FileReport = FileReport()
    rejects: tuple[RejectLine, ...] = ()


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser("check", help=_HELP, description=_DESCRIPTION)
    add_home_option(parser)
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="目录文件；不写则查本站各目录 · else: the node's folders"
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check the files; 1 if some row or file would be rejected.

    Raises:
        BadSetting: no file was named, and there is no home.

    """
    home = home_of(args)
    found = False
    reports = []
    for path, settings, context in _chosen(home, args.files):
        report = checked(path, settings, context)
        reports.append(report)
        found |= report.refused is not None or bool(report.report.rejected)
        if not args.json:
            sys.stdout.write("\n".join(_lines(report)) + "\n\n")
    if args.json:
        say_json(reports)
    return EXIT_PROBLEM if found else EXIT_OK


def _chosen(home: NodeHome, given: list[Path]) -> Iterator[tuple[Path, FolderSettings, DescriptionContext]]:
    """Return the files to check with the settings of their folders."""
    if given and not home.settings.exists():
        plain = FolderSettings()
        for path in given:
            yield path, plain, context_of(NO_SITE, plain, b"")
        return
    config = load(home.settings)
    try:
        county_key = read_county_key(home.county_key)
    except BadSetting:
        # A report holds no keys of persons, so it can be made without the county's key.
        county_key = b""
    for path in given:
        inside = [folder for folder in config.folders if path.absolute().is_relative_to(folder.place(home))]
        settings = inside[0] if inside else FolderSettings()
        yield path, settings, context_of(config.site, settings, county_key)
    if not given:
        for settings in config.folders:
            place = settings.place(home)
            for relative in sorted(look_into(place, "").files):
                yield place / relative, settings, context_of(config.site, settings, county_key)


def checked(path: Path, settings: FolderSettings, context: DescriptionContext) -> CheckReport:
    """Read one file and tell what would be made of it."""
    rejects: list[RejectedRow] = []
    codes: list[str] = []
    warned: dict[str, int] = {}
    taken: dict[CodeKey, Place] = {}
    try:
        reading = FileReading(path, settings, context)
        for sheet, raw in reading.rows():
            row = reading.described(sheet, raw)
            if isinstance(row, RejectedRow):
                rejects.append(row)
                continue
            record = row.record
            code = code_key(record.fonds_no, record.ref_code, record.level)
            if code is not None and taken.setdefault(code, (row.sheet, row.line)) != (row.sheet, row.line):
                repeated = finding("ref_code_duplicate", field="ref_code", value=record.ref_code_as_given)
                rejects.append(RejectedRow(sheet=row.sheet, line=row.line, findings=(repeated,)))
                continue
            codes.append(record.ref_code)
            if row.warnings:
                warned[row.warnings] = warned.get(row.warnings, 0) + 1
    except BadFile as error:
        return CheckReport(file=str(path), refused=error.reason, remedy=error.hint)
    except OSError as error:
        told = Text(zh=f"无法打开：{error.strerror}", en=f"cannot be opened: {error.strerror}")
        return CheckReport(file=str(path), refused=_NOT_THERE if isinstance(error, FileNotFoundError) else told)
    counted = rejections(rejects)
    report = msgspec.structs.replace(
        reading.report(),
        accepted=len(codes),
        duplicates=counted.get("ref_code_duplicate", 0),
        gaps=gaps_of(codes),
        warned=by_code(warned),
        rejected=counted,
    )
    return CheckReport(file=str(path), report=report, rejects=tuple(_reject_lines(rejects))[:REJECTS_SHOWN_MAX])


_NOT_THERE = Text(zh="没有这个文件。请核对路径和文件名。", en="There is no such file: check its path and name.")


def _reject_lines(rejects: list[RejectedRow]) -> Iterator[RejectLine]:
    for row in rejects:
        for one in row.findings:
            yield RejectLine(sheet=row.sheet, line=row.line, field=one.field, code=one.code, reason=one.text)


def _lines(checked_file: CheckReport) -> Iterator[str]:
    yield f"== {checked_file.file}"
    if checked_file.refused is not None:
        said = checked_file.refused
        yield worded(Text(zh=f"不能读取：{said.zh}", en=f"refused: {said.en}"))
        if checked_file.remedy is not None:
            remedy = checked_file.remedy
            yield worded(Text(zh=f"处理办法：{remedy.zh}", en=f"what to do: {remedy.en}"))
        return
    report = checked_file.report
    rejected = report.rows_read - report.accepted
    warned = sum(report.warned.values())
    yield worded(
        Text(
            zh=f"读取 {report.rows_read} 行；接收 {report.accepted}，拒收 {rejected}",
            en=f"rows read: {report.rows_read}; accepted: {report.accepted}, rejected: {rejected}",
        )
    )
    yield worded(
        Text(
            zh=f"警告 {warned} 处；重号 {report.duplicates}；缺号 {len(report.gaps)} 段",
            en=f"warnings: {warned}; duplicates: {report.duplicates}; gaps: {len(report.gaps)}",
        )
    )
    yield worded(Text(zh=f"表格摘要：{report.digest}", en=f"digest: {report.digest}"))
    for sheet in report.sheets:
        yield from _sheet_lines(sheet)
    for unread in report.unread:
        yield f"-- {unread.name}: {worded(unread.reason)}"
    for counts_of, name in (
        (report.warned, Text(zh="警告", en="warning")),
        (report.rejected, Text(zh="拒收", en="rejected")),
    ):
        for code, count in counts_of.items():
            yield f"{worded(name)} {count} × {worded(rule(code).reason)}"
    for gap in report.gaps[:REJECTS_SHOWN_MAX]:
        span = str(gap.first) if gap.first == gap.last else f"{gap.first}–{gap.last}"
        yield worded(Text(zh=f"缺号：{gap.before}-{span}", en=f"gap: {gap.before}-{span}"))
    for line in checked_file.rejects:
        yield f"  {line.sheet}:{line.line} {worded(_named(line.field))} {worded(line.reason)}"


def _named(field: str) -> Text:
    return Text(zh=called(field), en=field)


def _sheet_lines(sheet: SheetReport) -> Iterator[str]:
    counts, at = sheet.counts, sheet.header_line
    coded = Text(zh=f"；编码 {sheet.encoding}", en=f"; encoding {sheet.encoding}")
    coded = coded if sheet.encoding else Text(zh="", en="")
    yield worded(
        Text(zh=f"-- {sheet.name}：表头第 {at} 行{coded.zh}", en=f"-- {sheet.name}: header line {at}{coded.en}")
    )
    zh = "，".join(f"{header} → {called(field)}" for field, header in sheet.mapping)
    en = ", ".join(f"{header} → {field}" for field, header in sheet.mapping)
    yield worded(Text(zh=f"   对应：{zh}", en=f"   mapping: {en}"))
    if sheet.unmapped:
        yield worded(Text(zh=f"   未采用：{'，'.join(sheet.unmapped)}", en=f"   left out: {', '.join(sheet.unmapped)}"))
    skipped = counts.subtotals + counts.repeated_headers + counts.headings
    yield worded(
        Text(
            zh=f"   跳过 {skipped} 行（小计、重复表头、标题）；空行 {counts.blank}",
            en=f"   rows skipped (subtotals, repeated headers, headings): {skipped}; blank: {counts.blank}",
        )
    )
    if counts.unread:
        yield worded(
            Text(
                zh=f"   未读 {counts.unread} 行（与目录相隔很多空行）",
                en=f"   rows not read, far behind the list: {counts.unread}",
            )
        )
