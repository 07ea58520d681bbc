"""``danglian-node``: the commands of a site's installation."""

import argparse
import sys
from collections.abc import Sequence

from node.commands import (
    audit,
    brake,
    bundle,
    check,
    init,
    package,
    proposals,
    requests,
    restore,
    run,
    search,
    status,
    transfer,
)
from replication.command_line import Parser, run_command

COMMANDS = (
    *(init, run, check, status, search, brake),
    *(audit, proposals, requests, transfer, package, restore, bundle),
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    made = Parser(
        prog="danglian-node",
        description="档联节点：读取本站目录表，上报县级枢纽，答复查询 · a site's node of Danglian",
        epilog="每条命令都有 --help；DANGLIAN_LANG=en 显示英文 · each command has --help; DANGLIAN_LANG=en for English",
    )
    commands = made.add_subparsers(title="命令 · commands", metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    return run_command(parser(), arguments)


if __name__ == "__main__":
    sys.exit(main())
