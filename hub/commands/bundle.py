"""``danglian-hub bundle``: takes what couriers bring from sites without a line, and writes what they take back."""

import argparse
import asyncio
from pathlib import Path

from hub import config
from hub.commands.listing import moment
from hub.config import HubConfig
from hub.courier.carried_pages import PageIntake
from hub.courier.deliveries import Deliveries
from hub.courier.letter_handlers import letter_handlers
from hub.courier.replies import Sender, write_replies
from hub.draws.brought_pieces import BroughtPieces
from hub.home import HubHome, add_home_option, home_at
from hub.membership.gate import county_of
from hub.storage import store
from hub.transfers.office import relay_of
from protocol.bundles import Compared, Pages, members_of
from protocol.errors import BadBundle, Retryable
from protocol.sites import parse_site
from protocol.wording import Count, Text
from replication.carriage import Carried, Found, Outcome, Written, found_in, letters_told, letters_written, refusal
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json
from replication.courier_letters import Postman
from replication.keys import load_identity
from replication.progress import progress
from replication.wall_clock import clock_ms

_HELP = "信使包：用 U 盘与没有网络的站点往来 / courier bundles: sites without a line, by USB stick"
_DESCRIPTION = r"""没有网络的站点用 U 盘往来。签名的帧与网上传的相同，随时可以与网络混用，重复收取不会改变任何内容。

一次往返：
  1. 站点    danglian-node bundle out E:\     写出全部未确认的变更
  2. 县级    danglian-hub bundle in E:\       核对并收取
  3. 县级    danglian-hub bundle out E:\      写出回执
  4. 站点    danglian-node bundle in E:\      收取回执，已确认的变更不再保留
新站点：先在县级 danglian-hub enrol 站点代码 --courier 签发登记码（电话或纸条告知），
站点运行 danglian-node init --courier E:\ --code 登记码，然后从第 2 步开始。
县级枢纽运行或停止时都可以使用本命令。

Sites without a line come by USB stick, with the same signed frames as over the network. Both may be mixed at any time;
taking a bundle twice changes nothing.

One round trip:
  1. site    danglian-node bundle out E:\     writes every change that is not confirmed
  2. county  danglian-hub bundle in E:\       checks and takes it
  3. county  danglian-hub bundle out E:\      writes the replies
  4. site    danglian-node bundle in E:\      takes the reply; what is confirmed need not be kept
A new site: issue a code here with danglian-hub enrol SITE --courier, tell it by telephone or on paper, have the site
run danglian-node init --courier E:\ --code CODE, and go on with step 2.
The hub may be running or not.
"""

PAGES_TOLD = 10
"""Damaged pages that are named one by one; the others are counted."""

_FAULTLESS = (Outcome.TAKEN, Outcome.REPEATED, Outcome.OLDER, Outcome.ADMITTED)

_COMPARED = {
    Compared.EQUAL: Text(zh="；两端一致", en="; both ends hold the same"),
    Compared.DIFFERENT: Text(
        zh="；两端不一致，回执将请该站完整上报", en="; the ends differ: the reply asks for a full description"
    ),
    Compared.NOT_COMPARED: Text(zh="", en=""),
}


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "bundle", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ways = parser.add_subparsers(title="命令 / commands", metavar="in|out", required=True)
    inward = ways.add_parser("in", help="收取站点写出的信使包 / take what sites have written")
    add_home_option(inward)
    inward.add_argument(
        "places", nargs="+", type=Path, metavar="FILE|DIR", help="信使包，或其所在文件夹 / bundles, or folders of them"
    )
    inward.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    inward.set_defaults(run=run_in)
    outward = ways.add_parser("out", help="写出给站点的回执 / write the replies for sites")
    add_home_option(outward)
    outward.add_argument("place", type=Path, metavar="DIR", help="写到哪个文件夹 / where to write them")
    outward.add_argument(
        "sites", nargs="*", metavar="SITE", help="站点代码；不写则为全部使用信使包的站点 / default: all that use them"
    )
    outward.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    outward.set_defaults(run=run_out)


def run_in(args: argparse.Namespace) -> int:
    """Take bundles; 1 if one was refused or pages of it are damaged, the others are taken all the same."""
    home = home_at(args.home)
    settings = config.load(home.settings)
    carried, passed_over = asyncio.run(taken(home, settings, args.places))
    if args.json:
        say_json(carried)
    else:
        for one in carried:
            say(_told(one))
        if passed_over or not carried:
            say(
                Text(
                    zh=f"跳过 {passed_over} 个不是写给本县级枢纽的信使包。",
                    en=f"{Count(passed_over):bundle is|bundles are} not for this hub: passed over.",
                )
            )
        if any(one.outcome in (Outcome.TAKEN, Outcome.ADMITTED, Outcome.REPEATED) for one in carried):
            say(
                Text(
                    zh="下一步：danglian-hub bundle out 写出回执，带回各站。",
                    en="Next: danglian-hub bundle out writes the replies to take back.",
                )
            )
    is_whole = all(one.outcome in _FAULTLESS and not one.pages_damaged for one in carried)
    return EXIT_OK if is_whole else EXIT_PROBLEM


