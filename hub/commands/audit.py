"""``danglian-hub audit``: proves that nobody has changed the audit logs, and finds the lines of a case."""

import argparse
import asyncio

import msgspec

from hub import audit, config
from hub.audit import ACTIONS, Action
from hub.commands.actions import operator, written
from hub.commands.listing import check_database, moment, show_table
from hub.home import HubHome, add_home_option, home_at
from hub.storage import store
from hub.window import audit_findings, audit_heads, audit_search
from hub.window.audit_findings import Settled
from hub.window.audit_heads import Contradiction, Doubt
from protocol.audit_chain import AuditHead, AuditLine
from protocol.errors import BadSetting
from protocol.wording import Count, Text
from replication.audit_log import Verdict
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json, worded
from replication.wall_clock import clock_ms

_HELP = "校验、查询审计日志 / verify and search the audit log"
_DESCRIPTION = """审计日志的每条记录都含前一条的摘要。verify 逐条校验并给出末条的序号和摘要：请抄下保存，
下次用 --expect 给出，即可发现末尾的记录被删除。退出码：0 完好，1 有改动。

Every line of the audit log carries the digest of the one before. verify checks them all and prints number and digest
of the last: write them down, and give them with --expect next time, so that the loss of the newest lines is found too.
Exit code: 0 whole, 1 tampered with.

各站点的审计日志由县级保存其末条，每日互换；哪一站的日志与保存的不符，verify 一并列出。
The hub keeps heads of every site's log, exchanged daily; verify names the sites whose log is not what it was.
有矛盾即告警（今日、health）；查明后用 settle 写明，告警结束，矛盾仍列出。
A contradiction raises an alarm; settle says what it was: the alarm ends, the contradiction stays listed.

  danglian-hub audit verify
  danglian-hub audit verify --expect 1204:5f0c...
  danglian-hub audit settle 330523108204 --because "该站恢复过旧备份"
  danglian-hub audit show --case （2026）安调字第12号
  danglian-hub audit show --case CD2026-000123 --site 330523108204
"""

_HEADERS = (
    Text(zh="序号", en="no."),
    Text(zh="时间", en="time"),
    Text(zh="何人", en="who"),
    Text(zh="事项", en="what"),
    Text(zh="对象", en="object"),
    Text(zh="结果", en="outcome"),
    Text(zh="来源", en="origin"),
    Text(zh="说明", en="detail"),
)

LINES_SHOWN = 100
"""Lines that ``show`` prints where nothing else is said."""


