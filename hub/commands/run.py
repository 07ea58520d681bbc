"""``danglian-hub run``: the daemon."""

import argparse

from hub.daemon import serve
from hub.home import add_home_option, home_at
from replication.command_line import Parsers
from replication.lifetime import run_until_stopped

_HELP = "启动县级枢纽 · run the hub"
_DESCRIPTION = """启动县级枢纽：消息服务器、登记窗口、统一目录。按 Ctrl-C 或收到停止信号后有序退出。

Run the hub: broker, enrolment door, unified catalogue. It ends in order at Ctrl-C or a stop signal.
"""


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser("run", help=_HELP, description=_DESCRIPTION)
    add_home_option(parser)
    parser.set_defaults(run=run, log_level="info")


def run(args: argparse.Namespace) -> int:
    """Run until stopped."""
    return run_until_stopped(serve(home_at(args.home)))