async def taken(home: HubHome, settings: HubConfig, places: list[Path]) -> tuple[list[Carried], int]:
    """Take the bundles of some files and folders; returns what became of each, and how many were for others."""
    identity = load_identity(home.hub_seed)
    postman = Postman(identity, letter_handlers(home, relay_of(home, settings.county), clock_ms), clock_ms)
    carried: list[Carried] = []
    passed_over = 0
    async with store.opened(home) as database:
        pages = PageIntake(database, identity, BroughtPieces(home.brought))
        deliveries = Deliveries(database, settings.county, identity.public_key, clock_ms, postman, pages)
        for found in found_in(places):
            if found.bundle is not None and not found.is_named and not deliveries.is_for_us(found.bundle.manifest):
                passed_over += 1
                continue
            carried.append(await _take(deliveries, found))
    return carried, passed_over


async def _take(deliveries: Deliveries, found: Found) -> Carried:
    if found.bundle is None:
        if found.fault is None:
            message = "neither a bundle nor a fault"
            raise AssertionError(message)
        return refusal(found.path, found.fault)
    label = Text(zh=f"核对并收取 {found.path.name}", en=f"checking and taking {found.path.name}")
    try:
        manifest = found.bundle.manifest
        steps = sum(1 for _ in members_of(manifest)) * (1 if isinstance(manifest.content, Pages) else 2)
        with progress(label, steps) as shown:
            return await deliveries.take(found.bundle, shown.add)
    except (BadBundle, Retryable) as error:
        return refusal(found.path, error)


def run_out(args: argparse.Namespace) -> int:
    """Write replies.

    Raises:
        BadValue: not a site code.
        Refused: a site has no node, or nobody comes by courier.
        StorageFull, Retryable: the stick has no room, or cannot be written.

    """
    home = home_at(args.home)
    settings = config.load(home.settings)
    written = asyncio.run(_written(home, settings, args.place, args.sites))
    if args.json:
        say_json(written)
        return EXIT_OK
    for one in written:
        post = letters_written(one)
        say(
            Text(
                zh=f"已写出 {one.file}（给站点 {one.site}）{post.zh}",
                en=f"written: {one.file} (for site {one.site}){post.en}",
            )
        )
    say(
        Text(
            zh="请安全弹出 U 盘；在站点运行 danglian-node bundle in 收取。",
            en="Eject the stick; at the site run danglian-node bundle in.",
        )
    )
    return EXIT_OK


async def _written(home: HubHome, settings: HubConfig, place: Path, sites: list[str]) -> list[Written]:
    identity = load_identity(home.hub_seed)
    county = county_of(home, settings, identity.public_key)
    chosen = [parse_site(code) for code in sites]
    async with store.opened(home) as database:
        sender = Sender(county=county, identity=identity, pieces=BroughtPieces(home.brought))
        return await write_replies(database, sender, place, chosen, clock_ms())


def _told(one: Carried) -> Text:
    name, when = Path(one.file).name, moment(one.made_at_ms)
    if one.reason is not None and one.hint is not None:
        return Text(
            zh=f"拒收 {name}：{one.reason.zh}\n    处理办法：{one.hint.zh}",
            en=f"refused {name}: {one.reason.en}\n    what to do: {one.hint.en}",
        )
    if one.outcome is Outcome.ADMITTED:
        return Text(zh=f"已登记站点 {one.site}：{name}", en=f"site {one.site} is enrolled: {name}")
    if one.outcome is Outcome.REPEATED:
        return Text(
            zh=f"站点 {one.site}：{name} 早已收取，未改动任何内容。",
            en=f"site {one.site}: {name} was taken before; nothing was changed",
        )
    if one.order:
        return _pages_told(one, name)
    compared = _COMPARED[one.compared]
    return Text(
        zh=f"站点 {one.site}：{name}（{when} 写出）已收取，"
        f"新应用 {one.events} 条变更，至位置 {one.last}{compared.zh}{letters_told(one).zh}。",
        en=f"site {one.site}: {name} (written {when}) taken, {Count(one.events):change|changes} applied, up to"
        f" position {one.last}"
        f"{compared.en}{letters_told(one).en}",
    )


def _pages_told(one: Carried, name: str) -> Text:
    """Say what came of the pages of an order, which of them are damaged, and what is still missing."""
    shown = PAGES_TOLD
    bad = "、".join(one.pages_damaged[:shown])
    bad_en = ", ".join(one.pages_damaged[:shown])
    damaged = Text(
        zh=f"\n    有 {len(one.pages_damaged)} 页损坏或不属于此单，未收取：{bad}\n"
        "    处理办法：写出回执带回，该站再写一次即补上所缺的页。",
        en=f"\n    {len(one.pages_damaged)} of its pages are damaged or belong elsewhere and were not taken: {bad_en}\n"
        "    what to do: take the reply back; the site's next stick brings what is missing.",
    )
    damaged = damaged if one.pages_damaged else Text(zh="", en="")
    kib = -(-one.pages_left // 1024)
    left = Text(zh=f"还缺 {kib} KB", en=f"{kib} KB are still missing")
    left = left if one.pages_left else Text(zh="页面已齐，自动制作证明", en="all are here, the certificate is made now")
    return Text(
        zh=f"站点 {one.site}：{name} 已收取 {one.order} 的页面，{left.zh}。{damaged.zh}",
        en=f"site {one.site}: {name} taken, pages of {one.order}; {left.en}.{damaged.en}",
    )
