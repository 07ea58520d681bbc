"""``danglian-hub quarantine``: lists what was set aside, with reason and remedy, and tries it again."""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

import msgspec
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Connection

from hub import config
from hub.application import Application
from hub.commands.actions import operator
from hub.commands.listing import check_database, moment, on_terminal, show_table
from hub.decisions import quarantine_rulings
from hub.home import HubHome, add_home_option, home_at
from hub.membership.keyring import Keyring
from hub.repair.redriving import REDRIVEN, Attempt, Redriven, Redriver
from hub.storage import store
from protocol.errors import BadSetting
from protocol.wording import Count, Text
from replication import quarantine
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json, worded
from replication.inbox import Inbox
from replication.quarantine import Quarantined
from replication.wall_clock import clock_ms

SHOWN_MAX = 500
"""Things in one list."""

_HELP = "隔离区：收到但无法采用的内容 / what arrived and could not be applied"
_DESCRIPTION = """收到但读不懂、不可信或自相矛盾的内容会留在隔离区，附原因和办法，一条都不丢。
县级枢纽每次启动会自动重试（升级后读得懂的就补入目录）；retry 可随时重试一条、几条或全部，也可在节点运行时使用。

What cannot be read, trusted or reconciled is kept here with its reason and remedy; nothing is lost. The hub tries it
again at every start, so that an upgrade applies what it has learned to read; retry does so at any time, one, some or
all, also beside the running hub.

  danglian-hub quarantine
  danglian-hub quarantine retry 12 15
  danglian-hub quarantine retry --all
"""

_HEADERS = (
    Text(zh="编号", en="id"),
    Text(zh="代码", en="site"),
    Text(zh="位置", en="position"),
    Text(zh="种类", en="fault"),
    Text(zh="原因", en="reason"),
    Text(zh="办法", en="remedy"),
    Text(zh="字节", en="bytes"),
    Text(zh="隔离于", en="since"),
)
_RETRY_HEADERS = (
    Text(zh="编号", en="id"),
    Text(zh="代码", en="site"),
    Text(zh="结果", en="outcome"),
    Text(zh="原因", en="reason"),
)


class QuarantineLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in quarantine, without its content."""

    id: int
    site: str
    epoch: str
    seq: int
    fault: str
    reason: Text
    remedy: Text
    content_bytes: int
    quarantined_at_ms: int


class QuarantineList(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints as JSON."""

    counts: dict[str, int]
    """Things of each site, also those that the list leaves out."""
    quarantined: list[QuarantineLine]


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """What ``retry`` prints as JSON."""

    counts: dict[Redriven, int]
    attempts: list[Attempt]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "quarantine", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "retry"),
        default="list",
        help="list 列出（默认），retry 重试 / what to do",
    )
    parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="编号，可写多个 / numbers")
    parser.add_argument("--all", action="store_true", help="重试全部 / try all of them again")
    parser.add_argument("--site", default="", metavar="CODE", help="只看这个站点 / only this site")
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List, or try again; 1 if something that was tried stays.

    Raises:
        BadSetting: retry without numbers and without --all.

    """
    home = home_at(args.home)
    config.load(home.settings)
    check_database(home)
    if args.action == "list":
        found = asyncio.run(listed(home, args.site))
        if args.json:
            say_json(found)
        else:
            show_table(_HEADERS, [_cells(one) for one in found.quarantined])
            total = sum(found.counts.values())
            say(Text(zh=f"隔离区共 {total} 项。", en=f"{Count(total):thing is|things are} in quarantine."))
        return EXIT_OK
    if not args.ids and not args.all:
        raise BadSetting(
            Text(zh="没有写编号。", en="no number was given"),
            Text(zh="写明编号，或用 --all 重试全部。", en="Name the numbers, or try all with --all."),
        )
    with _progress() if on_terminal() and not args.json else nullcontext(_unseen) as seen:
        attempts = asyncio.run(retried(home, None if args.all else args.ids, args.site, seen))
    return _print(attempts, as_json=args.json)


def _print(attempts: Sequence[Attempt], *, as_json: bool) -> int:
    counts = Counter(one.outcome for one in attempts)
    if as_json:
        say_json(Retried(counts={outcome: counts[outcome] for outcome in Redriven}, attempts=list(attempts)))
    else:
        rows = [(str(one.id), one.site, worded(REDRIVEN[one.outcome]), worded(one.reason)) for one in attempts]
        show_table(_RETRY_HEADERS, rows)
        zh = "，".join(f"{REDRIVEN[outcome].zh} {counts[outcome]}" for outcome in Redriven)
        en = ", ".join(f"{REDRIVEN[outcome].en} {counts[outcome]}" for outcome in Redriven)
        say(Text(zh=zh, en=en))
    return EXIT_PROBLEM if counts[Redriven.KEPT] else EXIT_OK


async def listed(home: HubHome, site: str = "") -> QuarantineList:
    """Read the quarantine, whether the daemon runs or not."""

    def step(connection: Connection) -> QuarantineList:
        found = quarantine.listed(connection, site or None, SHOWN_MAX)
        return QuarantineList(counts=quarantine.counts(connection), quarantined=[_line(one) for one in found])

    async with store.opened(home, read_only=True) as database:
        return await database.read(step)


async def retried(
    home: HubHome, ids: Sequence[int] | None, site: str = "", on_attempt: Callable[[Attempt], None] = lambda _: None
) -> list[Attempt]:
    """Try things in quarantine again."""
    async with store.opened(home) as database:
        keyring, application = Keyring(database), Application(clock_ms)
        await keyring.refresh()
        inbox = Inbox(database, application, keyring.keys_of, clock_ms)
        attempts = await Redriver(database, application, inbox).retry(ids, site, on_attempt)
        if attempts:
            actor = operator()
            await database.write(lambda c: quarantine_rulings.note_retry(c, actor, attempts, clock_ms()))
        return attempts


def _line(one: Quarantined) -> QuarantineLine:
    return QuarantineLine(
        id=one.id,
        site=one.site,
        epoch=one.epoch,
        seq=one.seq,
        fault=one.fault,
        reason=one.reason,
        remedy=one.hint,
        content_bytes=len(one.content),
        quarantined_at_ms=one.quarantined_at_ms,
    )


def _cells(one: QuarantineLine) -> tuple[str, ...]:
    return (
        str(one.id),
        one.site,
        str(one.seq) if one.seq else "—",
        one.fault.partition(":")[0],
        worded(one.reason),
        worded(one.remedy),
        str(one.content_bytes),
        moment(one.quarantined_at_ms),
    )


def _unseen(_: Attempt) -> None:
    """Show nothing."""


@contextmanager
def _progress() -> Iterator[Callable[[Attempt], None]]:
    with Progress(console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(worded(Text(zh="重试", en="trying again")), total=None)
        yield lambda _: bar.advance(task)
