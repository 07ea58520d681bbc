"""Tokens: by which other systems use the hub's interface, each for named scopes and a limited time.

The secret is shown once, when the token is made; the store keeps its digest. Making and revoking are in the audit log.
"""

import hashlib
import secrets
from collections.abc import Collection
from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from hub import audit
from hub.audit import Action, AuditEntry
from hub.staff.administration import Actor
from hub.staff.token_tables import api_token
from protocol.errors import BadValue
from protocol.wording import Text

SECRET_BYTES: Final = 32
"""Bytes of randomness of a token."""

SECRET_CHARS_MAX: Final = 100
"""Characters of what is given as a token that are looked at."""

NAME_CHARS_MAX: Final = 60
"""Characters of a token's name."""

LIFE_DAYS_DEFAULT: Final = 365
"""Days for which a token is good if nobody says otherwise."""

LIFE_DAYS_MAX: Final = 1_100
"""Days for which a token is good at most: three years; nobody remembers an older one."""

TOKENS_MAX: Final = 200
"""Tokens that are good at once: a county links dozens of systems."""

USE_NOTED_EVERY_S: Final = 60.0
"""Seconds between two notes of a token's use: a note is a write, and costs the disk an fsync."""

DAY_MS: Final = 24 * 3600 * 1000

PREFIX: Final = "dl_"
"""Begins every token, so that one that was left in a file or a mail is found by searching."""


class Scope(StrEnum):
    """One thing that a token is good for."""

    CATALOGUE = "catalogue"
    CATALOGUE_CLOSED = "catalogue-closed"
    SITES = "sites"
    DECISIONS = "decisions"
    AUDIT = "audit"
    METRICS = "metrics"


SCOPES = {
    Scope.CATALOGUE: Text(zh="检索并读取已开放条目", en="search and read entries that are open"),
    Scope.CATALOGUE_CLOSED: Text(
        zh="检索并读取全部条目，含未开放的（每次读取均记入审计）",
        en="search and read every entry, also those not open (each read is in the audit log)",
    ),
    Scope.SITES: Text(zh="站点状态与告警", en="the state of sites, and alarms"),
    Scope.DECISIONS: Text(zh="隔离内容与判定", en="what is in quarantine, and decisions"),
    Scope.AUDIT: Text(zh="审计日志", en="the audit log"),
    Scope.METRICS: Text(zh="运行指标", en="the figures for a monitor"),
}


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    made_by: str
    made_at_ms: int
    expires_at_ms: int
    used_at_ms: int | None = None
    revoked_at_ms: int | None = None

    def is_good(self, now_ms: int) -> bool:
        """True unless it was revoked or its time is over."""
        return self.revoked_at_ms is None and now_ms < self.expires_at_ms


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was just made, with the secret that is shown this once."""

    token: Token
    secret: str


def digest_of(secret: str) -> str:
    """Return what is stored of a token's secret."""
    return hashlib.sha256(b"token:" + secret.encode("utf-8", "replace")).hexdigest()


def add(
    connection: Connection,
    actor: Actor,
    name: str,
    scopes: Collection[Scope],
    now_ms: int,
    *,
    days: int = LIFE_DAYS_DEFAULT,
) -> NewToken:
    """Make a token.

    Raises:
        BadValue: it has no name, no scope, or a life that is not allowed, or there are too many tokens.

    """
    called, kept = _checked(connection, name, scopes, now_ms, days)
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    made = Token(
        id=secrets.token_hex(4),
        name=called,
        scopes=kept,
        made_by=actor.who,
        made_at_ms=now_ms,
        expires_at_ms=now_ms + days * DAY_MS,
    )
    values = msgspec.structs.asdict(made) | {"scopes": ",".join(kept), "digest": digest_of(secret)}
    connection.execute(insert(api_token).values(values))
    _note(connection, actor, Action.TOKEN_ADDED, made, now_ms)
    return NewToken(token=made, secret=secret)


def _checked(
    connection: Connection, name: str, scopes: Collection[Scope], now_ms: int, days: int
) -> tuple[str, tuple[Scope, ...]]:
    called = name.strip()
    if not called or len(called) > NAME_CHARS_MAX or not called.isprintable():
        raise BadValue(
            Text(zh="令牌名称为空或不可用。", en="the token's name is empty or cannot be used"),
            Text(
                zh=f"写明用它的系统，1–{NAME_CHARS_MAX} 字。",
                en=f"Name the system, in 1 to {NAME_CHARS_MAX} characters.",
            ),
        )
    kept = tuple(one for one in Scope if one in scopes)
    if not kept or not 1 <= days <= LIFE_DAYS_MAX:
        raise BadValue(
            Text(zh="令牌没有权限范围，或有效期不对。", en="the token has no scope, or a life that is not allowed"),
            Text(zh=f"至少一个范围；1–{LIFE_DAYS_MAX} 天。", en=f"One scope at least; 1 to {LIFE_DAYS_MAX} days."),
        )
    if sum(one.is_good(now_ms) for one in listed(connection)) >= TOKENS_MAX:
        raise BadValue(
            Text(zh=f"有效令牌已有 {TOKENS_MAX} 个。", en=f"there are {TOKENS_MAX} tokens already"),
            Text(zh="请先撤销不用的。", en="Revoke those that are not used."),
        )
    return called, kept


def revoke(connection: Connection, actor: Actor, token_id: str, now_ms: int) -> Token:
    """Make a token worthless from now on.

    Raises:
        BadValue: there is none of this id.

    """
    row = connection.execute(select(api_token).where(api_token.c.id == token_id)).one_or_none()
    if row is None:
        raise BadValue(
            Text(zh="没有这个令牌。", en="there is no such token"),
            Text(zh="danglian-hub token list 列出全部令牌。", en="danglian-hub token list shows every token."),
        )
    one = _token(row)
    if one.revoked_at_ms is not None:
        return one
    connection.execute(update(api_token).where(api_token.c.id == token_id).values(revoked_at_ms=now_ms))
    _note(connection, actor, Action.TOKEN_REVOKED, one, now_ms)
    return msgspec.structs.replace(one, revoked_at_ms=now_ms)


def listed(connection: Connection) -> list[Token]:
    """Return every token, the newest first."""
    return [_token(row) for row in connection.execute(select(api_token).order_by(api_token.c.made_at_ms.desc()))]


def found(connection: Connection, secret: str) -> Token | None:
    """Return the token of a secret, good or not."""
    statement = select(api_token).where(api_token.c.digest == digest_of(secret[:SECRET_CHARS_MAX]))
    row = connection.execute(statement).one_or_none()
    return None if row is None else _token(row)


def note_use(connection: Connection, token: Token, now_ms: int) -> None:
    """Note that a token was used now."""
    connection.execute(update(api_token).where(api_token.c.id == token.id).values(used_at_ms=now_ms))


def _token(row: Row[*tuple[object, ...]]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        # A scope of a later version is no scope of this one.
        scopes=tuple(Scope(one) for one in row.scopes.split(",") if one in tuple(Scope)),
        made_by=row.made_by,
        made_at_ms=row.made_at_ms,
        expires_at_ms=row.expires_at_ms,
        used_at_ms=row.used_at_ms,
        revoked_at_ms=row.revoked_at_ms,
    )


def _note(connection: Connection, actor: Actor, action: Action, one: Token, now_ms: int) -> None:
    detail = f"{one.name}: {','.join(one.scopes)}"
    entry = AuditEntry(who=actor.who, action=action, object=f"token:{one.id}", origin=actor.origin, detail=detail)
    audit.append(connection, entry, now_ms)
