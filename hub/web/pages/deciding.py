"""What the pages of the decision queues share: tabs with their counts, names of sites, and who decides."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry
from hub.decisions import conflict_rulings, proposals
from hub.decisions.rulings import DECIDED, NOTE_CHARS_MAX, QUEUES, Queue
from hub.disclosure.guarding import GUARDED
from hub.membership.keyring import site_names
from hub.staff.administration import Actor
from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.visitors import visitor_of
from protocol.records import Record
from replication import quarantine

T = TypeVar("T")

OPT = {NEEDS: Permission.DECIDE}
"""What every page here needs."""

SHOWN_MAX = 50
"""Things on one page of a queue."""

COUNTED_MAX = 1_000
"""Things of a queue that are counted for its tab; beyond, it is that many and more."""

NUMBER_DIGITS_MAX = 18
"""Digits of a number in an address."""

_PATHS = {
    Queue.CONFLICT: "/decisions/conflicts",
    Queue.DUPLICATE: "/decisions/duplicates",
    Queue.QUARANTINE: "/decisions/quarantine",
    Queue.PROPOSAL: "/decisions/proposals",
}


def surroundings(connection: Connection, queue: Queue | None = None) -> dict[str, object]:
    """Return what the templates of the queues know; no queue is counted further than ``COUNTED_MAX``.

    Alike records are not counted: they are found by looking.
    """
    counts = {
        Queue.CONFLICT: conflict_rulings.count(connection, COUNTED_MAX),
        Queue.DUPLICATE: None,
        Queue.QUARANTINE: quarantine.count(connection, COUNTED_MAX),
        Queue.PROPOSAL: proposals.count_waiting(connection, limit=COUNTED_MAX),
    }
    return {
        "queue": queue,
        "counts": counts,
        "counted_max": COUNTED_MAX,
        "tabs_of": _PATHS,
        "queue_words": QUEUES,
        "verdict_words": DECIDED,
        "names": names_of(connection),
        "note_chars": NOTE_CHARS_MAX,
    }


def names_of(connection: Connection) -> Mapping[str, str]:
    """Return what the county calls its sites."""
    return {site: name for site, name in site_names(connection).items() if name}


def actor_of(request: AnyRequest) -> Actor:
    """Return who decides."""
    visitor = visitor_of(request)
    return Actor(who=visitor.login, origin=visitor.origin)


def number_of(text: str) -> int | None:
    """Return a number that stands in an address or form, or None for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS_MAX else None


async def written(request: AnyRequest, step: Callable[[Connection, Actor, int], T]) -> T:
    """Do something in one transaction, as the visitor, now; the next page shows what came of it."""
    backstage = backstage_of(request)
    actor, now_ms = actor_of(request), backstage.clock_ms()
    done = await backstage.database.write(lambda connection: step(connection, actor, now_ms))
    await backstage.live.read()
    return done


async def note_reading(request: AnyRequest, named: str, records: Iterable[Record | None]) -> None:
    """Write into the audit log that restricted entries were read."""
    if any(one is not None and one.access_status in GUARDED for one in records):
        await note_sight(request, named)


async def note_sight(request: AnyRequest, named: str) -> None:
    """Write into the audit log that something was looked at of which nobody knows whether it is open."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    entry = AuditEntry(who=visitor.login, action=Action.ENTRY_READ, object=named, origin=visitor.origin)
    await backstage.database.write(lambda connection: audit.append(connection, entry, backstage.clock_ms()))
