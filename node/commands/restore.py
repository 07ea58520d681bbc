"""``danglian-node restore``: shows how a restoration from the hub goes, asks for one, or does without."""

import argparse
import asyncio
import contextlib
import sys
import time

import msgspec
from sqlalchemy import Connection

from node import restoration
from node.config import load
from node.home import NodeHome, add_home_option, home_of
from node.restoration import Restoration
from node.tables import SCHEMA
from node.wording import moment
from protocol.errors import BadSetting
from protocol.wording import Count, Text
from replication import outbox
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json
from replication.database import opened
from replication.migrations import REPLICATION
from replication.wall_clock import clock_ms

LOOK_EVERY_S = 1.0
"""Seconds between two looks while the progress is followed."""

_HELP = "从县级取回本站条目（换机或数据库丢失后）· take this site's records back from the hub"
_DESCRIPTION = """换机登记后或数据库丢失后，节点启动时自动从县级取回本站已报的条目（标识、旧号等），再读目录文件夹。
不带选项：显示进度。--now：要求下次启动时取回（须无数据库）。--skip：不再等待，从头开始。
换机之前已撤回的条目，旧目录文件里即使还有也不重新公布；确要公布：--readmit，然后重启节点。

A node that replaces another, or has lost its database, takes back what the hub holds of its site when it starts, and
then reads its folder: ids and former codes stay as they were. Without an option this shows how far that is; --now asks
for it at the next start, --skip does without. What had been withdrawn stays so though an old sheet still lists it;
--readmit lets such rows bring their records back, from the next start on.
"""


class RestoreReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints as JSON."""

    is_due: bool
    """It goes on, or begins at the next start."""
    restoration: Restoration | None
    unlisted: int
    """Restored records that no file has listed yet: they stay until somebody decides."""
    kept_back: int = 0
    """Withdrawn records that came back as tombstones: rows that say the same are reported, not published."""


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "restore", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--now", action="store_true", help="下次启动时取回 · restore at the next start")
    choice.add_argument("--skip", action="store_true", help="不取回，从头开始 · do without, and begin afresh")
    choice.add_argument("--follow", action="store_true", help="显示进度直到完成 · show the progress until it is done")
    choice.add_argument(
        "--readmit",
        action="store_true",
        help="换机前撤回的条目可由目录行重新公布 · let rows bring back what was withdrawn",
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do what was asked and print how it stands; 1 while a restoration is due.

    Raises:
        BadSetting: the home has no settings, or a catalogue of its own.

    """
    home = home_of(args)
    load(home.settings)
    if args.now:
        _request(home)
    elif args.skip:
        with contextlib.suppress(FileNotFoundError):
            home.restore_mark.unlink()
    elif args.readmit:
        asyncio.run(_readmit(home))
    report = asyncio.run(read_report(home))
    while args.follow and report.is_due:
        if not args.json:
            _draw(report)
        time.sleep(LOOK_EVERY_S)
        report = asyncio.run(read_report(home))
    if args.json:
        say_json(report)
    else:
        say(_words(report))
    return EXIT_PROBLEM if report.is_due else EXIT_OK


def _request(home: NodeHome) -> None:
    if asyncio.run(_has_history(home)):
        raise BadSetting(
            Text(zh="本站已有自己的目录数据库。", en="this node has a catalogue of its own"),
            Text(
                zh="若确要从县级取回：停止节点，把 node.db 移走（勿删），再运行本命令。",
                en="To restore all the same: stop the node, move node.db away (keep it), and run this again.",
            ),
        )
    restoration.request(home)


async def _readmit(home: NodeHome) -> None:
    if not home.database.exists():
        return
    async with opened(home.database, (REPLICATION, SCHEMA)) as database:
        await database.write(lambda connection: restoration.readmit(connection, clock_ms()))


async def _has_history(home: NodeHome) -> bool:
    if not home.database.exists():
        return False
    async with opened(home.database, (), read_only=True) as database:
        return await database.read(outbox.head) is not None


async def read_report(home: NodeHome) -> RestoreReport:
    """Read how a restoration stands, whether the daemon runs or not."""
    if not home.database.exists():
        return RestoreReport(is_due=home.restore_mark.exists(), restoration=None, unlisted=0)

    def step(connection: Connection) -> RestoreReport:
        return RestoreReport(
            is_due=restoration.is_due(connection, home.restore_mark),
            restoration=restoration.state_of(connection),
            unlisted=restoration.count_unlisted(connection),
            kept_back=restoration.count_kept_back(connection),
        )

    async with opened(home.database, (), read_only=True) as database:
        return await database.read(step)


def _draw(report: RestoreReport) -> None:
    if sys.stderr.isatty():
        state = report.restoration
        done = f"{state.received}/{state.total}" if state is not None else "—"
        sys.stderr.write(f"\r{done}   ")
        sys.stderr.flush()


def _words(report: RestoreReport) -> Text:
    state = report.restoration
    if report.is_due and (state is None or not state.received):
        return Text(
            zh="等待县级答复；节点须在运行且已联网。不想等待：danglian-node restore --skip",
            en="Waiting for the hub; the node must run and be online. To do without: danglian-node restore --skip",
        )
    if report.is_due and state is not None:
        return Text(
            zh=f"正在取回：{state.received}/{state.total} 条。",
            en=f"restoring: {state.received} of {Count(state.total):record|records}",
        )
    if state is None:
        return Text(zh="本站无需从县级取回。", en="this node needed no restoration")
    if state.is_skipped:
        return Text(zh="已按要求跳过取回。", en="a restoration was skipped on request")
    return Text(
        zh=f"已于 {moment(state.ended_at_ms or 0)} 取回 {state.received} 条；"
        f"其中 {report.unlisted} 条尚无文件列出（保留原样）；另有 {report.kept_back} 条已撤回，不会因旧目录重新公布。",
        en=f"{Count(state.received):record was|records were} restored at {moment(state.ended_at_ms or 0)};"
        f" {report.unlisted} of them are in no file yet, and stay as they are; {report.kept_back} more were withdrawn"
        " before, and no old sheet publishes them anew",
    )
