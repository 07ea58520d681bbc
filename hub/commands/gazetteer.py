"""``danglian-hub gazetteer``: shows, checks and takes into force the table of places and what became of them."""

import argparse

import msgspec

from hub.commands import word_tables
from hub.commands.listing import joined, show_table
from hub.commands.word_tables import ROWS_SHOWN_MAX
from hub.vocabulary.gazetteer import CHANGE_WORDS, Gazetteer, Place
from hub.vocabulary.place_forms import KIND_WORDS
from hub.vocabulary.readings import WORD_CHARS_MAX
from hub.vocabulary.word_tables import Version, WordTable, gazetteer_table
from protocol.analysis import fold
from protocol.wording import Text
from replication.command_line import EXIT_OK, Parsers, say_json, worded

_HELP = "地名表：旧名今名互查 / places: yesterday's names and today's"
_DESCRIPTION = """地名表记下每个地名的类别、代码、起止年份和去向。检索今名也找到旧名下的档案，反之亦然；
公社与乡镇、大队与村按规则互查，并注明是推断。表在枢纽目录的 words/gazetteer.csv（也可用 .xlsx），可用表格软件编辑：
  地名（必填）  类别  代码  起  止  变更（改名 并入 拆分 改设 换码 撤销）  去向（多个用、隔开）  别名  来源
check 逐行检查，指出行、列、原因和办法；load 启用：有一处错误就整表不用，原来的表仍有效。
运行中的枢纽几秒内换用，不必重启。每次启用都留作一版（words/versions），load --version N 可重新启用旧版，0 是随附的表。

The table says of every place its kind, code, years and what became of it. Today's name then finds what lies under
yesterday's, and the other way round; communes and brigades are found by rule, and said to be a guess. Edit
words/gazetteer.csv in the hub's home (.xlsx will do) with the columns
  name (needed)  kind  code  from  to  change (renamed merged divided converted recoded abolished)  successors  aliases
  source
check names every fault with line, column, reason and remedy. load takes the table into force, whole or not at all; a
running hub takes it over within seconds. Every table that was in force is kept as a version; load --version N puts one
back, 0 is the shipped one.

  danglian-hub gazetteer                       what is in force, and which versions there are
  danglian-hub gazetteer show 皈山乡           what this word is also read as, and why
  danglian-hub gazetteer check places.xlsx
  danglian-hub gazetteer load                  the edited table in the home
  danglian-hub gazetteer load --version 3      put version 3 back
"""
_HEADERS = (
    Text(zh="地名", en="name"),
    Text(zh="类别", en="kind"),
    Text(zh="代码", en="code"),
    Text(zh="起", en="from"),
    Text(zh="止", en="to"),
    Text(zh="去向", en="became"),
    Text(zh="来源", en="source"),
)


class GazetteerList(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints as JSON."""

    version: int
    places: tuple[Place, ...]
    versions: list[Version]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = word_tables.add_table_command(parsers, "gazetteer", _HELP, _DESCRIPTION)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show, check or load; 1 if a table is refused.

    Raises:
        BadSetting: there is no hub in the home.
        BadValue: there is no version of that number.

    """
    home = word_tables.home_of(args)
    table = gazetteer_table(home)
    if args.action != "show":
        return word_tables.tend(home, table, args, lambda found: len(found.places))
    number, gazetteer = table.in_force()
    if args.subject:
        return word_tables.show_readings(args, number, gazetteer.readings(fold(args.subject)[:WORD_CHARS_MAX]))
    return _show(args, table, number, gazetteer)


def _show(args: argparse.Namespace, table: WordTable[Gazetteer], number: int, gazetteer: Gazetteer) -> int:
    if args.json:
        say_json(GazetteerList(version=number, places=gazetteer.places, versions=table.versions()))
        return EXIT_OK
    show_table(_HEADERS, [_cells(gazetteer, place) for place in gazetteer.places[:ROWS_SHOWN_MAX]])
    word_tables.show_versions(table.versions(), number, table)
    return EXIT_OK


def _cells(gazetteer: Gazetteer, place: Place) -> tuple[str, ...]:
    names = joined(gazetteer.places[successor].written for successor in place.successors)
    change = worded(CHANGE_WORDS[place.change]) if place.change is not None and names else ""
    return (
        place.written,
        worded(KIND_WORDS[place.name.kind]),
        place.code,
        place.valid_from,
        place.valid_to,
        f"{change} {names}".strip(),
        place.source,
    )
