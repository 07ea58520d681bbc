"""Renewal: an empty catalogue takes the place of the present one, which is set aside and never deleted.

The new file is made beside the old one, with everything that the nodes cannot tell again: the keyring, the decisions of
people, what was healed and what is in quarantine. Then it takes the old one's name in a single step. A kill at any
moment leaves either the old catalogue or the new one in place; doing it again then goes on.

A catalogue that is damaged beyond reading gives nothing. Then the keyring is read from the broker's list of users,
which names every key with its site.
"""

import contextlib
import json
import os
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from hub.home import SCHEMA, HubHome
from hub.membership import keyring
from hub.membership.keyring_tables import enrolled_node
from hub.repair import rebuilds
from hub.sites.board import gathered
from hub.storage import postgres_renewal, store
from hub.storage.told_again import TOLD_AGAIN
from protocol.county_time import day_of, stamp
from protocol.errors import BadValue, BrokenStore
from protocol.sites import site_from_tokens
from replication.database import opened
from replication.migrations import REPLICATION
from replication.packages.bag_writing import sync_folder
from replication.wall_clock import clock_ms

_USER = re.compile(r'nkey:\s*(U[A-Z2-7]{55}).*?"dl\.evt\.([^"]+)"')


class Renewed(msgspec.Struct, frozen=True, kw_only=True):
    """What a renewal did."""

    aside: str
    """Where the catalogue of before is now: a file, or a schema on PostgreSQL; empty if there was none."""
    sites: int
    expected: int
    """Records that the catalogue of before held."""
    keyring_from: str
    """``catalogue`` or ``broker``: where the keyring was read."""


class _Former(msgspec.Struct, frozen=True, kw_only=True):
    expected: Mapping[str, int]
    is_readable: bool


async def renew(home: HubHome, now_ms: int) -> Renewed:
    """Put an empty catalogue in place; the home is claimed by the caller, and no daemon runs on it.

    Raises:
        StorageFull: the disk has no room; the old catalogue is in place as before.
        OSError: a file cannot be made or moved.

    """
    fresh = home.database.with_name(f"{home.database.name}.rebuilding")
    for leftover in (fresh, *_logs(fresh)):
        leftover.unlink(missing_ok=True)
    former = await _former(home)
    async with opened(fresh, [REPLICATION, SCHEMA]):
        pass
    if former.is_readable:
        _carry_over(home.database, fresh)
    async with opened(fresh, [REPLICATION, SCHEMA]) as database:
        if not former.is_readable:
            await database.write(lambda connection: _keyring_of_broker(connection, home, now_ms))
        named = await database.read(lambda connection: {one.site: 0 for one in keyring.nodes(connection)})
        expected = {**named, **former.expected}
        await database.write(lambda connection: rebuilds.begin(connection, expected, now_ms))
    aside = _exchange(home, fresh)
    return Renewed(
        aside=str(aside) if aside is not None else "",
        sites=len(expected),
        expected=sum(expected.values()),
        keyring_from="catalogue" if former.is_readable else "broker",
    )


async def renew_on_postgres(home: HubHome, now_ms: int) -> Renewed:
    """Put an empty catalogue in place on PostgreSQL, as ``renew`` does in the home.

    Raises:
        Retryable: the server is away; the old catalogue is in place as before.
        BrokenStore: the old catalogue cannot be read.

    """
    async with store.opened(home) as database:
        aside, expected = await database.write(lambda connection: postgres_renewal.renewed(connection, now_ms))
    return Renewed(aside=aside, sites=len(expected), expected=sum(expected.values()), keyring_from="catalogue")


async def _former(home: HubHome) -> _Former:
    """Read what the present catalogue holds of whom; this also folds its log into the file."""
    if not home.database.exists():
        return _Former(expected={}, is_readable=False)
    try:
        async with opened(home.database, [REPLICATION, SCHEMA]) as database:
            facts = await database.read(gathered)
    except BrokenStore:
        return _Former(expected={}, is_readable=False)
    counts = {one.site: one.hub_records or 0 for one in facts if one.enrolled_nodes or one.hub_records}
    return _Former(expected=counts, is_readable=True)


def _carry_over(old: Path, fresh: Path) -> None:
    """Copy what the nodes cannot tell again: every table that is not named in ``TOLD_AGAIN``."""
    with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
        connection.execute("ATTACH DATABASE ? AS old", (f"{old}",))
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("BEGIN IMMEDIATE")
        for (table,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
            if table in TOLD_AGAIN or table.startswith(("search_", "sqlite_")):
                continue
            here, there = (_columns(connection, schema, table) for schema in ("main", "old"))
            shared = ", ".join(f'"{name}"' for name in here if name in there)
            if shared:
                # The names are those of our own schema.
                copied = f'({shared}) SELECT {shared} FROM old."{table}"'  # noqa: S608
                connection.execute(f'INSERT OR REPLACE INTO main."{table}" {copied}')
        for table, chosen in (("repair", "healed_at_ms IS NOT NULL"), ("repair_record", _OF_HEALED)):
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM old.{table} WHERE {chosen}")  # noqa: S608
        connection.execute("COMMIT")


_OF_HEALED = "repair_id IN (SELECT id FROM old.repair WHERE healed_at_ms IS NOT NULL)"


def _columns(connection: sqlite3.Connection, schema: str, table: str) -> list[str]:
    return [name for _, name, *_ in connection.execute(f'PRAGMA {schema}.table_info("{table}")')]


def _keyring_of_broker(connection: Connection, home: HubHome, now_ms: int) -> None:
    """Read the keyring from the broker's list of users, for want of a better source."""
    today = day_of(now_ms)
    text = home.broker_users.read_text(encoding="ascii") if home.broker_users.exists() else ""
    for line in text.splitlines():
        found = _USER.search(line)
        if found is None:
            continue
        try:
            site = site_from_tokens(json.loads(f'"{found[2]}"').split("."))
        except BadValue:
            continue
        keyring.expect(connection, site, "", today)
        connection.execute(
            enrolled_node.insert()
            .prefix_with("OR IGNORE")
            .values(public_key=found[1], site=site.code, name="", software="", enrolled_at_ms=now_ms)
        )


def _exchange(home: HubHome, fresh: Path) -> Path | None:
    """Give the old file its second name, and the new file the old one's first."""
    aside: Path | None = None
    if home.database.exists():
        folder = home.root / "aside"
        folder.mkdir(exist_ok=True)
        aside = folder / f"hub-{stamp(clock_ms())}.db"
        for log in _logs(home.database):
            # Only a damaged file still has its log; it must never meet the new one.
            if log.exists():
                log.replace(folder / f"{aside.name}{log.name.removeprefix(home.database.name)}")
        os.link(home.database, aside)
    fresh.replace(home.database)
    with contextlib.suppress(OSError):
        sync_folder(home.root)
    return aside


def _logs(database: Path) -> tuple[Path, Path]:
    return (database.with_name(f"{database.name}-wal"), database.with_name(f"{database.name}-shm"))
