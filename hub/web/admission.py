"""Who may go where, and which forms are genuine. Nothing is open unless its route says so.

A route says in its options what it needs: ``OPEN``, ``SIGNED_IN``, or a ``Permission``. A refusal is in the audit log.
Forms are checked for every unsafe method: where the browser says that it comes from, and the visitor's token.
"""

import secrets
from enum import StrEnum
from urllib.parse import urlsplit

from litestar.handlers import BaseRouteHandler

from hub import audit
from hub.audit import Action, AuditEntry, Outcome
from hub.staff.roles import Permission
from hub.staff.sessions import Stage
from hub.web.asking import AnyConnection, AnyRequest
from hub.web.backstage import backstage_of
from hub.web.faults import CodeNeeded, Forbidden, Missing, SignInNeeded, Stale, TooMany
from hub.web.forms import TOKEN_FIELD, fields_of
from hub.web.visitors import Visitor, visitor_of

NEEDS = "needs"
"""Key of a route's options."""

ATTEMPT = "attempt"
"""Key of the option of routes where secrets are tried: they are throttled harder."""

NUMBER_MAX = 2**63 - 1
"""The highest number that a store gives to anything."""

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))


class Door(StrEnum):
    """What a route needs where it is no permission."""

    OPEN = "open"
    SIGNED_IN = "signed_in"


async def admitted(connection: AnyConnection, handler: BaseRouteHandler) -> None:
    """Let a visitor go on to a route, or not.

    Raises:
        Missing: no store numbers anything so high.
        SignInNeeded: nobody is signed in.
        CodeNeeded: the one-time code is still to come.
        Forbidden: the visitor's roles do not allow it; this is in the audit log.

    """
    if any(isinstance(value, int) and value > NUMBER_MAX for value in connection.path_params.values()):
        raise Missing
    needed = handler.opt.get(NEEDS)
    if needed is Door.OPEN:
        return
    visitor, method = visitor_of(connection), str(connection.scope.get("method", ""))
    if visitor.session is not None and visitor.session.stage is Stage.CODE:
        raise CodeNeeded
    if visitor.account is None:
        path = connection.url.path if method in SAFE_METHODS else ""
        raise SignInNeeded(path, was_signed_in=visitor.was_signed_in)
    if needed is Door.SIGNED_IN or (isinstance(needed, Permission) and visitor.may(needed)):
        return
    await _note_refusal(connection, visitor, f"{method} {needed}")
    raise Forbidden


async def genuine(request: AnyRequest) -> None:
    """Check that a form was sent from a page that was shown to this very visitor.

    Raises:
        Stale: it was not.
        TooMany: the address tries too often.

    """
    if request.method in SAFE_METHODS:
        return
    visitor = visitor_of(request)
    if request.route_handler.opt.get(ATTEMPT):
        wait_s = backstage_of(request).attempts.wait_s(visitor.origin)
        if wait_s:
            raise TooMany(wait_s)
    given = (await fields_of(request)).get(TOKEN_FIELD, [""])[0]
    if _is_from_elsewhere(request) or not secrets.compare_digest(given.encode(), visitor.token.encode()):
        if visitor.account is not None:
            await _note_refusal(request, visitor, "form without its token")
        raise Stale


def _is_from_elsewhere(request: AnyRequest) -> bool:
    """Tell whether the browser itself says that another site sent this (Fetch Metadata, Origin)."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")


async def _note_refusal(connection: AnyConnection, visitor: Visitor, detail: str) -> None:
    backstage = backstage_of(connection)
    entry = AuditEntry(
        who=visitor.login,
        action=Action.ACCESS_REFUSED,
        object=connection.url.path,
        outcome=Outcome.REFUSED,
        origin=visitor.origin,
        detail=detail,
    )
    await backstage.database.write(lambda found: audit.append(found, entry, backstage.clock_ms()))
