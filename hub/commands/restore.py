"""``danglian-hub restore``: puts a hub back from a backup, drills doing so, and has the keyring reviewed afterwards."""

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from hub import config
from hub.backup import backups, drills
from hub.backup.backing_up import CLAIM, ledger_of
from hub.backup.backup_targets import chosen
from hub.backup.drills import report_text
from hub.backup.restoring import Restored, check_new_home, put_back
from hub.commands.actions import operator
from hub.commands.backup import named
from hub.commands.listing import check_database, moment
from hub.commands.stages import shown
from hub.home import HubHome, add_home_option, home_at
from hub.membership import keyring
from hub.membership.keyring import EnrolledNode
from hub.sites import site_orders
from hub.storage import store
from protocol.errors import BadSetting, BadValue
from protocol.sites import parse_site
from protocol.wording import Count, Text
from replication.claim import claimed
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, language, say, say_json
from replication.wall_clock import clock_ms

_HELP = "从备份恢复；恢复演练；核对恢复后的节点 / put a hub back, drill it, review its nodes"
_DESCRIPTION = """从一份备份恢复县级枢纽到新的目录；FROM 是一份备份，或一个备份目标的文件夹（取其中最新的一份）。
先核验后放回，绝不覆盖已有目录。备份之后的变更由各站点自动补传，无需人工。但备份之后停用的节点会重新有效，
备份之后登记的节点须重新登记：系统无从得知有哪些，请用 --review 逐一核对。

Puts a hub back into a new home. FROM is a backup, or the folder of a target: its newest is taken. It is read back
first; nothing is ever overwritten. What changed since, the sites send again by themselves. But nodes revoked since are
admitted again, and nodes enrolled since must be enrolled anew: no backup can know them. Go through them with --review.

  danglian-hub restore /mnt/usb --home /srv/danglian-new     put the newest backup back
  danglian-hub restore --review --home /srv/danglian-new     confirm who may speak
  danglian-hub restore --drill                               put one back on trial, time it, throw it away
"""


_NUMBERS = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What a review decided."""

    kept: list[str]
    revoked: list[str]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "restore", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument("source", nargs="?", type=Path, metavar="FROM", help="备份或备份目标的文件夹 / a backup")
    parser.add_argument(
        "--drill", action="store_true", help="演练：恢复到临时目录，核对、计时、删除 / on trial, timed, with a report"
    )
    parser.add_argument(
        "--scratch", type=Path, metavar="DIR", help="演练用的临时位置（默认在 --home 中）/ where to drill"
    )
    parser.add_argument(
        "--review",
        action="store_true",
        help="列出恢复后有效的节点，从标准输入读一行：要停用的序号，空行为全部保留 / list nodes, read which to revoke",
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it.

    Raises:
        BadSetting: the home is not empty, or is no hub's.
        BadFile: there is no backup.
        BrokenStore: the backup is damaged.

    """
    home = home_at(args.home)
    if args.drill:
        return _drill(home, args)
    if args.source is not None:
        restored = _restored(home, args.source)
        if args.json and not args.review:
            say_json(restored)
            return EXIT_OK
        _tell(restored, args.review)
    elif not args.review:
        raise BadValue(
            Text(zh="没有指定备份", en="no backup is named"),
            Text(
                zh="例如：danglian-hub restore /mnt/usb/danglian --home 新目录；演练用 --drill。",
                en="For example: danglian-hub restore /mnt/usb/danglian --home NEW; or --drill.",
            ),
        )
    return _review(home, as_json=args.json) if args.review else EXIT_OK


def _restored(home: HubHome, source: Path) -> Restored:
    check_new_home(home)
    backup = chosen(source)
    with shown(backup.name) as course:
        return put_back(backup, home, clock_ms(), course)


def _tell(restored: Restored, will_review: bool) -> None:  # noqa: FBT001 - a fact
    made = moment(restored.made_at_ms)
    say(
        Text(
            zh=f"已恢复到 {restored.home}：{restored.records} 条，{restored.sites} 个站点，"
            f"用时 {restored.took_s:.1f} 秒。",
            en=f"Put back into {restored.home}: {Count(restored.records):record|records} of"
            f" {Count(restored.sites):site|sites},"
            f" in {restored.took_s:.1f} s.",
        )
    )
    say(
        Text(
            zh=f"此备份的时间是 {made}。其后的变更在启动后由各站点自动补传；danglian-hub verify 可证明已一致。",
            en=f"The backup is of {made}. What changed since, the sites send by themselves once the hub runs;"
            " danglian-hub verify proves when all is equal.",
        )
    )
    say(
        Text(
            zh=f"注意：{made} 之后停用的节点现在又有效（共 {len(restored.nodes)} 个有效节点），"
            f"其后登记的节点须重新登记；备份无从得知是哪些。未用的登记码 {restored.codes_void} 个已作废。",
            en=f"Mind: nodes revoked after {made} are admitted again ({Count(len(restored.nodes)):node is|nodes are}"
            " now), and nodes"
            " enrolled since must be enrolled anew; the backup cannot know which."
            f" {Count(restored.codes_void):unused code is|unused codes are}"
            " void.",
        )
    )
    if not will_review:
        say(
            Text(
                zh=f"启动前请核对：danglian-hub restore --review --home {restored.home}",
                en=f"Before you start it: danglian-hub restore --review --home {restored.home}",
            )
        )


