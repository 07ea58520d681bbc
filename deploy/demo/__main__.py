"""`danglian-demo`: a whole county on this machine, from dropped spreadsheets to a federated answer."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from deploy.demo.catalogues import DEFAULT_SEED
from deploy.demo.county import SITES_MAX
from deploy.demo.foundation import Options
from deploy.demo.running import Demonstration
from protocol.errors import BadSetting
from protocol.wording import Text
from replication.command_line import Parser, language, run_command
from replication.lifetime import run_until_stopped
from replication.logs import configure_logs

ROWS_PER_SITE = 100
"""Rows of each site unless told otherwise: a county of 232 sites then settles within a minute on two cores."""

LOG_VARIABLE = "DANGLIAN_LOG"

PATIENCE_S = 600.0
"""Seconds from the start of the nodes after which the demonstration gives up waiting for them."""

STOP_DEADLINE_S = 120.0
"""Seconds that closing may take: some hundred nodes end one after another, and their folder is removed."""

_DESCRIPTION = """在本机上演示一个县：真实的消息服务器、县级枢纽和节点程序，虚构的目录（站点名称与代码为公开信息）。

A whole county on this machine: the real broker, hub and nodes, with catalogues that are made up (the names and codes of
the sites are public facts).
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = Parser(prog="danglian-demo", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("--sites", type=int, default=SITES_MAX, metavar="N", help=f"站点数，最多 {SITES_MAX} · sites")
    add("--processes", type=int, default=os.cpu_count() or 1, metavar="N", help="运行节点的进程数 · node processes")
    add("--rows-per-site", type=int, default=ROWS_PER_SITE, metavar="N", help="每站条目数 · rows of each site")
    add("--seed", type=int, default=DEFAULT_SEED, metavar="N", help="虚构目录的种子 · seed of the made-up catalogues")
    add("--data", type=Path, metavar="DIR", help="改用此目录中的文件：一个文件一个站点 · one file of DIR, one site")
    add("--home", type=Path, metavar="DIR", help="演示目录，结束后保留（默认用临时目录）· folder to use and to keep")
    add("--exit-when-settled", action="store_true", help="全部一致后退出，码 0 · exit 0 once all digests are equal")
    add("--report", type=Path, metavar="FILE", help="把结果写成 JSON · write the outcome as JSON")
    add("--no-live", action="store_true", help="小结中不作实时检索 · no live search in the summary")
    add("--uneventful", action="store_true", help="只有目录，不办任何事 · catalogues only, nothing happens")
    add("--patience", type=float, default=PATIENCE_S, metavar="S", help="最多等待的秒数 · seconds to wait at most")
    made.set_defaults(run=run)
    return made


def run(args: argparse.Namespace) -> int:
    """Run a demonstration.

    Raises:
        BadSetting: a number is out of bounds, or an option names nothing.
        LinkDown: one of the processes did not start, or ended.

    """
    if args.processes < 1 or args.rows_per_site < 1 or args.patience <= 0:
        raise BadSetting(
            Text(zh="进程数、每站条目数和等待秒数都应大于零。", en="processes, rows and patience must be above zero"),
            Text(zh="例如：--processes 2 --rows-per-site 100", en="For example: --processes 2 --rows-per-site 100"),
        )
    options = Options(
        sites=args.sites,
        processes=min(args.processes, args.sites),
        rows_per_site=args.rows_per_site,
        seed=args.seed,
        data=args.data,
        home=args.home,
        exit_when_settled=args.exit_when_settled,
        report=args.report,
        live=not args.no_live,
        patience_s=args.patience,
        eventful=not args.uneventful,
    )
    # The bars have the terminal; the children log beside their homes.
    configure_logs(level=os.environ.get(LOG_VARIABLE, "error"))
    demonstration = Demonstration(options, Console(), language())
    run_until_stopped(demonstration.run(), STOP_DEADLINE_S)
    return demonstration.exit_code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), arguments)


if __name__ == "__main__":
    sys.exit(main())
