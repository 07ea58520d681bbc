"""Audit logs that contradict what the other end kept of them: an alarm of the site, or of the county, and its settling.

A contradiction is a fact that stays listed for ever. What ends is the alarm: when somebody has looked into it and says
what it was (a database put back from a backup, a changed line), with the audit log as witness. What is found later
raises it again.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, select

from hub import audit
from hub.alarm.alarms import AlarmKind, Cause, Finding
from hub.audit import Action, AuditEntry
from hub.staff.administration import Actor
from hub.window import audit_heads
from hub.window.lookup_tables import audit_settled
from protocol.errors import BadValue
from protocol.identity_numbers import mask_identity_numbers
from protocol.wording import Count, Text
from replication.dialects import upsert

REASON_CHARS_MAX: Final = 500
"""Characters of what was found out."""

SITES_NAMED_MAX: Final = 5
"""Sites that are named in the county's own alarm."""


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about the contradictions of a site, until a moment."""

    site: str
    until_ms: int
    because: str
    settled_by: str


def settled(connection: Connection) -> dict[str, Settled]:
    """Return what was found out, by site."""
    rows = connection.execute(select(audit_settled))
    return {row.site: msgspec.convert(row, Settled, from_attributes=True) for row in rows}


def settle(connection: Connection, actor: Actor, county: str, site: str, because: str, now_ms: int) -> None:
    """Write down what was found out about the contradictions of a site, or of the county's own log.

    Raises:
        BadValue: there is none that is not settled, or no reason is given.

    """
    because = mask_identity_numbers(because.strip())[0][:REASON_CHARS_MAX]
    if not because:
        raise BadValue(
            Text(zh="没有写明查明的情况。", en="what was found out is not said"),
            Text(
                zh="请用 --because 写明，例如“该站恢复过旧备份”。",
                en='Say it with --because, such as "a backup was put back".',
            ),
        )
    if not any(one.site == site for one in findings(connection, county)):
        raise BadValue(
            Text(
                zh=f"{site} 没有待查明的审计日志矛盾。", en=f"there is no open contradiction of an audit log of {site}"
            ),
            Text(zh="用 danglian-hub audit verify 查看。", en="See danglian-hub audit verify."),
        )
    values = {"until_ms": now_ms, "because": because, "settled_by": actor.who}
    noted = upsert(audit_settled).values(site=site, **values)
    connection.execute(noted.on_conflict_do_update(index_elements=[audit_settled.c.site], set_=values))
    entry = AuditEntry(who=actor.who, action=Action.AUDIT_SETTLED, object=site, origin=actor.origin, detail=because)
    audit.append(connection, entry, now_ms)


def findings(connection: Connection, county: str) -> list[Finding]:
    """Return what is wrong with audit logs now: of each site whose log changed, and of the county's own."""
    known = settled(connection)

    def is_open(site: str, found_at_ms: int) -> bool:
        return site not in known or found_at_ms > known[site].until_ms

    of_sites: dict[str, list[int]] = {}
    for one in audit_heads.contradictions(connection):
        if is_open(one.site, one.found_at_ms):
            of_sites.setdefault(one.site, []).append(one.seq)
    doubted = [one for one in audit_heads.doubts(connection) if is_open(county, one.found_at_ms)]
    found = [
        Finding(site=site, kind=AlarmKind.AUDIT_LOG, cause=Cause.AUDIT_AT_SITE, evidence=(_of_site(site, places),))
        for site, places in of_sites.items()
    ]
    if doubted:
        told = _of_county(min(one.seq for one in doubted), sorted({one.site for one in doubted}))
        found.append(Finding(site=county, kind=AlarmKind.AUDIT_LOG, cause=Cause.AUDIT_AT_COUNTY, evidence=(told,)))
    return found


def _of_site(site: str, places: Sequence[int]) -> Text:
    return Text(
        zh=f"站点 {site} 的审计日志自第 {min(places)} 条起与县级保存的不符（{len(places)} 处）",
        en=f"the audit log of {site} is not what the county kept of it, from line {min(places)}"
        f" ({Count(len(places)):place|places})",
    )


def _of_county(first: int, sites: Sequence[str]) -> Text:
    named = sites[:SITES_NAMED_MAX]
    more = len(sites) - len(named)
    return Text(
        zh=f"县级审计日志自第 {first} 条起与站点保存的不符：{'、'.join(named)}"
        + (f" 等 {len(sites)} 站" if more else ""),
        en=f"the county's audit log is not what sites were told, from line {first}: {', '.join(named)}"
        + (f" and {more} more" if more else ""),
    )
