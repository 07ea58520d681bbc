"""Sessions: who is signed in, by the digest of a secret that only the browser holds.

Whoever reads the database cannot sign in with what stands there. A session ends when it is idle for too long, when it
is too old, when its owner or an administrator ends it, and when the password or the roles change.
"""

import hashlib
import secrets
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from hub.staff.account_tables import web_session

SECRET_BYTES = 32
"""Bytes of randomness of a session's secret."""

SESSION_S_MAX = 12 * 3600.0
"""Seconds that a session lives at most, however busy: a long working day."""

CODE_S = 5 * 60.0
"""Seconds between the password and the one-time code."""

USE_NOTED_EVERY_S = 60.0
"""Seconds between two notes of a session's use: a note is a write, and costs the disk an fsync."""

SESSIONS_MAX = 20
"""Sessions of one person; the longest unused one ends when another begins."""

AGENT_CHARS_MAX = 200
"""Characters that are kept of what a browser calls itself."""


class Stage(StrEnum):
    """How far somebody has come in signing in."""

    CODE = "code"
    """The password was right; the one-time code is still to come."""
    FULL = "full"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser in which somebody is signed in."""

    digest: str
    account_id: str
    stage: Stage
    begun_at_ms: int
    used_at_ms: int
    origin: str
    agent: str
    totp_offer: str = ""
    """Secret of one-time codes that was shown and is not proved yet."""

    @property
    def number(self) -> str:
        """A name by which its owner may end it; nobody can sign in with it."""
        return self.digest[:16]


def digest_of(secret: str) -> str:
    """Return what is stored of a session's secret."""
    return hashlib.sha256(b"session:" + secret.encode("utf-8", "replace")).hexdigest()


def is_over(session: Session, now_ms: int, idle_s: float) -> bool:
    """Tell whether a session is idle for too long, or too old."""
    if session.stage is Stage.CODE:
        return now_ms - session.begun_at_ms > CODE_S * 1000
    return now_ms - session.used_at_ms > idle_s * 1000 or now_ms - session.begun_at_ms > SESSION_S_MAX * 1000


def begin(connection: Connection, account_id: str, stage: Stage, origin: str, agent: str, now_ms: int) -> str:
    """Begin a session and return its secret, which is stored nowhere."""
    too_old = web_session.c.begun_at_ms < now_ms - int(SESSION_S_MAX * 1000)
    connection.execute(delete(web_session).where(too_old))
    for one in of_account(connection, account_id)[SESSIONS_MAX - 1 :]:
        connection.execute(delete(web_session).where(web_session.c.digest == one.digest))
    secret = secrets.token_urlsafe(SECRET_BYTES)
    values = {
        "digest": digest_of(secret),
        "account_id": account_id,
        "stage": stage.value,
        "begun_at_ms": now_ms,
        "used_at_ms": now_ms,
        "origin": origin,
        "agent": "".join(one for one in agent if one.isprintable())[:AGENT_CHARS_MAX],
    }
    connection.execute(insert(web_session).values(values))
    return secret


def found(connection: Connection, secret: str) -> Session | None:
    """Return the session of a secret, over or not."""
    statement = select(web_session).where(web_session.c.digest == digest_of(secret))
    row = connection.execute(statement).one_or_none()
    return None if row is None else session_of(row)


def of_account(connection: Connection, account_id: str) -> list[Session]:
    """Return the sessions of a person, the one used last first."""
    statement = select(web_session).where(web_session.c.account_id == account_id)
    return [session_of(row) for row in connection.execute(statement.order_by(web_session.c.used_at_ms.desc()))]


def note_use(connection: Connection, session: Session, now_ms: int) -> None:
    """Note that a session was used now."""
    connection.execute(update(web_session).where(web_session.c.digest == session.digest).values(used_at_ms=now_ms))


def offer_totp(connection: Connection, session: Session, secret: str) -> None:
    """Keep the secret of one-time codes that is shown in a session, until a code proves it."""
    connection.execute(update(web_session).where(web_session.c.digest == session.digest).values(totp_offer=secret))


def end(connection: Connection, session: Session) -> None:
    """End one session."""
    connection.execute(delete(web_session).where(web_session.c.digest == session.digest))


def end_all(connection: Connection, account_id: str, but: Session | None = None) -> int:
    """End every session of a person, but for one; return how many."""
    statement = delete(web_session).where(web_session.c.account_id == account_id)
    if but is not None:
        statement = statement.where(web_session.c.digest != but.digest)
    return connection.execute(statement).rowcount


def session_of(row: Row[*tuple[object, ...]]) -> Session:
    """Return the session of a row in which its columns stand."""
    return msgspec.convert(row, Session, from_attributes=True)
