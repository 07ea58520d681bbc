"""The county over the interface: its sites, alarms, what was set aside, decisions, and the audit log."""

from hub import audit
from hub.alarm import alarm_book
from hub.audit import Action, AuditEntry
from hub.decisions import apart_listing
from hub.sites.board import SiteState, matches
from hub.web.api.asked import Asked
from hub.web.api.cursors import next_cursor, place_in
from hub.web.api.shapes import (
    AlarmsAnswer,
    AlarmsAsked,
    AuditAnswer,
    AuditAsked,
    DecisionsAnswer,
    Nothing,
    Page,
    QuarantineAnswer,
    QuarantineLine,
    SitesAnswer,
    SitesAsked,
)
from hub.web.faults import Missing
from hub.web.forms import clean
from replication import quarantine


async def list_sites(asked: Asked[SitesAsked]) -> SitesAnswer:
    """Return every site with one honest word, and the figures behind it."""
    outlook = await asked.backstage.live.now()
    glob = clean(asked.parameters.site)
    return SitesAnswer(at_ms=outlook.at_ms, sites=[one for one in outlook.sites if matches(one.site, glob)])


async def read_site(asked: Asked[Nothing]) -> SiteState:
    """Return the state of one site."""
    outlook = await asked.backstage.live.now()
    for one in outlook.sites:
        if one.site == asked.name:
            return one
    raise Missing


async def list_alarms(asked: Asked[AlarmsAsked]) -> AlarmsAnswer:
    """Return alarms, open ones first."""
    given = asked.parameters
    found = await asked.backstage.database.read(
        lambda connection: alarm_book.listed(connection, with_closed=given.closed, limit=given.limit)
    )
    return AlarmsAnswer(alarms=found)


async def list_quarantine(asked: Asked[Page]) -> QuarantineAnswer:
    """Return what could not be applied, with the reason and what to do; the oldest first."""
    given = asked.parameters
    after = place_in("quarantine", "", given.cursor) or 0
    found = await asked.backstage.database.read(
        lambda connection: quarantine.oldest(connection, after, given.limit + 1)
    )
    shown = found[: given.limit]
    lines = [
        QuarantineLine(
            id=one.id,
            site=one.site,
            epoch=one.epoch,
            seq=one.seq,
            fault=one.fault,
            reason=one.reason,
            remedy=one.hint,
            content_bytes=len(one.content),
            quarantined_at_ms=one.quarantined_at_ms,
        )
        for one in shown
    ]
    return QuarantineAnswer(
        quarantined=lines, next=next_cursor("quarantine", "", shown[-1].id if len(found) > given.limit else None)
    )


async def list_decisions(asked: Asked[Page]) -> DecisionsAnswer:
    """Return decisions that two records which look alike are different things."""
    given = asked.parameters
    below = place_in("decisions", "", given.cursor)
    found = await asked.backstage.database.read(
        lambda connection: apart_listing.listed(connection, below=below, limit=given.limit + 1)
    )
    shown = found[: given.limit]
    last = shown[-1][0] if len(found) > given.limit else None
    return DecisionsAnswer(decisions=[one for _, one in shown], next=next_cursor("decisions", "", last))


async def list_audit(asked: Asked[AuditAsked]) -> AuditAnswer:
    """Return lines of the audit log; that they were read is in the log too."""
    given, backstage = asked.parameters, asked.backstage
    who, action = clean(given.who), clean(given.action)
    filters = f"{who}\n{action}"
    before = place_in("audit", filters, given.cursor)
    found = await backstage.database.read(
        lambda connection: audit.listed(connection, before_seq=before, who=who, action=action, limit=given.limit + 1)
    )
    if before is None:
        # Once for a look, not for each page of it.
        entry = AuditEntry(who=asked.bearer.who, action=Action.AUDIT_READ, origin=asked.bearer.origin)
        await backstage.database.write(lambda connection: audit.append(connection, entry, backstage.clock_ms()))
    lines = found[: given.limit]
    last = lines[-1].seq if len(found) > given.limit else None
    return AuditAnswer(lines=lines, next=next_cursor("audit", filters, last))
