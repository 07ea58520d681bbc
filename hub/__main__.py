"""``danglian-hub``: the commands of the county's installation."""

import argparse
import sys
from collections.abc import Sequence

from hub.commands import (
    alarms,
    audit,
    backup,
    bundle,
    certificate,
    disposal,
    disputes,
    enrol,
    gazetteer,
    health,
    holdings,
    init,
    letters,
    lookup,
    migrate_store,
    nodes,
    quarantine,
    rebuild,
    record,
    request,
    restore,
    revoke,
    rules,
    run,
    search,
    sites,
    statement,
    synonyms,
    token,
    transfer,
    user,
    verify,
    volumes,
)
from replication.command_line import Parser, run_command

COMMANDS = (
    *(init, run, enrol, nodes, revoke, sites, search, record),
    *(verify, rebuild, bundle, alarms, health, quarantine, backup, restore, migrate_store, holdings),
    *(gazetteer, synonyms, user, token, audit, letters),
    *(request, lookup, statement, certificate, rules, disputes, disposal, transfer, volumes),
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    made = Parser(
        prog="danglian-hub",
        description="档联县级枢纽：统一目录、登记、查询、核对 · the county's hub of Danglian",
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
