"""Invitations: one-time links by which a person chooses a password, or makes the first administrator.

Nobody ever knows another person's password, and there is no password that a new hub starts with. A link is good once
and for a while; only its digest is stored; a newer link for the same account makes the older one void.
"""

import hashlib
import secrets

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from hub.staff import accounts
from hub.staff.account_tables import invitation

LINK_BYTES = 24
"""Bytes of randomness of a link."""

LINK_S = 24 * 3600.0
"""Seconds that a link stays good."""


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A link that is still good."""

    digest: str
    account_id: str | None
    """None: it makes the first administrator."""
    expires_at_ms: int


def issue(connection: Connection, account_id: str | None, now_ms: int) -> str:
    """Return the secret of a new link for an account, or for the first administrator."""
    secret = secrets.token_urlsafe(LINK_BYTES)
    mine = invitation.c.account_id.is_(None) if account_id is None else invitation.c.account_id == account_id
    connection.execute(delete(invitation).where(mine, invitation.c.used_at_ms.is_(None)))
    values = {
        "digest": _digest(secret),
        "account_id": account_id,
        "issued_at_ms": now_ms,
        "expires_at_ms": now_ms + int(LINK_S * 1000),
    }
    connection.execute(insert(invitation).values(values))
    return secret


def good(connection: Connection, secret: str, now_ms: int) -> Invitation | None:
    """Return what a link is for; None if it was used, is too old, or never was."""
    row = connection.execute(select(invitation).where(invitation.c.digest == _digest(secret))).one_or_none()
    if row is None or row.used_at_ms is not None or row.expires_at_ms <= now_ms:
        return None
    if row.account_id is None and accounts.administrators(connection, with_password=False):
        # Somebody became the first administrator by another way: an old link must not make a second one.
        return None
    return Invitation(digest=row.digest, account_id=row.account_id, expires_at_ms=row.expires_at_ms)


def use(connection: Connection, found: Invitation, now_ms: int) -> bool:
    """Use a link up; False if somebody was faster."""
    unused = update(invitation).where(invitation.c.digest == found.digest, invitation.c.used_at_ms.is_(None))
    return connection.execute(unused.values(used_at_ms=now_ms)).rowcount == 1


def void(connection: Connection, account_id: str) -> None:
    """Make the open links of an account void."""
    mine = (invitation.c.account_id == account_id, invitation.c.used_at_ms.is_(None))
    connection.execute(delete(invitation).where(*mine))


def _digest(secret: str) -> str:
    return hashlib.sha256(b"link:" + secret.encode("utf-8", "replace")).hexdigest()
