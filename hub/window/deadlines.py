"""The requests by their terms: what is due, what is overdue and who is told, and what expires because nobody came."""

import datetime
from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.window import desk, ledger
from hub.window.clocks import PHASE_OF, PHASES, Deadline, Told, Urgency, deadline
from hub.window.requests import Move, Request
from hub.window.settings import WindowSettings
from hub.window.states import Step
from hub.window.working_days import WorkCalendar
from protocol.county_time import day_of

OPEN_MAX: Final = 5_000
"""Requests with a running term that are looked at: a county has some dozens at a time."""

EXPIRED_AT_ONCE: Final = 200
"""Requests that expire in one transaction."""

HUB: Final = Actor(who="hub:terms")
"""Stands in histories where no person acted."""


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A request with its term."""

    request: Request
    deadline: Deadline

    @property
    def handler(self) -> str:
        """Login of the person who worked on it last; empty where only programs did."""
        who = (line.who for line in reversed(self.request.history) if ":" not in line.who)
        return next(who, "")


def due(
    connection: Connection,
    terms: WindowSettings,
    calendar: WorkCalendar,
    today: datetime.date,
    urgencies: Sequence[Urgency] = tuple(Urgency),
) -> list[Due]:
    """Return the requests with a term, the most urgent first; those whose clock stands at the end."""
    found = []
    # The oldest first: of more than can be looked at, none that is overdue is left out.
    for request in ledger.listed(connection, states=tuple(PHASE_OF), is_oldest_first=True, limit=OPEN_MAX):
        term = deadline(request.history, terms, calendar, today)
        if term is not None and term.urgency in urgencies:
            found.append(Due(request=request, deadline=term))
    return sorted(found, key=lambda one: (one.deadline.due or datetime.date.max, one.request.number))


def to_tell(dues: Sequence[Due]) -> dict[Told, list[Due]]:
    """Return what each of those who are told of terms is told."""
    return {who: [one for one in dues if who in one.deadline.tell] for who in Told}


def counts(dues: Sequence[Due]) -> Counter[Urgency]:
    """Return how many terms stand in which way."""
    return Counter(one.deadline.urgency for one in dues)


def expire(connection: Connection, terms: WindowSettings, calendar: WorkCalendar, now_ms: int) -> int:
    """Let requests expire whose applicants did not do their part in their term; return how many."""
    lapsed = due(connection, terms, calendar, day_of(now_ms), (Urgency.LAPSED,))[:EXPIRED_AT_ONCE]
    for one in lapsed:
        reason = f"{PHASES[one.deadline.phase].zh}期限 {one.deadline.due} 已过"
        desk.moved(connection, HUB, one.request, Move(step=Step.EXPIRE, who=HUB.who, at_ms=now_ms, reason=reason))
    return len(lapsed)
