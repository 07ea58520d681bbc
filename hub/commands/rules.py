"""``danglian-hub rules``: shows, checks and takes into force the table of who may see what, and on which evidence."""

import argparse

import msgspec

from hub.commands import word_tables
from hub.commands.fields import ACCESS
from hub.commands.listing import joined, show_table
from hub.vocabulary.word_tables import Version, WordTable
from hub.window.applicants import PAPERS, REQUESTERS
from hub.window.requests import USES
from hub.window.rule_table import rule_table
from hub.window.rules import RELATIONS, SAYS, Rule, Rules
from protocol.errors import BadSetting
from protocol.wording import Text
from replication.command_line import EXIT_OK, Parsers, say_json, worded

_HELP = "利用规则表：谁凭什么能看什么 / who may see what, on which evidence"
_DESCRIPTION = """规则表按申请人类型、开放状态、与档案的关系，规定能否查阅、复制、出证，凭什么材料。
表在枢纽目录的 words/rules.csv（也可用 .xlsx），可用表格软件编辑：
  编号  申请人  开放状态  与档案的关系  查阅  复制  出证（可、审核、否）  证明材料  依据
一格写几项用、隔开，“任意”表示全部；几套材料任备一套的，用 | 隔开。自上而下，第一条符合的行说了算。
check 逐行检查：有一种情形没有行规定，或有一行永远用不上，都不予启用，并说出是哪一种。load 启用并记入审计日志；
运行中的枢纽几秒内换用。每次启用都留作一版，load --version N 可重新启用旧版，0 是随附的表。

The table says by requester, access status and relation to the record whether somebody may view, copy, or have a
certified copy, and on which papers. Edit words/rules.csv in the hub's home (.xlsx will do) with the columns
  id  requester  access  relation  view  copy  certified (yes, refer, no)  evidence  basis
Several values in a cell are parted by 、 or +, "any" names all; sets of papers of which one is enough by |. The first
row that fits decides. check refuses a table in which some case fits no row or a row never decides, and names it. load
takes the table into force and notes it in the audit log; a running hub takes it over within seconds. Every table that
was in force is kept as a version; load --version N puts one back, 0 is the shipped one.

  danglian-hub rules                           what is in force, and which versions there are
  danglian-hub rules check new-rules.xlsx
  danglian-hub rules load                      the edited table in the home
  danglian-hub rules load --version 3          put version 3 back
"""
_HEADERS = (
    Text(zh="编号", en="id"),
    Text(zh="申请人", en="requester"),
    Text(zh="开放状态", en="access"),
    Text(zh="与档案的关系", en="relation"),
    *USES.values(),
    Text(zh="证明材料", en="evidence"),
    Text(zh="依据", en="basis"),
)


class RuleList(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints as JSON."""

    version: int
    rules: Rules
    versions: list[Version]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = word_tables.add_table_command(parsers, "rules", _HELP, _DESCRIPTION)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show, check or load; 1 if a table is refused.

    Raises:
        BadSetting: there is no hub in the home, or ``show`` is given a word.
        BadValue: there is no version of that number.

    """
    home = word_tables.home_of(args)
    table = rule_table(home)
    if args.action == "show":
        return _show(args, table)
    return word_tables.tend(home, table, args, lambda found: len(found.rows))


def _show(args: argparse.Namespace, table: WordTable[Rules]) -> int:
    if args.subject:
        raise BadSetting(
            Text(zh="show 不带参数。", en="show takes no word"),
            Text(zh="检查文件请用：rules check 文件。", en="To check a file: rules check FILE."),
        )
    number, rules = table.in_force()
    if args.json:
        say_json(RuleList(version=number, rules=rules, versions=table.versions()))
        return EXIT_OK
    show_table(_HEADERS, [_cells(row) for row in rules.rows])
    word_tables.show_versions(table.versions(), number, table)
    return EXIT_OK


def _cells(row: Rule) -> tuple[str, ...]:
    sets = (joined(worded(PAPERS[one]) for one in some) for some in row.evidence)
    return (
        row.id,
        _named([worded(text) for one, text in REQUESTERS.items() if one in row.requesters], len(REQUESTERS)),
        _named([worded(text) for one, text in ACCESS.items() if one in row.statuses], len(ACCESS)),
        _named([worded(text) for one, text in RELATIONS.items() if one in row.relations], len(RELATIONS)),
        *(worded(SAYS[row.says[use]]) for use in USES),
        " | ".join(sets),
        row.basis,
    )


def _named(words: list[str], all_of_them: int) -> str:
    return worded(Text(zh="任意", en="any")) if len(words) == all_of_them else joined(words)
