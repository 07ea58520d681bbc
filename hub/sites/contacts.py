"""When each site could be heard: a row for each turn, so that a person sees a site's habits and not only its last sign.

The lookout notes the turns. While the hub itself hears nobody it says just that: nobody is called silent for it.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from hub.alarm.alarm_tables import hub_report
from hub.sites.board import Facts, is_by_courier, is_offline
from hub.sites.contact_tables import site_contact
from protocol.limits import OFFLINE_AFTER_S
from protocol.wording import Text

TURNS_KEPT_MAX = 200
"""Turns that are kept of a site: a month of a PC that is switched on and off, and loses its line twice a day."""

UNWATCHED_MS = 60_000
"""Milliseconds between two looks from which on the hub was not looking."""


class Contact(StrEnum):
    """How a site stood to the hub from a moment on."""

    HEARD = "heard"
    CLOSED = "closed"
    """Its program said goodbye."""
    SILENT = "silent"
    COURIER = "courier"
    """The last word came on a stick."""
    UNWATCHED = "unwatched"
    """The hub was stopped, or without its broker."""


CONTACTS = {
    Contact.HEARD: Text(zh="在线", en="on line"),
    Contact.CLOSED: Text(zh="程序已关闭", en="program closed"),
    Contact.SILENT: Text(zh="没有声息", en="nothing heard"),
    Contact.COURIER: Text(zh="靠信使包往来", en="by courier"),
    Contact.UNWATCHED: Text(zh="枢纽未在收听", en="the hub was not listening"),
}


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """From this moment on a site stood so."""

    since_ms: int
    contact: Contact


def contact_of(facts: Facts, listening_since_ms: int | None, now_ms: int) -> Turn | None:
    """Return how a site stands, and since when at the latest; None if there is no news of it."""
    node = facts.node
    if node is None:
        return None
    if is_by_courier(facts):
        return Turn(since_ms=node.seen_at_ms, contact=Contact.COURIER)
    if node.stopping:
        return Turn(since_ms=node.seen_at_ms, contact=Contact.CLOSED)
    if not is_offline(node.seen_at_ms, now_ms):
        return Turn(since_ms=now_ms, contact=Contact.HEARD)
    if listening_since_ms is None:
        return Turn(since_ms=node.seen_at_ms, contact=Contact.UNWATCHED)
    if now_ms - listening_since_ms <= OFFLINE_AFTER_S * 1000:
        # It may speak any moment: the hub has not listened for long enough to say that nothing was heard.
        return None
    return Turn(since_ms=node.seen_at_ms, contact=Contact.SILENT)


def note_pause(connection: Connection, now_ms: int) -> None:
    """Note that nobody looked since the last look, if that was a while ago; before the present look is stored."""
    looked_at_ms = connection.execute(select(hub_report.c.at_ms)).scalar_one_or_none()
    if looked_at_ms is None or now_ms - looked_at_ms <= UNWATCHED_MS:
        return
    _keep(
        connection,
        {
            site: Turn(since_ms=max(looked_at_ms, turn.since_ms + 1), contact=Contact.UNWATCHED)
            for site, turn in latest(connection).items()
            if turn.contact in (Contact.HEARD, Contact.SILENT)
        },
    )


def note(connection: Connection, facts: Iterable[Facts], listening_since_ms: int | None, now_ms: int) -> None:
    """Note which sites stand otherwise now than at the last look."""
    last, turned = latest(connection), {}
    for one in facts:
        turn, before = contact_of(one, listening_since_ms, now_ms), last.get(one.site)
        if turn is None or (before is not None and before.contact is turn.contact):
            continue
        since_ms = turn.since_ms
        if before is not None:
            # What was silent before the hub grew deaf was silent till then.
            is_deaf = turn.contact is Contact.UNWATCHED and before.contact is not Contact.HEARD
            since_ms = max(now_ms if is_deaf else since_ms, before.since_ms + 1)
        turned[one.site] = Turn(since_ms=since_ms, contact=turn.contact)
    _keep(connection, turned)


def latest(connection: Connection) -> dict[str, Turn]:
    """Return how each site has stood since when."""
    newest = select(site_contact.c.site, func.max(site_contact.c.since_ms).label("since_ms")).group_by(
        site_contact.c.site
    )
    last = newest.subquery()
    statement = select(site_contact).join(
        last, (site_contact.c.site == last.c.site) & (site_contact.c.since_ms == last.c.since_ms)
    )
    return {row.site: _turn(row.since_ms, row.contact) for row in connection.execute(statement)}


def of_site(connection: Connection, site: str) -> list[Turn]:
    """Return what is remembered of one site, the oldest turn first."""
    statement = select(site_contact).where(site_contact.c.site == site).order_by(site_contact.c.since_ms)
    return [_turn(row.since_ms, row.contact) for row in connection.execute(statement)]


def _turn(since_ms: int, contact: str) -> Turn:
    return Turn(since_ms=since_ms, contact=Contact(contact))


def _keep(connection: Connection, turned: Mapping[str, Turn]) -> None:
    if not turned:
        return
    rows = [{"site": site, "since_ms": one.since_ms, "contact": one.contact.value} for site, one in turned.items()]
    connection.execute(insert(site_contact), rows)
    for site in turned:
        beyond = (
            select(site_contact.c.since_ms)
            .where(site_contact.c.site == site)
            .order_by(site_contact.c.since_ms.desc())
            .offset(TURNS_KEPT_MAX)
        )
        old = delete(site_contact).where(site_contact.c.site == site, site_contact.c.since_ms.in_(beyond))
        connection.execute(old)
