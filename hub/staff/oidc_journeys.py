"""Journeys to a provider of identities: who went there from here, and what the answer must fit to.

A journey is of one browser, good once, and for some minutes. Of its state only the digest is stored, so nobody who
reads the store can come back in somebody's place.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from hub.staff.account_tables import oidc_journey
from protocol.errors import Retryable
from protocol.wording import Text

JOURNEY_S = 10 * 60.0
"""Seconds in which a person comes back from the provider: to find a telephone with the codes, for example."""

JOURNEYS_MAX = 2_000
"""Journeys underway at once; every one is a row, and beginning one needs no account."""

RANDOM_BYTES = 32
"""Bytes of randomness of state, nonce and verifier each (RFC 7636 §4.1 wants 32)."""


class Journey(msgspec.Struct, frozen=True, kw_only=True):
    """One way to the provider and back."""

    nonce: str
    verifier: str
    """What proves to the provider that who fetches the identity is who began (PKCE, RFC 7636)."""
    wanted: str
    """Path in the console that the visitor wanted."""
    begun_at_ms: int

    @property
    def challenge(self) -> str:
        """What the provider is shown of the verifier (S256)."""
        return challenge_of(self.verifier)


def challenge_of(verifier: str) -> str:
    """Return the challenge of a verifier: base64url of its SHA-256 without padding (RFC 7636 §4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


def begin(connection: Connection, visitor: str, wanted: str, now_ms: int) -> tuple[str, Journey]:
    """Begin a journey of the visitor with this secret; return its state, which is stored nowhere, and itself.

    Raises:
        Retryable: too many have begun and not come back.

    """
    over = oidc_journey.c.begun_at_ms < now_ms - int(JOURNEY_S * 1000)
    connection.execute(delete(oidc_journey).where(over))
    if int(connection.execute(select(func.count()).select_from(oidc_journey)).scalar_one()) >= JOURNEYS_MAX:
        raise Retryable(
            Text(zh="同时登录的人太多。", en="too many persons sign in at once"),
            Text(zh="请稍后再试，或用密码登录。", en="Try again later, or sign in with your password."),
        )
    state = secrets.token_urlsafe(RANDOM_BYTES)
    journey = Journey(
        nonce=secrets.token_urlsafe(RANDOM_BYTES),
        verifier=secrets.token_urlsafe(RANDOM_BYTES),
        wanted=wanted,
        begun_at_ms=now_ms,
    )
    places = {"digest": _digest("state", state), "visitor": _digest("visitor", visitor)}
    connection.execute(insert(oidc_journey).values(**places, **msgspec.structs.asdict(journey)))
    return state, journey


def take(connection: Connection, visitor: str, state: str, now_ms: int) -> Journey | None:
    """Use a journey up; None if it never began, was used, is over, or began in another browser."""
    mine = oidc_journey.c.digest == _digest("state", state)
    row = connection.execute(select(oidc_journey).where(mine)).one_or_none()
    if row is None or row.visitor != _digest("visitor", visitor):
        return None
    is_first = connection.execute(delete(oidc_journey).where(mine)).rowcount == 1
    if not is_first or now_ms - row.begun_at_ms > JOURNEY_S * 1000:
        return None
    return msgspec.convert(row, Journey, from_attributes=True)


def _digest(kind: str, secret: str) -> str:
    return hashlib.sha256(f"oidc-{kind}:{secret}".encode("utf-8", "replace")).hexdigest()
