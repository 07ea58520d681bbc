"""Signing in by a provider of identities: from the button on the sign-in page to a session, or to why not.

Decided here: an administrator's lock holds for this way too; a wait after wrong passwords does not, since nothing is
guessed here and a stranger's guesses must keep nobody out; whoever has one-time codes is asked for one, because the hub
does not learn how the provider made sure. Every sign-in and every refusal is in the audit log.
"""

from enum import StrEnum

import msgspec
from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry, Outcome
from hub.staff import oidc_journeys, oidc_links, sessions, sign_in
from hub.staff.oidc_journeys import Journey
from hub.staff.oidc_provider import Provider
from hub.staff.oidc_settings import OidcSettings
from hub.staff.oidc_tokens import BadIdentity
from hub.staff.sign_in import Admitted, Caller
from protocol.errors import Retryable
from replication.database import Database

WORD_CHARS_MAX = 40
"""Characters of a word of the provider that are kept."""


class Refusal(StrEnum):
    """Why nobody was let in."""

    ASTRAY = "astray"
    """The journey did not begin in this browser, is over, or was used."""
    DENIED = "denied"
    """The provider, or the person there, said no."""
    DISBELIEVED = "disbelieved"
    """What the provider says is not believed."""
    UNLINKED = "unlinked"
    """The person is who they say, and no account is linked to them."""
    LOCKED = "locked"


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser brings back from the provider."""

    state: str
    code: str = ""
    error: str = ""
    issuer: str = ""
    """What the provider calls itself there, if it does (RFC 9207)."""


class TurnedAway(msgspec.Struct, frozen=True, kw_only=True):
    """No session has begun."""

    why: Refusal
    subject: str = ""
    """Who it is, where that is known and no account is linked."""


class LetIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session has begun."""

    admitted: Admitted
    wanted: str


async def begin(
    database: Database, provider: Provider, visitor: str, wanted: str, back: str, caller: Caller, now_ms: int
) -> str:
    """Begin a journey; return the address at the provider.

    Raises:
        Retryable: the provider is away, or the database is busy.

    """
    state, journey = await database.write(lambda connection: oidc_journeys.begin(connection, visitor, wanted, now_ms))
    try:
        return await provider.way(state, journey, back)
    except Retryable:
        await _refuse(database, caller, "away", now_ms)
        raise


async def end(
    database: Database, provider: Provider, visitor: str, returned: Returned, back: str, caller: Caller, now_ms: int
) -> LetIn | TurnedAway:
    """Judge what a browser brings back, and begin a session if it is right.

    Raises:
        Retryable: the provider is away, or the database is busy.

    """
    journey = await database.write(lambda connection: oidc_journeys.take(connection, visitor, returned.state, now_ms))
    amiss = _amiss(journey, returned, provider.settings)
    if journey is None or amiss is not None:
        why, detail = amiss or (Refusal.ASTRAY, "state")
        await _refuse(database, caller, detail, now_ms)
        return TurnedAway(why=why)
    try:
        subject = await provider.subject(returned.code, journey, back, now_ms / 1000)
    except BadIdentity as error:
        await _refuse(database, caller, error.why, now_ms)
        return TurnedAway(why=Refusal.DISBELIEVED)
    except Retryable:
        await _refuse(database, caller, "away", now_ms)
        raise
    return await database.write(
        lambda connection: _judged(connection, provider.settings, subject, journey.wanted, caller, now_ms)
    )


def _amiss(journey: Journey | None, returned: Returned, settings: OidcSettings) -> tuple[Refusal, str] | None:
    if journey is None:
        return Refusal.ASTRAY, "state"
    if returned.issuer and returned.issuer != settings.issuer:
        return Refusal.DISBELIEVED, "issuer"
    if returned.error or not returned.code:
        word = "".join(one for one in returned.error if one.isascii() and (one.isalnum() or one == "_"))
        return Refusal.DENIED, f"denied {word[:WORD_CHARS_MAX]}".strip()
    return None


def _judged(
    connection: Connection, settings: OidcSettings, subject: str, wanted: str, caller: Caller, now_ms: int
) -> LetIn | TurnedAway:
    account = oidc_links.account_of(connection, settings, subject)
    if account is None:
        audit.append(connection, _refused(caller, f"unlinked {settings.subject_claim}={subject}"), now_ms)
        return TurnedAway(why=Refusal.UNLINKED, subject=subject)
    if account.locked_at_ms is not None:
        audit.append(connection, _refused(caller, "locked", account.login), now_ms)
        return TurnedAway(why=Refusal.LOCKED)
    admitted = sign_in.admit(connection, account, caller, now_ms, way=sessions.OUTSIDE)
    return LetIn(admitted=admitted, wanted=wanted)


async def _refuse(database: Database, caller: Caller, detail: str, now_ms: int) -> None:
    await database.write(lambda connection: audit.append(connection, _refused(caller, detail), now_ms))


def _refused(caller: Caller, detail: str, login: str = "") -> AuditEntry:
    return AuditEntry(
        who="",
        action=Action.SIGN_IN,
        object=login,
        outcome=Outcome.REFUSED,
        origin=caller.origin,
        detail=f"oidc: {detail}",
    )
