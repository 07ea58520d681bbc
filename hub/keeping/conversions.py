"""Volumes that are re-described item by item 卷转件: how far every site has come, against what was planned for a year.

A volume counts as converted when an item of its site lies in it. Its entry stays; ``hub.volumes`` shows the way from a
volume to its items and back.
"""

import msgspec
from sqlalchemy import Connection, Row, Select, distinct, func, select

from hub import audit
from hub.audit import Action, AuditEntry
from hub.staff.administration import Actor
from hub.tables import entry
from hub.transfers.plan_tables import conversion_plan
from protocol.errors import BadValue
from protocol.sites import parse_site
from protocol.vocabularies import Level
from protocol.wording import Count, Text
from replication.dialects import upsert


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """How far one site has come."""

    site: str
    volumes: int = 0
    converted: int = 0
    """Volumes in which items lie."""
    items: int = 0
    """Items that lie in volumes."""
    planned: int = 0
    """Volumes that are to be converted this year."""
    done: int = 0
    """Volumes converted since that was planned."""

    @property
    def to_convert(self) -> int:
        """Volumes that nobody has divided yet."""
        return max(0, self.volumes - self.converted)

    @property
    def share(self) -> float:
        """Share of the year's plan that is done, 0 to 1; of a site without a plan, of all volumes."""
        done, whole = (self.done, self.planned) if self.planned else (self.converted, self.volumes)
        return min(1.0, done / whole) if whole else 1.0


def volumes_statement() -> Select[str, int]:
    """Volumes by site."""
    is_volume = entry.c.level == Level.VOLUME.value
    return select(entry.c.site, func.count()).where(is_volume, entry.c.body.is_not(None)).group_by(entry.c.site)


def inside_statement() -> Select[str, int, int]:
    """Volumes in which items lie, and these items, by site."""
    return (
        select(entry.c.site, func.count(distinct(entry.c.parent_id)), func.count())
        .where(
            entry.c.parent_id.is_not(None),
            entry.c.level == Level.ITEM.value,
            entry.c.body.is_not(None),
        )
        .group_by(entry.c.site)
    )


def conversions(connection: Connection, plan_year: int, *, site: str = "") -> list[Conversion]:
    """Return how far the sites have come that have volumes, or a plan."""
    found: dict[str, Conversion] = {}
    change = msgspec.structs.replace

    def of(code: str) -> Conversion:
        return found.get(code, Conversion(site=code))

    for code, count in connection.execute(volumes_statement()):
        found[code] = change(of(code), volumes=count)
    for code, converted, items in connection.execute(inside_statement()):
        found[code] = change(of(code), converted=converted, items=items)
    for row in _plans(connection, plan_year):
        known = of(row.site)
        found[row.site] = change(known, planned=row.volumes, done=max(0, known.converted - row.converted_before))
    return [found[code] for code in sorted(found) if not site or code == site]


def _plans(connection: Connection, plan_year: int) -> list[Row[*tuple[object, ...]]]:
    return list(connection.execute(select(conversion_plan).where(conversion_plan.c.plan_year == plan_year)))


def plan(connection: Connection, actor: Actor, plan_year: int, site: str, volumes: int, now_ms: int) -> Conversion:
    """Plan how many volumes of a site are to be converted in a year; planned again, what was done before stays done.

    Raises:
        BadValue: not a site, or more volumes than it has left.

    """
    code = parse_site(site).code
    now = next(iter(conversions(connection, plan_year, site=code)), Conversion(site=code))
    if not 0 < volumes <= now.to_convert + now.done:
        raise BadValue(
            Text(
                zh=f"{code} 尚有 {now.to_convert} 卷可转。",
                en=f"{code} has {Count(now.to_convert):volume|volumes} left",
            ),
            Text(zh="请写不超过该数的卷数。", en="Plan no more than that."),
        )
    values = {
        "plan_year": plan_year,
        "site": code,
        "volumes": volumes,
        "converted_before": now.converted - now.done,
        "made_by": actor.who,
        "made_at_ms": now_ms,
    }
    statement = upsert(conversion_plan).values(**values)
    keys = [conversion_plan.c.plan_year, conversion_plan.c.site]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))
    line = AuditEntry(
        who=actor.who,
        origin=actor.origin,
        action=Action.PLAN_CHANGED,
        object=code,
        detail=f"{plan_year}: {volumes} volumes to be described item by item",
    )
    audit.append(connection, line, now_ms)
    return next(iter(conversions(connection, plan_year, site=code)))
