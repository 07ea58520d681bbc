"""``danglian-hub letters``: what waits for the sites, and what they wrote that could not be acted on."""

import argparse
import asyncio

import msgspec
from sqlalchemy import Connection

from hub import config
from hub.commands.listing import check_database, moment, show_table
from hub.home import HubHome, add_home_option, home_at
from hub.storage import store
from protocol.wording import Count, Text
from replication import letters
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json, worded
from replication.wall_clock import clock_ms

_HELP = "函件：待送各站点的，以及收到而未能办理的 / letters that wait, and those that were set aside"
_DESCRIPTION = """县级枢纽与站点之间的函件（查档提问、复制件审批、移交步骤等）由后台自动收发；
站点不在线时一直保留，上线后送达。收到而未能办理的连同原因留存，县级枢纽每次启动（例如升级后）自动重试。
有未能办理的函件时返回 1。

Letters between the hub and its sites (questions, decisions about copies, steps of transfers) travel by themselves and
wait for sites that are away. What could not be acted on is kept with its reason and tried again at every start of the
hub, for example after an upgrade. Exits with 1 if there is such a letter.

  danglian-hub letters
  danglian-hub letters --json
"""

_WAITING = (
    Text(zh="站点", en="site"),
    Text(zh="待送", en="waiting"),
    Text(zh="最早写于", en="oldest written"),
)
_ASIDE = (
    Text(zh="站点", en="site"),
    Text(zh="种类", en="kind"),
    Text(zh="事项", en="topic"),
    Text(zh="原因", en="reason"),
    Text(zh="收到于", en="taken"),
)


class AsideLine(msgspec.Struct, frozen=True, kw_only=True):
    """One letter that could not be acted on, without what it says."""

    site: str
    kind: str
    topic: str
    fault: str
    reason: Text
    taken_at_ms: int


class LetterList(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints as JSON."""

    waiting: list[letters.Waiting]
    set_aside: list[AsideLine]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "letters", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List them; 1 if something was set aside."""
    home = home_at(args.home)
    config.load(home.settings)
    check_database(home)
    found = asyncio.run(_listed(home))
    if args.json:
        say_json(found)
    else:
        _show(found)
    return EXIT_PROBLEM if found.set_aside else EXIT_OK


def _show(found: LetterList) -> None:
    if found.waiting:
        show_table(_WAITING, [(one.peer, str(one.letters), moment(one.oldest_at_ms)) for one in found.waiting])
    if found.set_aside:
        rows = [(one.site, one.kind, one.topic, worded(one.reason), moment(one.taken_at_ms)) for one in found.set_aside]
        show_table(_ASIDE, rows)
    waiting = sum(one.letters for one in found.waiting)
    say(
        Text(
            zh=f"待送 {waiting} 封，未能办理 {len(found.set_aside)} 封。",
            en=f"{Count(waiting):letter waits|letters wait}, {len(found.set_aside)} were set aside.",
        )
    )


async def _listed(home: HubHome) -> LetterList:
    now_ms = clock_ms()

    def read(connection: Connection) -> LetterList:
        aside = [
            AsideLine(
                site=one.peer,
                kind=one.letter.kind,
                topic=str(one.letter.topic),
                fault=one.fault,
                reason=one.reason,
                taken_at_ms=one.taken_at_ms,
            )
            for one in letters.set_aside(connection)
        ]
        return LetterList(waiting=letters.waiting(connection, now_ms), set_aside=aside)

    async with store.opened(home, read_only=True) as database:
        return await database.read(read)
