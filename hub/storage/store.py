"""Where a hub keeps its catalogue: in ``hub.db`` in its home, or on PostgreSQL if an address of one is set.

Whoever opens the store of a home does it here and does not know which it is.
"""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import unquote

from hub import config
from hub.config import HubConfig
from hub.home import SCHEMA, HubHome
from hub.storage import moving, postgres
from protocol.errors import BadSetting
from protocol.wording import Text
from replication import database as sqlite
from replication.database import READER_CACHE_KIB, Database
from replication.migrations import REPLICATION

URL_VARIABLE: Final = "DANGLIAN_DATABASE_URL"
"""Outranks ``[database] url``: for whoever does not want the password in a file."""

MIGRATIONS: Final = (REPLICATION, SCHEMA)
"""The schema of a hub's store."""

_PASSWORD = re.compile(r"(://[^/@:]*):[^@/]*@|(password=)[^\s&]+")


def url_of(settings: HubConfig) -> str:
    """Return the address of the hub's PostgreSQL, or nothing if it has a file.

    Raises:
        BadSetting: the address of the environment is none.

    """
    return url_of_environment() or settings.database.url


def url_of_environment() -> str:
    """Return the address that the environment names, or nothing.

    Raises:
        BadSetting: it is no address.

    """
    return checked(os.environ.get(URL_VARIABLE, ""))


def checked(url: str) -> str:
    """Return an address, or nothing, as it is.

    Raises:
        BadSetting: it is no address.

    """
    if url and not config.is_database_url(url):
        example = config.EXAMPLES["database.url"]
        raise BadSetting(
            # The address itself is not repeated: it may hold a password.
            Text(zh="给出的不是 PostgreSQL 地址。", en="that is no address of PostgreSQL"),
            Text(zh=f"例如：{example}；{config.ESCAPED.zh}。", en=f"For example: {example}; {config.ESCAPED.en}."),
        )
    return url


def shown(url: str) -> str:
    """Return an address as it may be shown: without its password; of one that is none, nothing."""
    if not config.is_database_url(url):
        return "…"
    return _PASSWORD.sub(lambda found: f"{found[1]}@" if found[1] is not None else f"{found[2]}***", url)


def name_in(url: str) -> str:
    """Return the name of the database that an address leads to; empty if it does not say."""
    return unquote(re.sub(r"^[a-z]+://[^/]*/?", "", url).partition("?")[0])


def is_there(home: HubHome) -> bool:
    """Tell whether there is a store to look into; on PostgreSQL only opening it tells."""
    return bool(url_of(config.load(home.settings))) or home.database.exists()


@asynccontextmanager
async def opened(
    home: HubHome,
    *,
    readers: int = 1,
    reader_cache_kib: int = READER_CACHE_KIB,
    read_only: bool = False,
    idle_ms: int = postgres.IDLE_MS,
) -> AsyncIterator[Database]:
    """Open the store of a home, bring its schema up to date, and close it at the end.

    Args:
        home: with its settings in place.
        readers: how many reading connections, and so threads, to keep.
        reader_cache_kib: page cache of each reading connection of a file.
        read_only: for commands that look into the store of a running daemon; nothing is migrated.
        idle_ms: how long a transaction on a server may rest between two statements.

    Raises:
        BadSetting: a setting is wrong, or the store is being moved.
        Retryable: the server is away.
        BrokenStore: the store is damaged, or newer than this program.

    """
    url = url_of(config.load(home.settings))
    if url:
        made = postgres.opened(url, home.root, MIGRATIONS, readers=readers, read_only=read_only, idle_ms=idle_ms)
        async with made as database:
            await moving.check_arrived(database)
            yield database
        return
    if not read_only:
        moving.check_not_leaving(home)
    async with sqlite.opened(
        home.database, MIGRATIONS, readers=readers, reader_cache_kib=reader_cache_kib, read_only=read_only
    ) as file:
        yield file


@asynccontextmanager
async def beats_opened(home: HubHome) -> AsyncIterator[Database]:
    """Open the workers' way to their leases in the store of a home: a connection of its own, which no long step keeps.

    Raises:
        BadSetting: the store is a file, which one hub alone keeps.
        Retryable: the server is away.

    """
    url = url_of(config.load(home.settings))
    if not url:
        raise BadSetting(
            Text(
                zh="workers.parts 大于 1 时目录须存于 PostgreSQL。",
                en="several workers need a store on PostgreSQL: workers.parts is above 1 and no database is set",
            ),
            Text(zh=f"例如：{config.EXAMPLES['database.url']}", en=f"For example: {config.EXAMPLES['database.url']}"),
        )
    made = postgres.opened(url, home.root, (), lock=postgres.BEATS_LOCK, idle_ms=postgres.SHARED_IDLE_MS)
    async with made as database:
        yield database
