"""``danglian-hub migrate-store``: moves the catalogue from the home's file to PostgreSQL."""

import argparse
import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from hub import config
from hub.backup import snapshots
from hub.commands.stages import shown
from hub.home import HubHome, add_home_option, home_at
from hub.keeping.course import Course
from hub.storage import moving, postgres, store, store_move
from hub.storage.moving import Moving
from hub.storage.postgres_errors import refused
from hub.storage.store_move import Moved
from protocol.errors import BadSetting
from protocol.wording import Count, Text
from replication.claim import claimed
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json
from replication.database import opened
from replication.wall_clock import clock_ms

_HELP = "把统一目录迁到 PostgreSQL · move the catalogue to PostgreSQL"
_DESCRIPTION = """把统一目录从 hub.db 迁到 PostgreSQL 15 或更新版本。分三步：

  1. 停止 danglian-hub run。各站点照常工作，内容留在各站，枢纽恢复后自动补齐；迁移期间仍可用 search、record 查旧目录。
  2. danglian-hub migrate-store --to postgresql://用户@主机/空数据库
     复制并逐行核对。随时可以中断，再运行同一命令即从断点继续。
  3. danglian-hub migrate-store --switch，然后 danglian-hub run。
     此后使用新库；旧文件移到 aside 目录，不会删除。

密码建议放在环境变量 DANGLIAN_DATABASE_URL（代替 --to）或 libpq 的 passfile 中，不要写在命令行上。

Move the catalogue from hub.db to PostgreSQL 15 or newer, in three steps:

  1. Stop danglian-hub run. The sites go on; what they have to tell waits there and comes by itself once the hub is
     back. Meanwhile search and record still answer from the old file.
  2. danglian-hub migrate-store --to postgresql://user@host/an-empty-database
     copies, and compares row by row. Stop it at any time: the same command goes on where it was.
  3. danglian-hub migrate-store --switch, then danglian-hub run.
     The hub uses the new store from then on. The old file goes to the folder aside and is never deleted.

A password belongs into $DANGLIAN_DATABASE_URL (instead of --to) or into libpq's passfile, not on the command line.
"""


class MoveReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints."""

    to: str
    moved: Moved
    took_s: float


class SwitchReport(msgspec.Struct, frozen=True, kw_only=True):
    """As above, for the switch."""

    to: str
    aside: str


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "migrate-store",
        help=_HELP,
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_home_option(parser)
    parser.add_argument(
        "--to",
        metavar="URL",
        default="",
        help=f"空数据库的地址（默认取环境变量 {store.URL_VARIABLE}）"
        f" / address of an empty database (default: ${store.URL_VARIABLE})",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--switch", action="store_true", help="核对无误后切换到新库 / use the new store from now on")
    what.add_argument("--abandon", action="store_true", help="放弃迁移，继续使用旧文件 / give up and keep the file")
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Copy and compare, switch, or give up; 1 if the two stores differ.

    Raises:
        BadSetting: the hub runs, there is nothing to move, or the database is not empty.
        Retryable: the server is away.

    """
    home = home_at(args.home)
    config.load(home.settings)
    with claimed(home.root, "danglian-hub"):
        if args.abandon:
            return _abandon(home, as_json=args.json)
        url = store.checked(args.to) or store.url_of_environment() or _url_of_marker(home)
        if not url:
            raise BadSetting(
                Text(zh="未指明目标数据库。", en="no database is named to move to"),
                Text(
                    zh="请用 --to 给出空数据库的地址。", en="Name an empty one with --to postgresql://user@host/name."
                ),
            )
        with _told():
            return _switch(home, url, as_json=args.json) if args.switch else _move(home, url, as_json=args.json)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        raise refused(error) from error


def _url_of_marker(home: HubHome) -> str:
    marker = moving.read_marker(home)
    return marker.to if marker is not None else ""


def _move(home: HubHome, url: str, *, as_json: bool) -> int:
    if not home.database.exists():
        raise BadSetting(
            Text(zh=f"没有可迁移的文件 {home.database}。", en=f"there is no {home.database} to be moved"),
            Text(zh="统一目录可能已在 PostgreSQL 上。", en="The catalogue may be on PostgreSQL already."),
        )
    began = time.monotonic()
    engine = store_move.engine_of(url)
    known = moving.read_marker(home)
    store_move.begin(engine, anew=known is None)
    if known is None:
        # From here on the file does not change; before, it is brought to the schema that the new store will have.
        asyncio.run(_bring_up_to_date(home))
        known = Moving(to="", began_at_ms=clock_ms())
    known = msgspec.structs.replace(known, to="" if store.url_of_environment() else url, verified_at_ms=None)
    moving.write_marker(home, known)
    asyncio.run(_make_schema(home, url))
    with shown(store.name_in(url)) as course:
        moved = _copied(home, engine, course)
    if not moved.faults:
        store_move.note_verified(engine)
        moving.write_marker(home, msgspec.structs.replace(known, verified_at_ms=clock_ms()))
    return _tell(
        MoveReport(to=store.shown(url), moved=moved, took_s=round(time.monotonic() - began, 1)), as_json=as_json
    )