class Report(Verdict, frozen=True, kw_only=True):
    """What ``verify`` prints as JSON: the hub's own log, and those of the sites as far as the hub can tell."""

    sites_kept: int
    """Sites of whose log a head is kept here."""
    contradictions: list[Contradiction]
    """Sites whose log is not what it was when the hub kept its head."""
    doubts: list[Doubt]
    """Where sites say that the hub's own log is not what they were told."""
    settled: list[Settled]
    """What was found out."""
    open_sites: list[str]
    """Whose contradictions nobody has looked into; the county's code stands for the hub's own log."""


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "audit", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument(
        "action",
        choices=("verify", "show", "settle"),
        help="校验、查询，或写明查明的情况 / check, search, or say what was found out",
    )
    parser.add_argument("settled", nargs="?", default="", metavar="SITE", help="settle 的站点 / the site to settle")
    parser.add_argument("--because", default="", help="查明的情况 / what was found out")
    parser.add_argument("--case", default="", metavar="REF", help="案号、登记号或标识 / number of a case or request")
    parser.add_argument("--site", default="", metavar="CODE", help="答复的站点 / the site that answered")
    parser.add_argument("--who", default="", metavar="LOGIN", help="何人 / who did it")
    parser.add_argument(
        "--limit", type=int, default=LINES_SHOWN, metavar="N", help=f"最多几条（默认 {LINES_SHOWN}）/ lines at most"
    )
    parser.add_argument(
        "--expect", default="", metavar="SEQ:DIGEST", help="以前抄下的末条 / a head written down before"
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify; 1 if the log was tampered with.

    Raises:
        BadSetting: there is no hub in the home, or ``--expect`` cannot be read.

    """
    home = home_at(args.home)
    settings = config.load(home.settings)
    check_database(home)
    if args.action == "show":
        return _show(home, args)
    if args.action == "settle":
        return _settle(home, args)
    report = asyncio.run(_verified(home, settings.county, _expected(args.expect)))
    if args.json:
        say_json(report)
    else:
        say(_told(report))
        for one in report.contradictions:
            say(_told_of(one))
        for doubt in report.doubts:
            say(_told_of_doubt(doubt))
        for known in report.settled:
            say(_told_of_settled(known))
    is_honest = not report.open_sites
    return EXIT_OK if report.is_whole and is_honest else EXIT_PROBLEM


def _settle(home: HubHome, args: argparse.Namespace) -> int:
    county, actor, now_ms = config.load(home.settings).county, operator(), clock_ms()
    written(
        home,
        lambda connection: audit_findings.settle(connection, actor, county, args.settled, args.because, now_ms),
    )
    say(
        Text(
            zh=f"已记下 {args.settled} 的查明情况；告警随后结束，矛盾仍列在 audit verify 中。",
            en=f"Noted for {args.settled}: its alarm ends, and audit verify goes on listing the contradiction.",
        )
    )
    return EXIT_OK


def _show(home: HubHome, args: argparse.Namespace) -> int:
    found = asyncio.run(_found(home, args))
    if args.json:
        say_json(found)
        return EXIT_OK
    rows = [
        (
            str(line.seq),
            moment(line.at_ms),
            line.who,
            worded(ACTIONS[Action(line.action)]) if line.action in tuple(Action) else line.action,
            line.object,
            line.outcome,
            line.origin,
            line.detail,
        )
        for line in found
    ]
    show_table(_HEADERS, rows)
    return EXIT_OK


async def _found(home: HubHome, args: argparse.Namespace) -> list[AuditLine]:
    async with store.opened(home, read_only=True) as database:
        return await database.read(
            lambda connection: audit_search.lines_of(
                connection, case=args.case, site=args.site, who=args.who, limit=args.limit
            )
        )


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


async def _verified(home: HubHome, county: str, expected: AuditHead | None) -> Report:
    async with store.opened(home, read_only=True) as database:
        verdict = await audit.LOG.verify(database, expected)
        found = await database.read(audit_heads.contradictions)
        kept = await database.read(audit_heads.kept_heads)
        doubts = await database.read(audit_heads.doubts)
        known = await database.read(audit_findings.settled)
        still = await database.read(lambda connection: audit_findings.findings(connection, county))
        return Report(
            **msgspec.structs.asdict(verdict),
            sites_kept=len(kept),
            contradictions=found,
            doubts=doubts,
            settled=list(known.values()),
            open_sites=[one.site for one in still],
        )


def _told_of(one: Contradiction) -> Text:
    said = one.said_digest[:16] or "—"
    return Text(
        zh=f"站点 {one.site} 的审计日志第 {one.seq} 条与县级保存的不符（{moment(one.found_at_ms)} 发现）："
        f"保存 {one.kept_digest[:16]}，现为 {said}。请到站点运行 danglian-node audit verify 并报告。",
        en=f"Line {one.seq} of the audit log of {one.site} is not what it was (found {moment(one.found_at_ms)}): kept"
        f" {one.kept_digest[:16]}, now {said}. Run danglian-node audit verify there, and report it.",
    )


def _told_of_doubt(one: Doubt) -> Text:
    return Text(
        zh=f"站点 {one.site} 说：县级审计日志第 {one.seq} 条与其当时收到的不符（{moment(one.found_at_ms)}）："
        f"当时 {one.kept_digest[:16]}。请与较早的备份比对。",
        en=f"{one.site} says that line {one.seq} of the county's log changed ({moment(one.found_at_ms)}):"
        f" it was {one.kept_digest[:16]}. Compare an older backup.",
    )


def _told_of_settled(one: Settled) -> Text:
    return Text(
        zh=f"{one.site}：{moment(one.until_ms)} 前的矛盾由 {one.settled_by} 查明：{one.because}",
        en=f"{one.site}: what was found before {moment(one.until_ms)} was settled by {one.settled_by}: {one.because}",
    )


def _told(verdict: Verdict) -> Text:
    head = f"{verdict.head.seq}:{verdict.head.digest}"
    if verdict.broken_at is not None:
        return Text(
            zh=f"第 {verdict.broken_at} 条与前一条不符：记录被改动过。请保存数据库并报告。",
            en=f"Line {verdict.broken_at} does not follow from the one before: the log was tampered with."
            " Keep the database and report it.",
        )
    if verdict.head_missing:
        return Text(
            zh=f"找不到抄下的那一条：末尾的记录被删除过。现在的末条 {head}",
            en=f"The head that was written down is missing: the newest lines were removed. The head is now {head}",
        )
    return Text(
        zh=f"完好：共 {verdict.lines} 条。末条 {head}", en=f"Whole: {Count(verdict.lines):line|lines}. Head {head}"
    )
