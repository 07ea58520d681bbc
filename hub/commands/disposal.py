"""``danglian-hub disposal``: how long personal data of requests are kept, what is due, and what is held."""

import argparse
import datetime
from functools import partial

import msgspec
from sqlalchemy import Connection

from hub.commands import word_tables
from hub.commands.actions import operator, seen, written
from hub.commands.listing import check_database, joined, moment, show_table
from hub.vocabulary.word_tables import Version
from hub.window import disposal, paper_disposal
from hub.window.applicants import REQUESTERS
from hub.window.disposal import Batch, Disposable, Hold, every
from hub.window.disposal_table import DisposalRule, disposal_table, newest_of
from hub.window.dispute_table import dispute_table
from hub.window.requests import PURPOSES
from protocol.county_time import day_of
from protocol.errors import BadValue
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, Parsers, say, say_json, worded
from replication.wall_clock import clock_ms

_HELP = "查档个人信息的保留与清除 / how long personal data of requests are kept, and their disposal"
_DESCRIPTION = """已结束的查档申请，其申请人姓名、证件摘要与掩码、所查内容、理由等个人信息按保留期限表清除，留下登记号、
申请人类型、目的、状态和日期供统计。关联调解案件的，随案卷的保管期限。
证明的留底（文件、所载内容、调取单）按“证明留底”一栏清除；登记簿永久保留，持有人手中的证明照常可以核验。
枢纽每夜自动清除到期的；在办的、有复制件在途的、暂缓清除的不动。
表在枢纽目录的 words/disposal.csv：  编号  申请人  目的  保留期限  证明留底  依据    （自上而下，第一条符合的行说了算）

Of requests that are over, names, digests and masks of numbers, questions and reasons are removed by a table of
retention; number, kind of requester, purpose, states and days stay for statistics. What the county keeps of its
certificates (files, contents, orders) goes by the column “papers”; their register is permanent, so that whoever holds
one may have it verified. A request of a mediation case follows the retention of its file. The hub does so every
night; nothing goes that is open, has a copy under way, or is held.

  danglian-hub disposal                              the table in force
  danglian-hub disposal run --dry-run                what is due now; nothing is removed
  danglian-hub disposal run                          remove it now
  danglian-hub disposal hold CD2026-000123 --because "法院调取"
  danglian-hub disposal release CD2026-000123
  danglian-hub disposal holds
  danglian-hub disposal check | load
"""
_HEADERS = (
    Text(zh="编号", en="id"),
    Text(zh="申请人", en="requester"),
    Text(zh="目的", en="purpose"),
    Text(zh="保留期限", en="retention"),
    Text(zh="证明留底", en="papers"),
    Text(zh="依据", en="basis"),
)
_DUE_HEADERS = (
    Text(zh="登记号", en="number"),
    Text(zh="结束日期", en="ended on"),
    Text(zh="保留至", en="kept until"),
    Text(zh="规则", en="rule"),
)
_HOLD_HEADERS = (
    Text(zh="登记号", en="number"),
    Text(zh="理由", en="because"),
    Text(zh="何人", en="who"),
    Text(zh="时间", en="at"),
)
_ANY = Text(zh="任意", en="any")


class DisposalList(msgspec.Struct, frozen=True, kw_only=True):
    """What ``show`` prints as JSON."""

    version: int
    rules: tuple[DisposalRule, ...]
    versions: list[Version]


