"""``danglian-node bundle``: writes what a courier takes to the county, and takes what comes back."""

import argparse
import asyncio
from contextlib import ExitStack
from pathlib import Path

from node import courier_enrolment
from node.config import NodeConfig, load
from node.courier_enrolment import Pending
from node.deliveries import Deliveries, never_ran
from node.home import NodeHome, add_home_option, home_of
from node.letter_handlers import letter_handlers
from node.replies import Replies
from node.tables import SCHEMA
from node.wording import moment, size
from protocol.bundles import Compared, Manifest, Reply
from protocol.errors import BadBundle, BadSetting, Retryable
from protocol.wording import Count, Text
from replication.bundles import Bundle, OnMore
from replication.carriage import Carried, Found, Outcome, Written, found_in, letters_told, letters_written, refusal
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json
from replication.courier_letters import Postman
from replication.database import opened
from replication.keys import Identity, load_identity
from replication.migrations import REPLICATION
from replication.progress import progress
from replication.wall_clock import clock_ms

_HELP = "信使包：没有网络时用 U 盘上报和收取回执 · courier bundles: report by USB stick where there is no line"
_DESCRIPTION = r"""没有网络时用 U 盘与县档案馆往来。签名的帧与网上传的相同，随时可与网络混用，重复收取不会改变任何内容。

一次往返：
  1. 本站    danglian-node bundle out E:\     写出全部未确认的变更
  2. 县级    danglian-hub bundle in E:\       核对并收取
  3. 县级    danglian-hub bundle out E:\      写出回执
  4. 本站    danglian-node bundle in E:\      收取回执，已确认的变更不再保留
U 盘丢失或损坏时，重新写出即可：未确认的变更都还在本机。
已批准的调取页面随包写出（单独的文件，加密，只有县级枢纽能打开）；U 盘装不下的，换盘再写，从断点接着。
新站点先用 danglian-node init --courier E:\ --code 登记码 写出登记申请，带回县级的答复后运行 bundle in。
节点运行或停止时都可以使用本命令。

Where there is no line, a USB stick goes to the county archive, with the same signed frames as over the network. Both
may be mixed at any time; taking a bundle twice changes nothing.

One round trip:
  1. here    danglian-node bundle out E:\     writes every change that is not confirmed
  2. county  danglian-hub bundle in E:\       checks and takes it
  3. county  danglian-hub bundle out E:\      writes the reply
  4. here    danglian-node bundle in E:\      takes the reply; what is confirmed need not be kept
A stick that was lost or damaged is simply written again: what is not confirmed is still here.
Pages that the keeper has approved go with it, in files of their own that only the county's hub can open; what finds no
room goes on where it ended with another stick.
A new site first writes its application with danglian-node init --courier E:\ --code CODE, and takes the county's
answer with bundle in. The node may be running or not.
"""

_COMPARED = {
    Compared.EQUAL: Text(zh="；县级核对：两端一致", en="; compared at the hub: both ends hold the same"),
    Compared.DIFFERENT: Text(zh="；县级核对：两端不一致", en="; compared at the hub: the ends differ"),
    Compared.NOT_COMPARED: Text(zh="", en=""),
}


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "bundle", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ways = parser.add_subparsers(title="命令 · commands", metavar="out|in", required=True)
    outward = ways.add_parser("out", help="写出未确认的变更 · write what is not confirmed")
    add_home_option(outward)
    outward.add_argument(
        "place", type=Path, metavar="DIR|FILE", help="U 盘上的文件夹，或 .dlb 文件名 · a folder, or the file to write"
    )
    outward.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    outward.set_defaults(run=run_out)
    inward = ways.add_parser("in", help="收取县级写出的回执 · take what the county has written")
    add_home_option(inward)
    inward.add_argument(
        "places", nargs="+", type=Path, metavar="FILE|DIR", help="信使包，或其所在文件夹 · bundles, or folders of them"
    )
    inward.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    inward.set_defaults(run=run_in)


def run_out(args: argparse.Namespace) -> int:
    """Write a delivery and the pages that were approved; 1 if some pages found no room or cannot be read.

    Raises:
        BadSetting: the home has no settings or no database yet.
        StorageFull, Retryable: the stick has no room, or cannot be written.

    """
    home = home_of(args)
    written = asyncio.run(_written(home, load(home.settings), args.place))
    is_short = any(one.left_bytes or one.unreadable is not None for one in written)
    if args.json:
        say_json(written)
        return EXIT_PROBLEM if is_short else EXIT_OK
    for one in written:
        say(_pages_written(one) if one.order else _events_written(one))
    say(
        Text(
            zh="请安全弹出 U 盘，带到县档案馆；县级的回执带回后运行 danglian-node bundle in。",
            en="Eject the stick and take it to the county archive; run danglian-node bundle in when the reply is here.",
        )
    )
    return EXIT_PROBLEM if is_short else EXIT_OK


def _events_written(one: Written) -> Text:
    amount = size(one.size_bytes)
    return Text(
        zh=f"已写出 {one.file}：位置 {one.previous} 之后至 {one.last}，{one.frames} 帧，"
        f"{amount}{letters_written(one).zh}。",
        en=f"written: {one.file}, positions after {one.previous} up to {one.last}, {Count(one.frames):frame|frames},"
        f" {amount}{letters_written(one).en}",
    )


