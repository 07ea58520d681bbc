"""``danglian-hub synonyms``: shows, checks and takes into force the table of equal words."""

import argparse

import msgspec

from hub.commands import word_tables
from hub.commands.listing import show_table
from hub.commands.word_tables import ROWS_SHOWN_MAX
from hub.vocabulary.readings import WORD_CHARS_MAX
from hub.vocabulary.synonyms import SynonymGroup, Synonyms
from hub.vocabulary.word_tables import Version, WordTable, synonym_table
from protocol.analysis import fold
from protocol.wording import Text
from replication.command_line import EXIT_OK, Parsers, say_json

_HELP = "同义词表：林权与山林权互查 / words that stand for each other"
_DESCRIPTION = """同义词表一行一组，组内词语互相代替：检索“林权”也找到题名写“山林所有权”的档案，并注明原因。
表在枢纽目录的 words/synonyms.csv（也可用 .xlsx），用表格软件编辑，两列：词语（用、隔开，必填）和说明。
check 逐行检查，指出行、列、原因和办法；load 启用：有一处错误就整表不用，原来的表仍有效。
运行中的枢纽几秒内换用，不必重启。每次启用都留作一版（words/versions），load --version N 可重新启用旧版，0 是随附的表。

Each row is a group of words that stand for each other: whoever looks for one finds the others too, with the reason.
Edit words/synonyms.csv in the hub's home (.xlsx will do): words (separated by 、, needed) and note. check names every
fault with line, column, reason and remedy. load takes the table into force, whole or not at all; a running hub takes it
over within seconds. Every table that was in force is kept as a version; load --version N puts one back, 0 is the
shipped one.

  danglian-hub synonyms
  danglian-hub synonyms show 林权
  danglian-hub synonyms check
  danglian-hub synonyms load
"""
_HEADERS = (Text(zh="词语", en="words"), Text(zh="说明", en="note"))


class SynonymList(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints as JSON."""

    version: int
    groups: tuple[SynonymGroup, ...]
    versions: list[Version]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = word_tables.add_table_command(parsers, "synonyms", _HELP, _DESCRIPTION)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show, check or load; 1 if a table is refused.

    Raises:
        BadSetting: there is no hub in the home.
        BadValue: there is no version of that number.

    """
    home = word_tables.home_of(args)
    table = synonym_table(home)
    if args.action != "show":
        return word_tables.tend(home, table, args, lambda found: len(found.groups))
    number, synonyms = table.in_force()
    if args.subject:
        return word_tables.show_readings(args, number, synonyms.readings(fold(args.subject)[:WORD_CHARS_MAX]))
    return _show(args, table, number, synonyms)


def _show(args: argparse.Namespace, table: WordTable[Synonyms], number: int, synonyms: Synonyms) -> int:
    if args.json:
        say_json(SynonymList(version=number, groups=synonyms.groups, versions=table.versions()))
        return EXIT_OK
    show_table(_HEADERS, [("、".join(group.words), group.note) for group in synonyms.groups[:ROWS_SHOWN_MAX]])
    word_tables.show_versions(table.versions(), number, table)
    return EXIT_OK
