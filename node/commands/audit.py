"""``danglian-node audit``: who read which records of this site under which case, and that the log is whole."""

import argparse
import asyncio
import sys
from typing import Final

import msgspec

from node.home import NodeHome, add_home_option, home_of
from node.keeper import audit, county_heads
from node.keeper.audit import ACTIONS, Action, ReadDetail
from node.keeper.county_heads import Contradiction
from node.wording import moment
from protocol.audit_chain import AuditHead, AuditLine
from protocol.case_words import purpose_in_words, requester_in_words
from protocol.errors import BadSetting
from protocol.lookup_policy import TREATMENTS, Treatment
from protocol.wording import Count, Text
from replication.audit_log import Verdict
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json, worded
from replication.database import Database, opened

LINES_SHOWN: Final = 50
"""Lines that ``show`` prints where nothing else is said."""

RECORDS_SHOWN: Final = 10
"""Records of one line that ``show`` names; ``--json`` names them all."""

_HELP = "本站审计：谁因何案查看了哪些条目；校验 · who read what of this site, and that nobody changed the log"
_DESCRIPTION = """县里每次因查档读取本站条目，或被本站拒绝，都记一条；每条含前一条的摘要，改动、删除即可发现。
show 列出；verify 逐条校验，并核对县级日志是否与本站保存的末条一致。退出码：0 完好，1 有改动。

Every read of this site's records by a lookup, and every refusal, is a line that seals the one before. show lists them;
verify checks them all, and whether the county's own log still is what this site has kept of it. Exit code: 0 whole,
1 tampered with.

  danglian-node audit show
  danglian-node audit show --case （2026）安调字第12号
  danglian-node audit verify
  danglian-node audit verify --expect 12:5f0c...
"""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line as ``show`` prints it as JSON."""

    seq: int
    at_ms: int
    who: str
    action: str
    request_id: str
    outcome: str
    origin: str
    digest: str
    detail: ReadDetail
    titles: dict[str, str]
    """Of the records that were told, as they are called now."""


class Report(Verdict, frozen=True, kw_only=True):
    """What ``verify`` prints as JSON."""

    county_head: AuditHead | None
    """The furthest head of the county's log that is kept here."""
    county_heard_at_ms: int = 0
    contradictions: list[Contradiction]
    """Where the county's log is not what it was."""


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "audit", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument(
        "action", nargs="?", choices=("show", "verify"), default="show", help="列出（默认）或校验 · what to do"
    )
    parser.add_argument("--case", default="", metavar="REF", help="案号 · number of the case")
    parser.add_argument("--request", default="", metavar="ID", help="查档申请标识 · id of the request")
    parser.add_argument("--record", default="", metavar="ID", help="条目标识 · id of a record")
    parser.add_argument("--limit", type=int, default=LINES_SHOWN, metavar="N", help="最多几条 · lines at most")
    parser.add_argument("--expect", default="", metavar="SEQ:DIGEST", help="以前抄下的末条 · a head written down")
    parser.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show, or verify; 1 if a log was tampered with.

    Raises:
        BadSetting: ``--expect`` cannot be read.
        Retryable, BrokenStore: the database cannot be read.

    """
    home = home_of(args)
    if args.action == "show":
        lines = asyncio.run(_shown(home, args))
        if args.json:
            say_json(lines)
        else:
            sys.stdout.write("\n".join(_as_text(lines)) + "\n")
        return EXIT_OK
    report = asyncio.run(_verified(home, _expected(args.expect)))
    if args.json:
        say_json(report)
    else:
        for text in _told(report):
            say(text)
    return EXIT_OK if report.is_whole and not report.contradictions else EXIT_PROBLEM


def _expected(written: str) -> AuditHead | None:
    if not written:
        return None
    seq, _, digest = written.partition(":")
    if not (seq.isascii() and seq.isdecimal() and digest):
        raise BadSetting(
            Text(zh=f"--expect 的值 {written!r} 读不出。", en=f"--expect {written!r} cannot be read"),
            Text(zh="写法：序号:摘要，与上次输出相同。", en="Write SEQ:DIGEST, as it was printed before."),
        )
    return AuditHead(seq=int(seq), digest=digest.lower())


async def _shown(home: NodeHome, args: argparse.Namespace) -> list[Line]:
    async with opened(home.database, (), read_only=True) as database:
        lines = await database.read(
            lambda connection: audit.found(
                connection, case_ref=args.case, record=args.record, request=args.request, limit=args.limit
            )
        )
        return [await _line(database, line) for line in lines]


async def _line(database: Database, line: AuditLine) -> Line:
    detail = audit.detail_of(line)
    titles: dict[str, str] = {}
    for one in detail.told:
        rows = await database.fetch("SELECT body FROM record WHERE record_id = ?", (one.record_id.bytes,))
        found = [body for (body,) in rows if isinstance(body, bytes) and body]
        titles |= {str(one.record_id): msgspec.json.decode(body, type=_Titled).title for body in found}
    return Line(
        seq=line.seq,
        at_ms=line.at_ms,
        who=line.who,
        action=line.action,
        request_id=line.object,
        outcome=line.outcome,
        origin=line.origin,
        digest=line.digest,
        detail=detail,
        titles=titles,
    )


class _Titled(msgspec.Struct, frozen=True, kw_only=True):
    """Just enough of a record to call it by its name."""

    title: str = ""


async def _verified(home: NodeHome, expected: AuditHead | None) -> Report:
    async with opened(home.database, (), read_only=True) as database:
        verdict = await audit.LOG.verify(database, expected)
        latest = await database.read(county_heads.latest)
        contradictions = await database.read(county_heads.contradictions)
    head, heard_at_ms = latest if latest is not None else (None, 0)
    return Report(
        **msgspec.structs.asdict(verdict),
        county_head=head,
        county_heard_at_ms=heard_at_ms,
        contradictions=contradictions,
    )


def _as_text(lines: list[Line]) -> list[str]:
    if not lines:
        return [worded(Text(zh="没有记录。", en="No lines."))]
    told: list[str] = []
    for line in lines:
        detail = line.detail
        action = worded(ACTIONS[Action(line.action)]) if line.action in tuple(Action) else line.action
        purpose = worded(purpose_in_words(detail.purpose)) or "—"
        requester = worded(requester_in_words(detail.requester)) or "—"
        case, of = detail.case_ref or "—", line.request_id
        told.append(f"[{line.seq}] {moment(line.at_ms)}  {action}  {line.who} · {line.origin}")
        told.append(
            worded(
                Text(
                    zh=f"    案号 {case} · 目的 {purpose} · 申请人 {requester} · 申请 {of}",
                    en=f"    case {case} · for {purpose} · by {requester} · request {of}",
                )
            )
        )
        told.append(
            worded(
                Text(
                    zh=f"    查到 {detail.total} 条，提供 {len(detail.told)} 条，不予提供 {detail.withheld} 条",
                    en=f"    {detail.total} found, {len(detail.told)} told, {detail.withheld} withheld",
                )
            )
            + (f" · {worded(detail.reason)}" if detail.reason else "")
        )
        for one in detail.told[:RECORDS_SHOWN]:
            how = TREATMENTS[Treatment(one.treatment)] if one.treatment in tuple(Treatment) else None
            title = line.titles.get(str(one.record_id), "")
            told.append(f"      {worded(how) if how else one.treatment}  {title or one.record_id}")
    return told


def _told(report: Report) -> list[Text]:
    head = f"{report.head.seq}:{report.head.digest}"
    if report.broken_at is not None:
        first = Text(
            zh=f"第 {report.broken_at} 条与前一条不符：记录被改动过。请保存数据库并报告县档案馆。",
            en=f"Line {report.broken_at} does not follow from the one before: the log was tampered with."
            " Keep the database and report it.",
        )
    elif report.head_missing:
        first = Text(
            zh=f"找不到抄下的那一条：末尾的记录被删除过。现在的末条 {head}",
            en=f"The head that was written down is missing: the newest lines were removed. The head is now {head}",
        )
    else:
        first = Text(
            zh=f"完好：共 {report.lines} 条。末条 {head}", en=f"Whole: {Count(report.lines):line|lines}. Head {head}"
        )
    county = report.county_head
    second = (
        Text(zh="还没有收到县级日志的末条。", en="No head of the county's log was heard yet.")
        if county is None
        else Text(
            zh=f"县级日志：本站保存的末条 {county.seq}:{county.digest}（{moment(report.county_heard_at_ms)}）",
            en=f"The county's log: the furthest head kept here is {county.seq}:{county.digest}"
            f" ({moment(report.county_heard_at_ms)})",
        )
    )
    return [first, second, *(_contradicted(one) for one in report.contradictions)]


def _contradicted(one: Contradiction) -> Text:
    said = one.said_digest[:16] or "—"
    return Text(
        zh=f"县级日志第 {one.seq} 条与本站保存的不符：保存 {one.kept_digest[:16]}，现为 {said}。请报告。",
        en=f"Line {one.seq} of the county's log is not what it was: kept {one.kept_digest[:16]}, now {said}."
        " Report it.",
    )
