"""What commands with several actions share: an action's parser, and a step in the store of a home."""

import argparse
import asyncio
import getpass
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from hub.home import HubHome, add_home_option
from hub.staff.administration import Actor
from hub.storage import store
from replication.command_line import Parsers

T = TypeVar("T")


def add_action(
    actions: Parsers, name: str, words: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """Add an action that works on a home and can answer in JSON."""
    parser = actions.add_parser(name, help=words, description=words)
    add_home_option(parser)
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)
    return parser


def operator() -> Actor:
    """Return who acts at the command line: the account of the machine."""
    return Actor(who=f"cli:{getpass.getuser()}")


def seen(home: HubHome, step: Callable[[Connection], T]) -> T:
    """Read something of a home's store at one moment, and change nothing."""

    async def read() -> T:
        async with store.opened(home, read_only=True) as database:
            return await database.read(step)

    return asyncio.run(read())


def written(home: HubHome, step: Callable[[Connection], T]) -> T:
    """Do something in one transaction of a home's store."""

    async def write() -> T:
        async with store.opened(home) as database:
            return await database.write(step)

    return asyncio.run(write())
