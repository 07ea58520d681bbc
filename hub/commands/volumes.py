"""``danglian-hub volumes``: how far the sites have come in describing volumes item by item 卷转件."""

import argparse
import asyncio

from hub import config
from hub.commands.actions import operator
from hub.commands.listing import check_database, show_table
from hub.home import HubHome, add_home_option, home_at
from hub.keeping import conversions
from hub.keeping.conversions import Conversion
from hub.storage import store
from protocol.county_time import local_time
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, Parsers, say, say_json
from replication.wall_clock import clock_ms

_HELP = "卷转件进度与年度计划 / volumes described item by item: progress and plan"
_DESCRIPTION = """各站点案卷转为逐件著录的进度：案卷数、已转、未转、卷内条目数、本年计划与完成。

  danglian-hub volumes                                  看进度
  danglian-hub volumes --site 330523108000 --plan 300   定下该站本年要转的卷数

How far every site has come in describing its volumes item by item; --plan sets how many of a site's are due this year.
"""
_HEADERS = (
    Text(zh="站点", en="site"),
    Text(zh="案卷", en="volumes"),
    Text(zh="已转", en="converted"),
    Text(zh="未转", en="left"),
    Text(zh="卷内条目", en="items"),
    Text(zh="本年计划", en="planned"),
    Text(zh="完成", en="done"),
)


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "volumes", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument("--site", default="", metavar="CODE", help="只看该站点 / one site")
    parser.add_argument("--year", type=int, default=0, metavar="YEAR", help="年度，默认今年 / year")
    parser.add_argument("--plan", type=int, default=0, metavar="VOLUMES", help="定下本年卷数 / plan so many volumes")
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print progress, after planning if that was asked for.

    Raises:
        BadValue: a plan without a site, or of more volumes than there are.

    """
    home = home_at(args.home)
    config.load(home.settings)
    check_database(home)
    found = asyncio.run(_found(home, args))
    if args.json:
        say_json(found)
        return EXIT_OK
    show_table(_HEADERS, [_cells(one) for one in found])
    volumes, converted = sum(one.volumes for one in found), sum(one.converted for one in found)
    say(
        Text(
            zh=f"共 {volumes} 卷，已转 {converted} 卷。", en=f"{Count(volumes):volume|volumes}, {converted} converted."
        )
    )
    return EXIT_OK


async def _found(home: HubHome, args: argparse.Namespace) -> list[Conversion]:
    year = args.year or local_time(clock_ms()).year
    actor, now_ms = operator(), clock_ms()
    async with store.opened(home, read_only=not args.plan) as database:
        if args.plan:
            made = await database.write(lambda c: conversions.plan(c, actor, year, args.site, args.plan, now_ms))
            return [made]
        return await database.read(lambda c: conversions.conversions(c, year, site=args.site))


def _cells(one: Conversion) -> tuple[str, ...]:
    planned = str(one.planned) if one.planned else "—"
    numbers = (one.volumes, one.converted, one.to_convert, one.items)
    return (one.site, *map(str, numbers), planned, f"{one.done} ({one.share:.0%})" if one.planned else "—")