def _pages_written(one: Written) -> Text:
    order = one.order[:8]
    if one.unreadable is not None:
        return Text(
            zh=f"调取单 {order} 的页面未写出：{one.unreadable.zh}\n"
            f"    处理办法：把该页恢复成批准时的文件后重新写出；恢复不了的，请县里窗口撤回此单、重新提出。",
            en=f"the pages of order {order} were not written: {one.unreadable.en}\n"
            "    what to do: put that page back as it was when it was approved, and write again; if that cannot be,"
            " have the window withdraw the order and make a new one.",
        )
    left = size(one.left_bytes)
    more = Text(
        zh=f"；U 盘已满，还有 {left} 未写出：换一个 U 盘再运行本命令，从断点接着写",
        en=f"; the stick is full, {left} are left: run this command again with another stick, it goes on from there",
    )
    more = more if one.left_bytes else Text(zh="", en="")
    if not one.file:
        return Text(zh=f"调取单 {order} 的页面{more.zh}。", en=f"pages of order {order}{more.en}")
    return Text(
        zh=f"已写出 {one.file}：调取单 {order} 的页面，{size(one.size_bytes)}{more.zh}。",
        en=f"written: {one.file}, pages of order {order}, {size(one.size_bytes)}{more.en}",
    )


async def _written(home: NodeHome, config: NodeConfig, place: Path) -> list[Written]:
    if not home.database.exists():
        raise never_ran()
    label = Text(zh="写出信使包", en="writing the bundle")
    async with opened(home.database, (REPLICATION, SCHEMA)) as database:
        with ExitStack() as bars:

            def on_part(size_bytes: int) -> OnMore:
                bars.close()
                return bars.enter_context(progress(label, size_bytes)).add

            return await Deliveries(database, config, load_identity(home.seed), clock_ms()).write(place, on_part)


def run_in(args: argparse.Namespace) -> int:
    """Take replies; 1 if one was refused.

    Raises:
        BadSetting: this home neither is a node nor has applied to become one.

    """
    home = home_of(args)
    carried, passed_over = asyncio.run(_taken(home, args.places))
    if args.json:
        say_json(carried)
    else:
        for one in carried:
            say(_told(home, one))
        if passed_over or not carried:
            say(
                Text(
                    zh=f"跳过 {passed_over} 个不是写给本机的信使包。",
                    en=f"{Count(passed_over):bundle is|bundles are} not for this PC: passed over.",
                )
            )
    return EXIT_PROBLEM if any(one.outcome is Outcome.REFUSED for one in carried) else EXIT_OK


async def _taken(home: NodeHome, places: list[Path]) -> tuple[list[Carried], int]:
    pending = courier_enrolment.pending_in(home)
    if pending is None:
        # Says what to do if this home is none.
        load(home.settings)
    identity = load_identity(home.seed)
    carried: list[Carried] = []
    passed_over = 0
    for found in found_in(places):
        manifest = found.bundle.manifest if found.bundle is not None else None
        if manifest is not None and not found.is_named and not _is_for_us(manifest, identity):
            passed_over += 1
            continue
        one = await _take(home, identity, pending, found)
        if one.outcome is Outcome.ADMITTED:
            pending = None
        carried.append(one)
    return carried, passed_over


def _is_for_us(manifest: Manifest, identity: Identity) -> bool:
    return isinstance(manifest.content, Reply) and manifest.receiver.key == identity.public_key


async def _take(home: NodeHome, identity: Identity, pending: Pending | None, found: Found) -> Carried:
    try:
        if found.bundle is None:
            raise found.fault or BadSetting(Text(zh="没有信使包", en="no bundle"))
        content = found.bundle.manifest.content
        admitted = False
        if pending is not None and isinstance(content, Reply):
            found.bundle.check(set(), "")
            courier_enrolment.admitted(home, pending, found.bundle.manifest, content)
            admitted = True
        return await _take_reply(home, identity, found.bundle, admitted=admitted)
    except (BadBundle, Retryable) as error:
        return refusal(found.path, error)


async def _take_reply(home: NodeHome, identity: Identity, bundle: Bundle, *, admitted: bool) -> Carried:
    config = load(home.settings)
    fresh = Carried(
        file=str(bundle.path),
        outcome=Outcome.ADMITTED,
        site=config.site,
        made_at_ms=bundle.manifest.made_at_ms,
    )
    if admitted and not home.database.exists():
        return fresh
    async with opened(home.database, (REPLICATION, SCHEMA)) as database:
        postman = Postman(identity, letter_handlers(config, identity, clock_ms), clock_ms)
        taken = await Replies(database, config, identity, clock_ms, postman).take(bundle)
    return fresh if admitted else taken


def _told(home: NodeHome, one: Carried) -> Text:
    name, when = Path(one.file).name, moment(one.made_at_ms)
    if one.reason is not None and one.hint is not None:
        return Text(
            zh=f"拒收 {name}：{one.reason.zh}\n    处理办法：{one.hint.zh}",
            en=f"refused {name}: {one.reason.en}\n    what to do: {one.hint.en}",
        )
    if one.outcome is Outcome.ADMITTED:
        folders = "、".join(str(folder.place(home)) for folder in load(home.settings).folders)
        return Text(
            zh=f"登记成功：站点 {one.site}。把目录表格放进 {folders}，再运行 danglian-node run；"
            "收录后用 danglian-node bundle out 上报。",
            en=f"Enrolled: site {one.site}. Put catalogue files into {folders} and run danglian-node run; report what"
            " it takes with danglian-node bundle out.",
        )
    if one.outcome in (Outcome.REPEATED, Outcome.OLDER):
        return Text(
            zh=f"{name}（{when} 写出）早已收取，或已有更新的回执；未改动任何内容。",
            en=f"{name} (written {when}) was taken before, or a later one was; nothing was changed",
        )
    compared = _COMPARED[one.compared]
    return Text(
        zh=f"已收取 {name}（{when} 写出）：县级已确认到位置 {one.last}{compared.zh}{letters_told(one).zh}。",
        en=f"taken: {name} (written {when}); confirmed up to position {one.last}{compared.en}{letters_told(one).en}",
    )
