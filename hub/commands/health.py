"""``danglian-hub health``: says in plain words whether the hub does its work; exit code 0 if so, 1 if not."""

import argparse
import asyncio

from hub import config
from hub.alarm.health import STANDINGS, Health, look
from hub.backup.backup_settings import BackupSettings
from hub.commands.listing import check_database, show_table
from hub.home import HubHome, add_home_option, home_at
from hub.storage import store
from protocol.wording import Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json, worded
from replication.wall_clock import clock_ms

_HELP = "县级枢纽是否正常工作 / whether the hub does its work"
_DESCRIPTION = """查看县级枢纽是否在运行、是否连着消息服务器、是否在处理新到内容、磁盘和索引是否正常，
有多少告警和隔离内容，备份与恢复演练是否逾期。正常或仅需留意时退出码为 0，有故障时为 1，可供监控程序调用。
站点失联算“需留意”，不算县级枢纽故障。
本命令读的是枢纽最近一次自报（每 15 秒一次），并写明多久以前：超过 40 秒为“需留意”，超过 90 秒为“故障”。
控制台端口的 /health 由运行中的枢纽自己答复，程序一停即无人应答。

Whether the hub runs, reaches the broker and applies what arrives, how its disk and index are, and how many alarms and
quarantined things there are, and whether backups and restore drills are overdue. The exit code is 0 unless something is
bad, so that a monitor can call it. A silent site asks for attention; it does not make the hub bad.
This command reads what the hub last said of itself (every 15 s) and tells how old that is: beyond 40 s it asks for
attention, beyond 90 s it is bad. /health at the console's port is answered by the running hub itself, by nobody else.
"""

_HEADERS = (Text(zh="项目", en="check"), Text(zh="状态", en="state"), Text(zh="说明", en="what it says"))

_NAMES = {
    "running": Text(zh="运行", en="running"),
    "broker": Text(zh="消息服务器", en="broker"),
    "workers": Text(zh="工作进程", en="workers"),
    "applying": Text(zh="处理", en="applying"),
    "disk": Text(zh="磁盘", en="disk"),
    "index": Text(zh="索引", en="index"),
    "alarms": Text(zh="告警", en="alarms"),
    "quarantine": Text(zh="隔离", en="quarantine"),
    "backups": Text(zh="备份", en="backups"),
}


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "health", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print how the hub is, and return 1 if it is bad."""
    home = home_at(args.home)
    settings = config.load(home.settings)
    check_database(home)
    health = asyncio.run(read(home, settings.backup))
    if args.json:
        say_json(health)
    else:
        rows = [(worded(_NAMES[one.name]), worded(STANDINGS[one.standing]), worded(one.words)) for one in health.checks]
        show_table(_HEADERS, rows)
        said = STANDINGS[health.standing]
        say(Text(zh=f"总体：{said.zh}", en=f"overall: {said.en}"))
    return EXIT_PROBLEM if health.is_bad else EXIT_OK


async def read(home: HubHome, backups: BackupSettings) -> Health:
    """Read the hub's health from its home, whether it runs or not."""
    async with store.opened(home, read_only=True) as database:
        return await look(database, home, backups, clock_ms())
