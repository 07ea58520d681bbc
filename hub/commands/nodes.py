"""``danglian-hub nodes``: lists the keyring, and the codes that nobody has used yet."""

import argparse
import asyncio

import msgspec
from sqlalchemy import Connection

from hub import config
from hub.commands.listing import check_database
from hub.home import HubHome, add_home_option, home_at
from hub.membership import codes, keyring
from hub.membership.codes import OpenCode
from hub.membership.keyring import EnrolledNode
from hub.storage import store
from protocol.county_time import minute
from protocol.wording import Count, Text
from replication.command_line import Parsers, say, say_json
from replication.wall_clock import clock_ms


class KeyringList(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints."""

    nodes: list[EnrolledNode]
    open_codes: list[OpenCode]


def add(parsers: Parsers) -> None:
    """Add the command to the command line."""
    parser = parsers.add_parser("nodes", help="列出已登记的节点和未用的登记码 / list enrolled nodes and open codes")
    add_home_option(parser)
    parser.add_argument("--all", action="store_true", help="包括已停用的 / revoked ones too")
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the list.

    Raises:
        BadSetting: there is no hub in the home, or it has never run.

    """
    home = home_at(args.home)
    config.load(home.settings)
    check_database(home)
    found = asyncio.run(listed(home, with_revoked=args.all))
    if args.json:
        say_json(found)
        return 0
    for one in found.nodes:
        since = _day(one.enrolled_at_ms)
        until = "" if one.revoked_at_ms is None else _day(one.revoked_at_ms)
        say(
            Text(
                zh=f"{one.site}  {one.public_key}  {since} 登记{f'，{until} 停用' if until else ''}  {one.name}",
                en=f"{one.site}  {one.public_key}  since {since}{f', revoked {until}' if until else ''}  {one.name}",
            )
        )
    for code in found.open_codes:
        until = _day(code.expires_at_ms)
        say(
            Text(
                zh=f"{code.site}  未用的登记码，{until} 前有效  {code.site_name}",
                en=f"{code.site}  code not used yet, good until {until}  {code.site_name}",
            )
        )
    say(
        Text(
            zh=f"共 {len(found.nodes)} 个节点，{len(found.open_codes)} 个未用的登记码。",
            en=f"{Count(len(found.nodes)):node|nodes}, {Count(len(found.open_codes)):open code|open codes}.",
        )
    )
    return 0


async def listed(home: HubHome, *, with_revoked: bool) -> KeyringList:
    """Read the keyring."""
    now_ms = clock_ms()

    def step(connection: Connection) -> KeyringList:
        return KeyringList(
            nodes=keyring.nodes(connection, with_revoked=with_revoked),
            open_codes=codes.open_codes(connection, now_ms),
        )

    async with store.opened(home, read_only=True) as database:
        return await database.read(step)


def _day(at_ms: int) -> str:
    return minute(at_ms)
