"""``danglian-node brake``: lists the changes that are held back, and takes a person's decision about them.

It works beside the running daemon, which carries a decision out within seconds, and without it: then the daemon does so
when it next runs.
"""

import argparse
import asyncio
import sys

import msgspec

from node import brake
from node.brake import BrakeState, Decision, HeldChange
from node.home import NodeHome, add_home_option, home_of
from node.tables import SCHEMA
from node.wording import moment
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, Parsers, worded
from replication.database import opened
from replication.migrations import REPLICATION
from replication.wall_clock import clock_ms

_HELP = "查看并处理被拦下的大批变更 · changes that wait for a decision"
_DESCRIPTION = """目录中大批条目不见时（文件被删、表格被截断、磁盘未挂载），系统先保留这些条目，等人决定：
release 确认撤下，reject 保留。撤下后条目若重新出现，仍用原来的标识。

When many rows vanish, their records stay until somebody decides: release withdraws them, reject keeps them. A row that
comes back later gets its old identity.
"""

_STATES = {
    BrakeState.HELD: Text(zh="等待决定", en="waits for a decision"),
    BrakeState.RELEASE_ASKED: Text(zh="已确认撤下，正在办理", en="released, being carried out"),
    BrakeState.RELEASED: Text(zh="已撤下", en="withdrawn"),
    BrakeState.REJECTED: Text(zh="已保留", en="kept"),
    BrakeState.LAPSED: Text(zh="已无须决定", en="no longer needed"),
}


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser("brake", help=_HELP, description=_DESCRIPTION)
    add_home_option(parser)
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "release", "reject"),
        default="list",
        help="list 列出（默认）、release 撤下、reject 保留 · what to do",
    )
    parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="变更编号，可写多个 · numbers of changes")
    parser.add_argument("--all", action="store_true", help="连同已处理的一并列出 · with past decisions")
    parser.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List, or decide.

    Raises:
        BadValue: no such change waits, or no number was given.

    """
    home = home_of(args)
    if args.action == "list":
        changes = asyncio.run(_listed(home, with_past=args.all))
        sys.stdout.write(_as_json(changes) if args.json else _as_text(changes))
        return EXIT_OK
    if not args.ids:
        raise brake.no_number()
    decided = asyncio.run(_decided(home, args.ids, Decision(args.action)))
    sys.stdout.write(_as_json(decided) if args.json else _as_decisions(decided))
    return EXIT_OK


async def _listed(home: NodeHome, *, with_past: bool) -> list[HeldChange]:
    async with opened(home.database, (), read_only=True) as database:
        return await database.read(lambda connection: brake.held(connection, with_past=with_past))


async def _decided(home: NodeHome, ids: list[int], decision: Decision) -> list[HeldChange]:
    now_ms = clock_ms()
    async with opened(home.database, (REPLICATION, SCHEMA)) as database:
        return await database.write(
            lambda connection: [brake.decide(connection, brake_id, decision, now_ms) for brake_id in ids]
        )


def _as_json(changes: list[HeldChange]) -> str:
    return msgspec.json.encode(changes).decode() + "\n"


def _as_text(changes: list[HeldChange]) -> str:
    if not changes:
        return worded(Text(zh="没有被拦下的变更。", en="Nothing is held.")) + "\n"
    lines = []
    for change in changes:
        lines.append(f"[{change.brake_id}] {worded(_STATES[change.state])}  {moment(change.held_at_ms)}")
        lines.append(f"    {worded(change.reason)}")
    if any(change.state is BrakeState.HELD for change in changes):
        lines += ["", worded(brake.REMEDY)]
    return "\n".join(lines) + "\n"


def _as_decisions(changes: list[HeldChange]) -> str:
    return "".join(f"[{change.brake_id}] {worded(_decided_words(change))}\n" for change in changes)


def _decided_words(change: HeldChange) -> Text:
    rows = change.row_count
    if change.state is BrakeState.REJECTED:
        return Text(zh=f"已保留 {rows} 条。", en=f"{Count(rows):record stays|records stay}.")
    return Text(
        zh=f"将撤下 {rows} 条；节点运行中几秒内完成，否则下次启动时完成。",
        en=f"{Count(rows):record|records} will be withdrawn by the daemon, in seconds or when it next runs.",
    )