class DisposalRun(msgspec.Struct, frozen=True, kw_only=True):
    """What ``run`` prints as JSON."""

    due: list[Disposable]
    disposed: int
    papers_due: list[Disposable]
    """Requests whose certificates' papers are due."""
    papers_disposed: int


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = word_tables.add_table_command(
        parsers, "disposal", _HELP, _DESCRIPTION, more=("run", "hold", "release", "holds")
    )
    parser.add_argument("--dry-run", action="store_true", help="run：只列出，不清除 / run: list, remove nothing")
    parser.add_argument("--because", default="", help="hold：理由 / hold: why")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show, check, load, run, hold or release.

    Raises:
        BadSetting: there is no hub in the home.
        BadValue: there is no such request, or nothing to hold or release.
        BadFile: the newest table is damaged; nothing was removed.

    """
    home = word_tables.home_of(args)
    table = disposal_table(home)
    if args.action in ("check", "load"):
        return word_tables.tend(home, table, args, lambda found: len(found.rows))
    if args.action == "show":
        return _show(args)
    check_database(home)
    if args.action == "run":
        return _run(args)
    actor, now_ms = operator(), clock_ms()
    if args.action == "holds":
        return _print_holds(args, seen(home, disposal.holds))
    if not args.subject:
        raise BadValue(
            Text(zh="没有写明登记号。", en="the number of the request is missing"),
            Text(zh="例如：danglian-hub disposal hold CD2026-000123。", en="Such as disposal hold CD2026-000123."),
        )
    if args.action == "hold":
        written(home, lambda connection: disposal.hold(connection, actor, args.subject, args.because, now_ms))
        say(Text(zh=f"{args.subject} 暂缓清除。", en=f"{args.subject} is held."))
        return EXIT_OK
    written(home, lambda connection: disposal.release(connection, actor, args.subject, now_ms))
    say(Text(zh=f"{args.subject} 不再暂缓，到期即清除。", en=f"{args.subject} is held no more."))
    return EXIT_OK


def _show(args: argparse.Namespace) -> int:
    table = disposal_table(word_tables.home_of(args))
    number, made = table.in_force()
    if args.json:
        say_json(DisposalList(version=number, rules=made.rows, versions=table.versions()))
        return EXIT_OK
    rows = [
        (
            one.id,
            _named([REQUESTERS[who] for who in REQUESTERS if who in one.requesters], len(REQUESTERS)),
            _named([PURPOSES[why] for why in PURPOSES if why in one.purposes], len(PURPOSES)),
            worded(one.retention.label()),
            worded(one.papers.label()),
            one.basis,
        )
        for one in made.rows
    ]
    show_table(_HEADERS, rows)
    word_tables.show_versions(table.versions(), number, table)
    return EXIT_OK


def _named(words: list[Text], everything: int) -> str:
    return worded(_ANY) if len(words) == everything else joined(worded(one) for one in words)


def _run(args: argparse.Namespace) -> int:
    home, now_ms = word_tables.home_of(args), clock_ms()
    actor, today = operator(), day_of(now_ms)
    rules, kinds = newest_of(disposal_table(home)), newest_of(dispute_table(home))

    def step(connection: Connection, after: str) -> Batch:
        batch = disposal.due(connection, rules, kinds, today, after)
        disposal.dispose(connection, actor, batch.due, now_ms)
        return batch

    def papers(connection: Connection, after: str) -> Batch:
        batch = paper_disposal.due(connection, rules, kinds, today, after)
        paper_disposal.dispose(connection, actor, home.certificates, batch.due, now_ms)
        return batch

    if args.dry_run:
        found = seen(home, lambda c: every(lambda after: disposal.due(c, rules, kinds, today, after)))
        of_papers = seen(home, lambda c: every(lambda after: paper_disposal.due(c, rules, kinds, today, after)))
        return _print_run(args, DisposalRun(due=found, disposed=0, papers_due=of_papers, papers_disposed=0))
    found = every(lambda after: written(home, partial(step, after=after)))
    of_papers = every(lambda after: written(home, partial(papers, after=after)))
    done = DisposalRun(due=found, disposed=len(found), papers_due=of_papers, papers_disposed=len(of_papers))
    return _print_run(args, done)


def _print_run(args: argparse.Namespace, done: DisposalRun) -> int:
    if args.json:
        say_json(done)
        return EXIT_OK
    for due in filter(None, (done.due, done.papers_due)):
        show_table(_DUE_HEADERS, [(one.number, _day(one.ended_on), _day(one.kept_until), one.rule) for one in due])
    count, papers = len(done.due), len(done.papers_due)
    if args.dry_run:
        told = Text(
            zh=f"个人信息到期 {count} 份，证明留底到期 {papers} 份；没有清除。",
            en=f"personal data of {Count(count):request|requests} and papers of {papers} are due; nothing was removed.",
        )
    else:
        told = Text(
            zh=f"已清除 {count} 份申请的个人信息、{papers} 份申请的证明留底。",
            en=f"removed the personal data of {Count(count):request|requests}, and the papers of {papers}.",
        )
    say(told)
    return EXIT_OK


def _print_holds(args: argparse.Namespace, found: list[Hold]) -> int:
    if args.json:
        say_json(found)
        return EXIT_OK
    show_table(_HOLD_HEADERS, [(one.number, one.because, one.held_by, moment(one.held_at_ms)) for one in found])
    return EXIT_OK


def _day(day: datetime.date) -> str:
    return day.isoformat()
