"""``danglian-hub rebuild``: starts with an empty catalogue, which the nodes fill again; tells how far that is."""

import argparse
import asyncio
import sys
import time

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hub import config
from hub.commands.listing import moment, on_terminal, show_table
from hub.home import HubHome, add_home_option, home_at
from hub.repair import rebuilds
from hub.repair.rebuilds import Rebuild
from hub.storage import store
from hub.storage.renewal import Renewed, renew, renew_on_postgres
from protocol.wording import Count, Text
from replication.claim import claimed
from replication.command_line import EXIT_OK, EXIT_PROBLEM, EXIT_USAGE, Parsers, say, say_json, worded
from replication.wall_clock import clock_ms

LOOK_EVERY_S = 1.0
"""Seconds between two looks at how far a rebuild is."""

_HELP = "从各站点重建统一目录 / rebuild the catalogue from the nodes alone"
_DESCRIPTION = (
    "县级枢纽须先停止。现有目录移入 aside 文件夹（从不删除），登记信息保留；再启动后各站点自动重报，"
    "未完成的站点显示“重建中”。中断后再次运行即可。"
    " / Stop the hub first. The present catalogue is set aside and never deleted, enrolments stay; after the next start"
    " the nodes describe everything again, and sites say 'being rebuilt' until they are whole. Run again to see how far"
    " it is."
)
_HEADERS = (
    Text(zh="代码", en="site"),
    Text(zh="状态", en="state"),
    Text(zh="原有条目", en="had"),
    Text(zh="现有条目", en="has"),
    Text(zh="完成于", en="done"),
)
_PENDING = Text(zh="重建中", en="being rebuilt")
_DONE = Text(zh="已完成", en="whole again")


class RebuildReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints as JSON."""

    renewed: Renewed | None
    """What was done now; None if a rebuild is under way already."""
    pending: int
    sites: list[Rebuild]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser("rebuild", help=_HELP, description=_DESCRIPTION)
    add_home_option(parser)
    parser.add_argument("--yes", action="store_true", help="不再询问 / do not ask")
    parser.add_argument(
        "--again", action="store_true", help="放弃进行中的重建，从头开始 / begin anew, also if one is under way"
    )
    parser.add_argument(
        "--follow", action="store_true", help="显示进度直到全部完成 / show the progress until all is done"
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Begin a rebuild, or tell how far the present one is; 1 while sites are being rebuilt.

    Raises:
        BadSetting: there is no hub in the home, or it runs.

    """
    home = home_at(args.home)
    settings = config.load(home.settings)
    before = asyncio.run(progress_of(home)) if store.is_there(home) else []
    is_under_way = any(one.done_at_ms is None for one in before)
    renewed: Renewed | None = None
    if args.again or not is_under_way:
        if args.follow and before and not args.again:
            return _tell(RebuildReport(renewed=None, pending=0, sites=before), as_json=args.json)
        with claimed(home.root, "danglian-hub"):
            if not (args.yes or _agreed()):
                return EXIT_USAGE
            anew = renew_on_postgres if store.url_of(settings) else renew
            renewed = asyncio.run(anew(home, clock_ms()))
    elif args.follow:
        _follow(home, visible=not args.json)
    sites = asyncio.run(progress_of(home))
    pending = sum(one.done_at_ms is None for one in sites)
    return _tell(RebuildReport(renewed=renewed, pending=pending, sites=sites), as_json=args.json)


async def progress_of(home: HubHome) -> list[Rebuild]:
    """Return how far every site of the latest rebuild is; nothing if the file cannot be read."""
    async with store.opened(home) as database:
        return await database.read(rebuilds.progress)


def _agreed() -> bool:
    question = Text(
        zh="将从空目录开始重建，期间检索结果不完整。继续？[y/N] ",
        en="The catalogue starts empty, and searches are incomplete until it is whole. Go on? [y/N] ",
    )
    if not sys.stdin.isatty():
        say(Text(zh="请加 --yes 确认。", en="Confirm with --yes."))
        return False
    return input(worded(question)).strip().lower() in ("y", "yes", "是")


def _follow(home: HubHome, *, visible: bool) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    is_shown = visible and on_terminal()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not is_shown) as bar:
        entries = bar.add_task(worded(Text(zh="条目", en="records")), total=None)
        whole = bar.add_task(worded(Text(zh="站点", en="sites")), total=None)
        while True:
            sites = asyncio.run(progress_of(home))
            bar.update(entries, completed=sum(one.held for one in sites), total=sum(one.expected for one in sites))
            done = sum(one.done_at_ms is not None for one in sites)
            bar.update(whole, completed=done, total=len(sites))
            if done == len(sites):
                return
            time.sleep(LOOK_EVERY_S)


def _tell(report: RebuildReport, *, as_json: bool) -> int:
    if as_json:
        say_json(report)
        return EXIT_OK if report.renewed or not report.pending else EXIT_PROBLEM
    if report.renewed is not None:
        made = report.renewed
        say(
            Text(
                zh=f"新目录已就位，原目录在 {made.aside or '（无）'}。"
                "下一步：danglian-hub run；进度：danglian-hub rebuild。",
                en=f"The empty catalogue is in place; the old one is at {made.aside or '(none)'}."
                " Next: danglian-hub run; danglian-hub rebuild tells how far it is.",
            )
        )
        return EXIT_OK
    show_table(_HEADERS, [_cells(one) for one in report.sites])
    held, expected = sum(one.held for one in report.sites), sum(one.expected for one in report.sites)
    say(
        Text(
            zh=f"共 {len(report.sites)} 个站点，{report.pending} 个重建中；条目 {held}/{expected}。",
            en=f"{Count(len(report.sites)):site|sites}, {report.pending} being rebuilt; {held} of"
            f" {Count(expected):record|records}.",
        )
    )
    return EXIT_PROBLEM if report.pending else EXIT_OK


def _cells(one: Rebuild) -> tuple[str, ...]:
    state = _PENDING if one.done_at_ms is None else _DONE
    return (one.site, worded(state), str(one.expected), str(one.held), moment(one.done_at_ms))
