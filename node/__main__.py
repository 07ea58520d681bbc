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
from protocol.wording import Text
from replication.command_line import CommandGroup, CommandLine, run_command

GROUPS = (
    CommandGroup(
        words=Text(zh="登记与运行", en="enrolling and running"), commands=(init, run, status, bundle, restore)
    ),
    CommandGroup(words=Text(zh="目录", en="the catalogue"), commands=(check, search, brake, proposals)),
    CommandGroup(words=Text(zh="县里的查档", en="what the county's window asks"), commands=(requests, audit)),
    CommandGroup(words=Text(zh="移交", en="transfers"), commands=(transfer, package)),
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    return CommandLine(
        GROUPS,
        prog="danglian-node",
        description="档联节点：读取本站目录表，上报县级枢纽，答复查询 · a site's node of Danglian",
        epilog="每条命令都有 --help；DANGLIAN_LANG=en 显示英文 · each command has --help; DANGLIAN_LANG=en for English",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    return run_command(parser(), arguments)


if __name__ == "__main__":
    sys.exit(main())
