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
from protocol.wording import Text
from replication.command_line import CommandGroup, CommandLine, run_command

GROUPS = (
    CommandGroup(words=Text(zh="建立与运行", en="setting up and running"), commands=(init, run, health)),
    CommandGroup(
        words=Text(zh="站点与登记", en="sites and enrolment"),
        commands=(enrol, nodes, revoke, sites, alarms, letters, bundle),
    ),
    CommandGroup(
        words=Text(zh="统一目录", en="the catalogue"), commands=(search, record, volumes, gazetteer, synonyms)
    ),
    CommandGroup(words=Text(zh="核对与修复", en="proving and mending"), commands=(verify, quarantine, rebuild)),
    CommandGroup(
        words=Text(zh="查档窗口", en="the window"),
        commands=(request, lookup, statement, certificate, rules, disputes, disposal),
    ),
    CommandGroup(words=Text(zh="移交与馆藏", en="transfers and holdings"), commands=(transfer, holdings)),
    CommandGroup(words=Text(zh="备份与存储", en="backups and storage"), commands=(backup, restore, migrate_store)),
    CommandGroup(words=Text(zh="账户、接口与审计", en="accounts, other systems, audit"), commands=(user, token, audit)),
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    return CommandLine(
        GROUPS,
        prog="danglian-hub",
        description="档联县级枢纽：统一目录、登记、查询、核对 · the county's hub of Danglian",
        epilog="每条命令都有 --help；DANGLIAN_LANG=en 显示英文 · each command has --help; DANGLIAN_LANG=en for English",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    return run_command(parser(), arguments)


if __name__ == "__main__":
    sys.exit(main())
