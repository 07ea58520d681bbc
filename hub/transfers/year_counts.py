"""Records by site, kind, year and access: what the receiving plan and the pictures of the holdings are made of.

Counting reads every entry of a site, so it is done behind the scenes whenever the site's copy has moved, with what is
counted for lookups (``hub.window.coverage``). A site that was not counted since is counted when it is asked for.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, insert, select

from hub.catalogue import SERIALS_A_YEAR
from hub.tables import site_epoch
from hub.transfers.plan_tables import site_year, site_year_mark
from protocol.vocabularies import Level
from replication.transfer_items import ItemState


class YearCount(msgspec.Struct, frozen=True, kw_only=True):
    """Records that are alike in what the plan and the pictures ask for."""

    site: str
    kind: str
    """Livelihood kind; empty for none."""
    year: int
    """0 for records that do not say."""
    access: str
    is_item: bool
    """Items and volumes, which change hands; not what they are ordered under."""
    is_moved: bool
    """They have changed hands."""
    records: int


_COUNT: Final = (
    f"SELECT livelihood_kind, docid / {SERIALS_A_YEAR}, access_status,"  # noqa: S608 - a constant
    " CASE WHEN level IN (?, ?) THEN 1 ELSE 0 END, CASE WHEN EXISTS (SELECT 1 FROM transfer_item"
    " WHERE transfer_item.record_id = entry.record_id AND transfer_item.state = ?) THEN 1 ELSE 0 END, count(*)"
    " FROM entry WHERE site = ? AND body IS NOT NULL GROUP BY 1, 2, 3, 4, 5"
)


def counted(connection: Connection, site: str) -> list[YearCount]:
    """Count the records of a site."""
    asked = (Level.ITEM.value, Level.VOLUME.value, ItemState.MOVED.value, site)
    return [
        YearCount(
            site=site,
            kind=kind,
            year=int(year),
            access=access,
            is_item=bool(is_item),
            is_moved=bool(is_moved),
            records=int(records),
        )
        for kind, year, access, is_item, is_moved, records in connection.exec_driver_sql(_COUNT, asked)
    ]


def keep(connection: Connection, site: str, counts: list[YearCount], now_ms: int) -> None:
    """Put what was counted in the place of what was counted before."""
    forget(connection, site)
    connection.execute(delete(site_year).where(site_year.c.site == site))
    rows = [msgspec.structs.asdict(one) | {"is_item": +one.is_item, "is_moved": +one.is_moved} for one in counts]
    if rows:
        connection.execute(insert(site_year), rows)
    connection.execute(insert(site_year_mark).values(site=site, counted_at_ms=now_ms))


def forget(connection: Connection, site: str) -> None:
    """Have a site counted again: something else than its copy has changed the counts."""
    connection.execute(delete(site_year_mark).where(site_year_mark.c.site == site))


def marked(connection: Connection) -> set[str]:
    """Return the sites whose counts are held."""
    return {row.site for row in connection.execute(select(site_year_mark.c.site))}


def sites(connection: Connection) -> list[str]:
    """Return every site that has ever told something."""
    return [row.site for row in connection.execute(select(site_epoch.c.site).distinct().order_by(site_epoch.c.site))]


def known(connection: Connection, asked: Collection[str]) -> Iterator[YearCount]:
    """Return the counts of some sites; those of a site that has none held are counted now."""
    held = marked(connection)
    counts = defaultdict[str, list[YearCount]](list)
    for row in connection.execute(select(site_year).where(site_year.c.site.in_([one for one in asked if one in held]))):
        counts[row.site].append(
            YearCount(
                site=row.site,
                kind=row.kind,
                year=row.year,
                access=row.access,
                is_item=bool(row.is_item),
                is_moved=bool(row.is_moved),
                records=row.records,
            )
        )
    for site in asked:
        yield from counts[site] if site in held else counted(connection, site)
