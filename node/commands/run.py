"""``danglian-node run``: the daemon."""

import argparse

from node.daemon import serve
from node.home import add_home_option, home_of
from replication.command_line import Parsers
from replication.lifetime import run_until_stopped

_HELP = "启动本站节点 · run the node"
_DESCRIPTION = """启动本站节点：监视目录文件夹、上报、答复查询；断网照常工作。按 Ctrl-C 或收到停止信号后有序退出。

Run the node: it watches the folders, publishes and answers; it works offline too. It ends in order at Ctrl-C or a stop
signal.
"""


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser("run", help=_HELP, description=_DESCRIPTION)
    add_home_option(parser)
    parser.set_defaults(run=run, log_level="info")


def run(args: argparse.Namespace) -> int:
    """Run until stopped."""
    return run_until_stopped(serve(home_of(args)))
