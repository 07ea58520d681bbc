"""``danglian-hub disputes``: kinds of disputes with the retention of their files, and their report without names."""

import argparse
import asyncio
import datetime

import msgspec

from hub.commands import word_tables
from hub.commands.listing import check_database, show_table
from hub.home import HubHome
from hub.storage import store
from hub.vocabulary.word_tables import Version, WordTable
from hub.window import cases
from hub.window.dispute_counts import Count, DisputeReport
from hub.window.dispute_table import dispute_table
from hub.window.mediation import RESULTS, DisputeKind, DisputeKinds
from protocol.errors import BadSetting
from protocol.wording import Text
from replication.command_line import EXIT_OK, Parsers, say, say_json, worded

_HELP = "纠纷类型、保管期限与统计 / kinds of disputes, retention, and their report"
_DESCRIPTION = """调解案件按纠纷类型统计，其卷宗的保管期限由县里按类型定。
表在枢纽目录的 words/disputes.csv（也可用 .xlsx）：
  代号  纠纷类型  英文  保管期限  依据
check 逐行检查，load 启用，load --version N 重新启用旧版。
show 2026 给出该年受理案件的类型、地点、结果统计：不含姓名，不足 3 件的数字不显示，以免认出是谁。

Mediation cases are counted by kind of dispute, and the county says by kind how long their files are kept. Edit
words/disputes.csv in the hub's home (.xlsx will do) with the columns
  id  kind  english  retention  basis
check names every fault, load takes the table into force, load --version N puts an older one back. show 2026 reports
kinds, places and results of the cases opened in that year: no names, and no count under 3, by which somebody might be
recognised.

  danglian-hub disputes                        what is in force
  danglian-hub disputes show 2026              the report of a year
  danglian-hub disputes load
"""
_HEADERS = (
    Text(zh="代号", en="id"),
    Text(zh="纠纷类型", en="kind"),
    Text(zh="保管期限", en="retention"),
    Text(zh="依据", en="basis"),
)
_COUNT_HEADERS = (Text(zh="分类", en="by"), Text(zh="值", en="value"), Text(zh="件数", en="cases"))
_WITHHELD = Text(zh="不显示", en="withheld")


class DisputeList(msgspec.Struct, frozen=True, kw_only=True):
    """What ``show`` prints as JSON."""

    version: int
    kinds: tuple[DisputeKind, ...]
    versions: list[Version]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = word_tables.add_table_command(parsers, "disputes", _HELP, _DESCRIPTION)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show, check or load; 1 if a table is refused.

    Raises:
        BadSetting: there is no hub in the home, or the year is none.
        BadValue: there is no version of that number.

    """
    home = word_tables.home_of(args)
    table = dispute_table(home)
    if args.action != "show":
        return word_tables.tend(home, table, args, lambda found: len(found.kinds))
    if args.subject:
        check_database(home)
        return _report(args, table, asyncio.run(_reported(home, args.subject)))
    number, made = table.in_force()
    if args.json:
        say_json(DisputeList(version=number, kinds=made.kinds, versions=table.versions()))
        return EXIT_OK
    rows = [(one.id, worded(one.name), worded(one.retention.label()), one.basis) for one in made.kinds]
    show_table(_HEADERS, rows)
    word_tables.show_versions(table.versions(), number, table)
    return EXIT_OK


def _report(args: argparse.Namespace, table: WordTable[DisputeKinds], report: DisputeReport) -> int:
    if args.json:
        say_json(report)
        return EXIT_OK
    named = {one.id: one.name for one in table.in_force()[1].kinds}
    named |= {one.value: words for one, words in RESULTS.items()}
    groups = {
        Text(zh="类型", en="kind"): report.kinds,
        Text(zh="地点", en="place"): report.places,
        Text(zh="结果", en="result"): report.results,
    }
    rows = [(worded(by), _value(one, named), _cases(one)) for by, some in groups.items() for one in some]
    show_table(_COUNT_HEADERS, rows)
    total = worded(_WITHHELD) if report.cases is None else str(report.cases)
    say(Text(zh=f"案件合计：{total}。", en=f"cases: {total}."))
    return EXIT_OK


def _value(one: Count, named: dict[str, Text]) -> str:
    return worded(named[one.value]) if one.value in named else one.value


def _cases(one: Count) -> str:
    return worded(_WITHHELD) if one.cases is None else str(one.cases)


async def _reported(home: HubHome, year: str) -> DisputeReport:
    if not (len(year) == 4 and year.isascii() and year.isdecimal() and year != "0000"):
        raise BadSetting(
            Text(zh=f"{year} 不是年份。", en=f"{year} is no year"),
            Text(zh="例如：danglian-hub disputes show 2026。", en="For example: danglian-hub disputes show 2026."),
        )
    first, last = datetime.date(int(year), 1, 1), datetime.date(int(year), 12, 31)
    async with store.opened(home, read_only=True) as database:
        return await database.read(lambda connection: cases.reported(connection, first, last))
