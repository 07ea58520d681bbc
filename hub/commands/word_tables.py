"""What the commands of the county's tables share: checking a table, taking it into force, listing its versions."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from hub import audit, config
from hub.audit import Action, AuditEntry
from hub.commands.actions import operator, written
from hub.commands.listing import moment, show_table
from hub.home import HubHome, add_home_option, home_at
from hub.vocabulary.county_tables import BadTable, Fault
from hub.vocabulary.word_tables import SHIPPED, Version, WordTable
from protocol.errors import BadFile, BadSetting
from protocol.readings import Reading
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json, tell, worded
from replication.wall_clock import clock_ms

ROWS_SHOWN_MAX = 500
"""Rows that are printed; ``--json`` has all."""

_T = TypeVar("_T")

_FAULT_HEADERS = (
    Text(zh="行", en="line"),
    Text(zh="列", en="column"),
    Text(zh="问题", en="fault"),
    Text(zh="办法", en="remedy"),
)
_VERSION_HEADERS = (Text(zh="版本", en="version"), Text(zh="启用于", en="taken at"), Text(zh="字节", en="bytes"))
_READING_HEADERS = (Text(zh="也读作", en="also read as"), Text(zh="依据", en="because"))


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What ``check`` and ``load`` print as JSON."""

    table: str
    file: str
    entries: int
    """Places, or groups of words; 0 for a table that is refused."""
    version: int | None = None
    """Under which it is in force now; None if it is not."""
    faults: tuple[Fault, ...] = ()
    reason: Text | None = None
    """Why the file is refused as a whole."""


class WordReadings(msgspec.Struct, frozen=True, kw_only=True):
    """What ``show WORD`` prints as JSON."""

    word: str
    version: int
    readings: tuple[Reading, ...]


def add_table_command(
    parsers: Parsers, name: str, summary: str, description: str, *, more: tuple[str, ...] = ()
) -> argparse.ArgumentParser:
    """Add a command with the actions that all tables have, and more of its own."""
    parser = parsers.add_parser(
        name, help=summary, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument(
        "action",
        nargs="?",
        choices=("show", "check", "load", *more),
        default="show",
        help="show 查看（默认）、check 检查、load 启用 / what to do (default: show)",
    )
    parser.add_argument(
        "subject",
        nargs="?",
        default="",
        metavar="WORD|FILE",
        help="show：一个词；check、load：文件（默认为 words 中的那份）"
        " / show: a word; check, load: a file (default: the home's)",
    )
    parser.add_argument(
        "--version", type=int, metavar="N", help=f"load：重新启用旧版，{SHIPPED} 为随附的表 / load: put version N back"
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    return parser


def home_of(args: argparse.Namespace) -> HubHome:
    """Return the home of a hub that exists.

    Raises:
        BadSetting: there is none, or ``--version`` stands where it means nothing.

    """
    if args.version is not None and (args.action != "load" or args.subject):
        raise BadSetting(
            Text(zh="--version 只用于 load，且不与文件同写", en="--version goes with load alone, without a file"),
            Text(zh="例如：load --version 3。", en="For example: load --version 3."),
        )
    home = home_at(args.home)
    config.load(home.settings)
    return home


def tend(home: HubHome, table: WordTable[_T], args: argparse.Namespace, count: Callable[[_T], int]) -> int:
    """Check a table, or take it into force; tell every fault; 1 if it is refused."""
    if args.version is not None:
        version = _taken(home, table, lambda: table.take_again(args.version))
        return _tell_taken(args, Checked(table=table.name, file="", entries=count(table.in_force()[1])), version)
    path = Path(args.subject) if args.subject else table.edited
    try:
        sheet, understood = table.checked(path)
    except BadFile as error:
        return _tell_refused(args, table.name, path, error)
    checked = Checked(table=table.name, file=str(path), entries=count(understood))
    if args.action == "load":
        return _tell_taken(args, checked, _taken(home, table, lambda: table.take(sheet)))
    if args.json:
        say_json(checked)
    else:
        say(
            Text(
                zh=f"{path} 无误，共 {checked.entries} 项；尚未启用，启用请用 load。",
                en=f"{path} is good, with {Count(checked.entries):entry|entries}; load takes it into force.",
            )
        )
    return EXIT_OK


def _taken(home: HubHome, table: WordTable[_T], take: Callable[[], Version]) -> Version:
    """Take a table into force within the transaction of its line in the audit log: without the line, nothing is."""

    def step(connection: Connection) -> Version:
        version = take()
        entry = AuditEntry(
            who=operator().who, action=Action.TABLE_TAKEN, object=table.name, detail=f"version {version.number}"
        )
        audit.append(connection, entry, clock_ms())
        return version

    return written(home, step)


def show_readings(args: argparse.Namespace, version: int, readings: Sequence[Reading]) -> int:
    """Print what a word is also read as."""
    if args.json:
        say_json(WordReadings(word=args.subject, version=version, readings=tuple(readings)))
        return EXIT_OK
    show_table(_READING_HEADERS, [(one.text, worded(one.note)) for one in readings])
    if not readings:
        say(Text(zh=f"“{args.subject}”没有别的读法。", en=f"{args.subject} is read as nothing else."))
    return EXIT_OK


def show_versions(versions: Sequence[Version], number: int, table: WordTable[_T]) -> None:
    """Print the versions that are kept, and which is in force."""
    rows = [(str(one.number), moment(one.taken_at_ms), str(one.bytes)) for one in versions]
    show_table(_VERSION_HEADERS, rows, title=worded(Text(zh="版本", en="versions")))
    shipped_zh, shipped_en = ("（随附的表）", " (shipped)") if number == SHIPPED else ("", "")
    say(
        Text(
            zh=f"现用第 {number} 版{shipped_zh}。编辑 {table.edited}，再用 load 启用。",
            en=f"Version {number}{shipped_en} is in force. Edit {table.edited}, then load it.",
        )
    )


def _tell_taken(args: argparse.Namespace, checked: Checked, version: Version) -> int:
    if args.json:
        say_json(msgspec.structs.replace(checked, version=version.number))
    else:
        say(
            Text(
                zh=f"已启用第 {version.number} 版，共 {checked.entries} 项；运行中的枢纽几秒内自动换用，不必重启。",
                en=f"Version {version.number} with {Count(checked.entries):entry|entries} is in force; a running hub"
                " takes it over"
                " within seconds, without a restart.",
            )
        )
    return EXIT_OK


def _tell_refused(args: argparse.Namespace, name: str, path: Path, error: BadFile) -> int:
    faults = error.faults if isinstance(error, BadTable) else ()
    if args.json:
        say_json(Checked(table=name, file=str(path), entries=0, faults=faults, reason=error.reason))
        return EXIT_PROBLEM
    if len(faults) > 1:
        rows = [(str(one.line), worded(one.column), worded(one.reason), worded(one.remedy)) for one in faults]
        show_table(_FAULT_HEADERS, rows, title=str(path))
    tell(error)
    say(Text(zh="没有启用；原来的表仍然有效。", en="Nothing was taken; the table in force stays in force."))
    return EXIT_PROBLEM