def _copied(home: HubHome, engine: Engine, course: Course) -> Moved:
    with snapshots.reading(home.database, course) as source:
        store_move.copy(source, engine, course)
        return store_move.compared(source, engine, course)


async def _bring_up_to_date(home: HubHome) -> None:
    async with opened(home.database, store.MIGRATIONS):
        pass


async def _make_schema(home: HubHome, url: str) -> None:
    async with postgres.opened(url, home.root, store.MIGRATIONS):
        pass


def _tell(report: MoveReport, *, as_json: bool) -> int:
    moved = report.moved
    if as_json:
        say_json(report)
        return EXIT_PROBLEM if moved.faults else EXIT_OK
    rows = sum(moved.tables.values())
    say(
        Text(
            zh=f"已复制到 {report.to}：{moved.sites} 个站点，{moved.records} 条条目，"
            f"{len(moved.tables)} 张表 {rows} 行，用时 {report.took_s} 秒。",
            en=f"Copied to {report.to}: {Count(moved.sites):site|sites}, {Count(moved.records):record|records},"
            f" {Count(rows):row|rows} of"
            f" {Count(len(moved.tables)):table|tables}, in {report.took_s} s.",
        )
    )
    for fault in moved.faults:
        say(fault)
    if moved.faults:
        say(
            Text(
                zh="两边不一致，不能切换。请删除目标数据库，新建后重新迁移（先 --abandon）。",
                en="The two differ: no switch. Drop that database, make a new one, and begin again (--abandon first).",
            )
        )
        return EXIT_PROBLEM
    say(
        Text(
            zh="两边逐行核对一致。下一步：danglian-hub migrate-store --switch，然后 danglian-hub run。",
            en="Both are equal, row by row. Next: danglian-hub migrate-store --switch, then danglian-hub run.",
        )
    )
    return EXIT_OK


def _switch(home: HubHome, url: str, *, as_json: bool) -> int:
    engine = store_move.engine_of(url)
    if not store_move.is_ready(engine):
        raise BadSetting(
            Text(zh="该数据库尚未迁移并核对完毕。", en="that database is not moved and verified yet"),
            Text(
                zh="请先运行 danglian-hub migrate-store --to 地址。",
                en="Run danglian-hub migrate-store --to URL first.",
            ),
        )
    from_environment = bool(store.url_of_environment())
    aside = moving.switch(home, "" if from_environment else url, lambda: store_move.end(engine))
    report = SwitchReport(to=store.shown(url), aside=str(aside))
    if as_json:
        say_json(report)
        return EXIT_OK
    say(
        Text(
            zh=f"已切换到 {report.to}；旧文件在 {report.aside}。下一步：danglian-hub run。",
            en=f"The hub uses {report.to} from now on; the old file is in {report.aside}. Next: danglian-hub run.",
        )
    )
    if from_environment:
        say(
            Text(
                zh=f"请确保 danglian-hub run 也有环境变量 {store.URL_VARIABLE}。",
                en=f"See that danglian-hub run has ${store.URL_VARIABLE} too.",
            )
        )
    return EXIT_OK


def _abandon(home: HubHome, *, as_json: bool) -> int:
    was_under_way = moving.read_marker(home) is not None
    if was_under_way and not home.database.exists():
        raise BadSetting(
            Text(zh="切换已经开始，不能放弃。", en="the switch has begun and cannot be given up"),
            Text(zh="请再运行一次 --switch。", en="Run --switch once more."),
        )
    home.moving.unlink(missing_ok=True)
    if as_json:
        say_json({"abandoned": was_under_way})
        return EXIT_OK
    say(
        Text(
            zh="已放弃迁移，继续使用 hub.db；目标数据库可以删除（dropdb）。" if was_under_way else "没有进行中的迁移。",
            en="Given up: hub.db stays in use; the other database may be dropped (dropdb)."
            if was_under_way
            else "No move is under way.",
        )
    )
    return EXIT_OK
