"""``danglian-hub revoke``: takes the right to speak from a node, or from every node of a site, for good."""

import argparse
import asyncio

from sqlalchemy import Connection

from hub import config
from hub.commands.actions import operator
from hub.home import HubHome, add_home_option, home_at
from hub.membership import keyring
from hub.membership.broker_config import is_public_key
from hub.membership.keyring import KEYRING_POLL_S, EnrolledNode
from hub.sites import site_orders
from hub.storage import store
from protocol.errors import Refused
from protocol.sites import parse_site
from protocol.wording import Text
from replication.command_line import Parsers, say, say_json
from replication.wall_clock import clock_ms

UNSAID = "-"
"""Stands for the reason of whoever gave none: a stolen PC is cut off first and explained afterwards."""


def add(parsers: Parsers) -> None:
    """Add the command to the command line."""
    parser = parsers.add_parser("revoke", help="停用站点的节点（不可恢复）/ revoke a node, for good")
    add_home_option(parser)
    parser.add_argument("node", metavar="SITE|KEY", help="站点代码或节点公钥 / a site code, or a node's public key")
    parser.add_argument("--because", default="", help="原因 / reason")
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Revoke, and say what was revoked.

    Raises:
        BadValue: neither a site code nor a key.
        Refused: there is nothing to revoke.

    """
    home = home_at(args.home)
    config.load(home.settings)
    revoked = asyncio.run(revoke(home, args.node, args.because))
    if args.json:
        say_json({"revoked": [{"site": one.site, "public_key": one.public_key} for one in revoked]})
        return 0
    for one in revoked:
        say(
            Text(
                zh=f"已停用：{one.site} {one.name} {one.public_key}",
                en=f"Revoked: {one.site} {one.name} {one.public_key}",
            )
        )
    say(
        Text(
            zh=f"正在运行的县级枢纽会在约 {KEYRING_POLL_S + 1:.0f} 秒内断开其连接；未用的登记码也已作废。",
            en=f"A running hub cuts it off within about {KEYRING_POLL_S + 1:.0f} s; unused codes are void too.",
        )
    )
    return 0


async def revoke(home: HubHome, named: str, because: str) -> list[EnrolledNode]:
    """Revoke one node by its key, or all of a site with its open codes.

    Raises:
        BadValue: neither a site code nor a key.
        Refused: there is nothing to revoke.

    """
    site, actor, now_ms = None if is_public_key(named) else parse_site(named), operator(), clock_ms()

    def step(connection: Connection) -> list[EnrolledNode]:
        found = [one for one in keyring.nodes(connection, site=site) if site is not None or one.public_key == named]
        is_void = site is not None and site_orders.void_codes(connection, actor, site, now_ms)
        if not found and not is_void:
            raise Refused(
                Text(zh=f"{named} 没有可停用的节点或登记码。", en=f"{named} has no node and no code to revoke"),
                Text(zh="用 danglian-hub nodes 查看在用的节点。", en="danglian-hub nodes lists what there is."),
            )
        for one in found:
            site_orders.revoke(connection, actor, parse_site(one.site), one.public_key, because or UNSAID, now_ms)
        return found

    async with store.opened(home) as database:
        return await database.write(step)
