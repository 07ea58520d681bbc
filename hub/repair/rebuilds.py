"""Rebuilds: which sites' entries are being fetched anew, how many are expected, and how many are here."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, func, select, update

from hub.tables import entry

metadata = MetaData()

rebuild = Table(
    "rebuild",
    metadata,
    Column("site", Text, primary_key=True),
    Column("expected", BigInteger, nullable=False),
    Column("began_at_ms", BigInteger, nullable=False),
    Column("done_at_ms", BigInteger),
)


class Rebuild(msgspec.Struct, frozen=True, kw_only=True):
    """One site's part of a rebuild."""

    site: str
    expected: int
    """Records that the catalogue of before held of it."""
    held: int = 0
    """Records that are here now."""
    began_at_ms: int
    done_at_ms: int | None = None
    """When both ends were found equal; None while the site is being rebuilt."""


_BEGIN = (
    "INSERT INTO rebuild (site, expected, began_at_ms, done_at_ms) VALUES (?, ?, ?, ?) ON CONFLICT (site) DO UPDATE"
    " SET expected = excluded.expected, began_at_ms = excluded.began_at_ms, done_at_ms = excluded.done_at_ms"
)


def begin(connection: Connection, expected: Mapping[str, int], now_ms: int) -> None:
    """Note that these sites are being rebuilt from now on, with the numbers of records that they had."""
    rows = [(site, count, now_ms, None) for site, count in sorted(expected.items())]
    if rows:
        connection.exec_driver_sql(_BEGIN, rows)


def finish(connection: Connection, site: str, now_ms: int) -> None:
    """Note that a site is whole again, if it was being rebuilt."""
    connection.execute(
        update(rebuild).where(rebuild.c.site == site, rebuild.c.done_at_ms.is_(None)).values(done_at_ms=now_ms)
    )


def pending(connection: Connection) -> dict[str, int]:
    """Return the sites that are being rebuilt, and since when, in milliseconds since 1970."""
    rows = connection.execute(select(rebuild.c.site, rebuild.c.began_at_ms).where(rebuild.c.done_at_ms.is_(None)))
    return {row.site: row.began_at_ms for row in rows}


def progress(connection: Connection) -> list[Rebuild]:
    """Return how far every site of the latest rebuild is, in the order of their codes."""
    held = select(func.count()).where(entry.c.site == rebuild.c.site, entry.c.body.is_not(None)).scalar_subquery()
    rows = connection.execute(select(rebuild, held.label("held")).order_by(rebuild.c.site))
    return [msgspec.convert(row, Rebuild, from_attributes=True) for row in rows]
