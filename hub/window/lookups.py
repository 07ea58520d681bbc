"""Lookups of the window: a question goes to the index, live to the sites that can hold the answer, by letter to others.

    desk = LookupDesk(database, asker, clock_ms, names=…)
    async with desk.opened():
        async for view in desk.start(order): …        # the index first, then the sites as they answer
        async for view in desk.widen(lookup_id, because="…", by="login"): …

Everything is stored as it comes: a reload reads ``view_of``, and a watcher that goes away stops nothing.
"""

from collections.abc import AsyncGenerator
from uuid import UUID

from sqlalchemy import Connection

from hub.window.lookup_views import LookupNews, LookupOrder, LookupView, StrayAnswer


class LookupDesk:
    """Asks, stores, and tells whoever watches."""

    async def start(self, order: LookupOrder) -> AsyncGenerator[LookupView, None]:
        """Ask a question and yield the growing answer; the last view has ``finished`` set.

        An order whose ``lookup_id`` is known asks nobody again: it yields what there is, and goes on with it.

        Raises:
            BadQuery: the words cannot be understood.
            BadValue: the case lacks a purpose, or may not travel.

        """
        raise NotImplementedError
        yield

    async def widen(self, lookup_id: UUID, *, because: str, by: str) -> AsyncGenerator[LookupView, None]:
        """Ask the sites that were left out as well; the reason is logged at both ends.

        Raises:
            BadValue: no reason is given, or the lookup is over.

        """
        raise NotImplementedError
        yield


def view_of(connection: Connection, lookup_id: UUID) -> LookupView | None:
    """Return a lookup as it stands."""
    raise NotImplementedError


def lookups_of(connection: Connection, request_id: UUID) -> list[LookupView]:
    """Return the lookups of a request, the first first, without their hits."""
    raise NotImplementedError


def news(connection: Connection, since_ms: int) -> list[LookupNews]:
    """Return the lookups that got a late answer, or ended, after a moment; for a stream that looks every second."""
    raise NotImplementedError


def mark_seen(connection: Connection, request_id: UUID) -> None:
    """Take the mark "new answer" off a request's lookups."""
    raise NotImplementedError


def stray_answers(connection: Connection, limit: int) -> list[StrayAnswer]:
    """Return the answers that were refused, the latest first."""
    raise NotImplementedError