# Review


def _review(home: HubHome, *, as_json: bool) -> int:
    config.load(home.settings)
    check_database(home)
    nodes = asyncio.run(_nodes(home))
    out = sys.stderr if as_json else sys.stdout
    for number, one in enumerate(nodes, start=1):
        out.write(f"{number:5}  {one.site}  {one.public_key[-8:]}  {moment(one.enrolled_at_ms)}  {one.name}\n")
    asked = Text(
        zh=f"以上 {len(nodes)} 个节点有效。请输入要停用的序号（如 3 17-19），全部保留则直接回车：",
        en=f"{Count(len(nodes)):node|nodes} may speak. Numbers to revoke (3 17-19), or nothing to keep them all: ",
    )
    out.write(asked.in_language(language()))
    out.flush()
    line = sys.stdin.readline()
    if not line:
        raise BadValue(
            Text(zh="没有输入，尚未核对", en="nothing was entered, so nothing is reviewed"),
            Text(
                zh="请在终端中运行，或从标准输入给出一行。", en="Run it in a terminal, or give one line on its input."
            ),
        )
    revoked = [nodes[number - 1] for number in numbers_in(line, len(nodes))]
    asyncio.run(_revoke(home, revoked))
    with claimed(home.root, "danglian-hub backup", CLAIM):
        ledger = ledger_of(home)
        if ledger.restored is not None:
            reviewed = msgspec.structs.replace(ledger.restored, reviewed_at_ms=clock_ms())
            backups.write_ledger(home.backups, msgspec.structs.replace(ledger, restored=reviewed))
    gone = {one.public_key for one in revoked}
    if as_json:
        kept = [one.public_key for one in nodes if one.public_key not in gone]
        say_json(Review(kept=kept, revoked=sorted(gone)))
        return EXIT_OK
    zh = f"核对完毕：保留 {len(nodes) - len(gone)} 个，停用 {len(gone)} 个。"
    say(Text(zh=zh, en=f"Reviewed: {len(nodes) - len(gone)} kept, {len(gone)} revoked."))
    return EXIT_OK


def numbers_in(line: str, largest: int) -> list[int]:
    """Return the numbers that a line names, ``3 17-19``; each once, in order.

    Raises:
        BadValue: one is no number, or not between 1 and ``largest``.

    """
    found: set[int] = set()
    for word in line.replace(",", " ").replace("，", " ").split():
        match = _NUMBERS.fullmatch(word)
        if match is None:
            raise _no_number(word, largest)
        low, high = int(match[1]), int(match[2] or match[1])
        if not 1 <= low <= high <= largest:
            raise _no_number(word, largest)
        found.update(range(low, high + 1))
    return sorted(found)


def _no_number(word: str, largest: int) -> BadValue:
    return BadValue(
        Text(zh=f"不是列出的序号：{word}", en=f"not a number of the list: {word}"),
        Text(
            zh=f"请输入 1 至 {largest} 的序号，用空格隔开；什么都没有改变。",
            en=f"Numbers from 1 to {largest}, with spaces between them; nothing was changed.",
        ),
    )


async def _nodes(home: HubHome) -> list[EnrolledNode]:
    async with store.opened(home) as database:
        return await database.read(keyring.nodes)


async def _revoke(home: HubHome, nodes: Sequence[EnrolledNode]) -> int:
    def step(connection: Connection) -> int:
        actor, now_ms, because = operator(), clock_ms(), "reviewed after a restore"
        return sum(
            site_orders.revoke(connection, actor, parse_site(one.site), one.public_key, because, now_ms)
            for one in nodes
        )

    async with store.opened(home) as database:
        return await database.write(step)


# Drill


def _drill(home: HubHome, args: argparse.Namespace) -> int:
    settings = config.load(home.settings)
    source = drills.newest(named(settings, ()), settings.county) if args.source is None else chosen(args.source)
    if args.scratch is not None and not args.scratch.is_dir():
        raise BadSetting(
            Text(zh=f"没有这个文件夹：{args.scratch}", en=f"there is no folder {args.scratch}"),
            Text(zh="请用 --scratch 指定已有的文件夹。", en="Name an existing one with --scratch."),
        )
    with shown(source.name) as course:
        report = drills.drill(home, source, clock_ms, course, args.scratch)
    if args.json:
        say_json(report)
    else:
        sys.stdout.write(report_text(report))
        say(Text(zh=f"报告在 {home.drills}", en=f"The report is in {home.drills}"))
    return EXIT_OK if report.succeeded else EXIT_PROBLEM
