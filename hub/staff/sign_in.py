"""Signing in: name and password, then a one-time code if the account has one; every attempt is in the audit log.

The answer to a wrong name, a wrong password and a locked account is the same, and takes as long.
"""

from enum import StrEnum

import msgspec
from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry, Outcome
from hub.staff import accounts, lockouts, one_time_codes, sessions
from hub.staff.accounts import Account, Secrets
from hub.staff.passwords import Sealer
from hub.staff.sessions import Session, Stage
from replication.database import Database


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Where an attempt comes from."""

    origin: str
    agent: str = ""


class Refusal(StrEnum):
    """Why an attempt was turned away."""

    WRONG = "wrong"
    WAIT = "wait"
    """Too many failures: it must wait."""
    WRONG_CODE = "wrong_code"
    OVER = "over"
    """The time between password and code is over."""


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """A session has begun."""

    account: Account
    secret: str
    stage: Stage


class TurnedAway(msgspec.Struct, frozen=True, kw_only=True):
    """No session has begun."""

    why: Refusal
    wait_s: int = 0


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    account: Account | None
    secrets: Secrets
    wait_ms: int


async def sign_in(
    database: Database, sealer: Sealer, login: str, password: str, caller: Caller, now_ms: int
) -> Admitted | TurnedAway:
    """Judge a name and a password, and begin a session if they are right.

    Raises:
        Retryable: the database is busy, or too many people sign in at once.

    """
    folded = accounts.folded_login(login)

    def begin(connection: Connection) -> _Known:
        wait_ms = lockouts.begin_attempt(connection, folded, now_ms)
        one = accounts.by_login(connection, folded)
        known = accounts.secrets_of(connection, one.id) if one is not None else Secrets()
        return _Known(account=one, secrets=known, wait_ms=wait_ms)

    known = await database.write(begin)
    if known.wait_ms > 0:
        return TurnedAway(why=Refusal.WAIT, wait_s=-(-known.wait_ms // 1000))
    is_right = await sealer.opens(known.secrets.sealed_password, password)
    account = known.account
    if account is None or not is_right or account.locked_at_ms is not None:
        await database.write(lambda connection: _refused(connection, account, Action.SIGN_IN, caller, now_ms))
        return TurnedAway(why=Refusal.WRONG)
    return await database.write(lambda connection: _admitted(connection, account, known.secrets, caller, now_ms))


async def give_code(
    database: Database, session: Session, code: str, caller: Caller, now_ms: int
) -> Admitted | TurnedAway:
    """Judge the one-time code of somebody whose password was right; the session is replaced by a full one.

    Raises:
        Retryable: the database is busy.

    """

    def judge(connection: Connection) -> Admitted | TurnedAway:
        account = accounts.by_id(connection, session.account_id)
        if account is None or account.locked_at_ms is not None:
            return TurnedAway(why=Refusal.OVER)
        wait_ms = lockouts.begin_attempt(connection, _code_key(account), now_ms)
        if wait_ms > 0:
            return TurnedAway(why=Refusal.WAIT, wait_s=-(-wait_ms // 1000))
        known = accounts.secrets_of(connection, account.id)
        step = one_time_codes.step_of(known.totp_secret, code, now_ms, known.totp_step) if known.totp_secret else None
        if step is None or not accounts.take_code(connection, account.id, step):
            _refused(connection, account, Action.SECOND_FACTOR, caller, now_ms)
            return TurnedAway(why=Refusal.WRONG_CODE)
        sessions.end(connection, session)
        lockouts.forgive(connection, _code_key(account))
        return _begun(connection, account, Action.SECOND_FACTOR, caller, now_ms, session.way)

    return await database.write(judge)


def forgive(connection: Connection, account: Account) -> None:
    """Forget the failures of an account, those of its codes too."""
    lockouts.forgive(connection, account.login)
    lockouts.forgive(connection, _code_key(account))


def _code_key(account: Account) -> str:
    # A slash is in no login, so codes are counted apart from passwords.
    return f"code/{account.login}"


def admit(connection: Connection, account: Account, caller: Caller, now_ms: int, way: str = "") -> Admitted:
    """Begin the session of somebody who has proved who they are: with a one-time code to come where there is one."""
    if account.has_totp:
        secret = sessions.begin(connection, account.id, Stage.CODE, caller.origin, caller.agent, now_ms, way)
        return Admitted(account=account, secret=secret, stage=Stage.CODE)
    return _begun(connection, account, Action.SIGN_IN, caller, now_ms, way)


def _admitted(
    connection: Connection, known: Account, compared: Secrets, caller: Caller, now_ms: int
) -> Admitted | TurnedAway:
    """Begin the session of an account that is still what the password was compared with.

    Comparing takes a while: meanwhile the account may have been locked, the password taken away, or codes turned on.
    """
    account = accounts.by_id(connection, known.id)
    is_same = accounts.secrets_of(connection, known.id).sealed_password == compared.sealed_password
    if account is None or account.locked_at_ms is not None or not is_same:
        _refused(connection, account, Action.SIGN_IN, caller, now_ms)
        return TurnedAway(why=Refusal.WRONG)
    lockouts.forgive(connection, account.login)
    return admit(connection, account, caller, now_ms)


def _begun(
    connection: Connection, account: Account, action: Action, caller: Caller, now_ms: int, way: str = ""
) -> Admitted:
    secret = sessions.begin(connection, account.id, Stage.FULL, caller.origin, caller.agent, now_ms, way)
    accounts.note_sign_in(connection, account.id, now_ms)
    done = AuditEntry(who=account.login, action=action, object=account.login, origin=caller.origin, detail=way)
    audit.append(connection, done, now_ms)
    return Admitted(account=account, secret=secret, stage=Stage.FULL)


def _refused(connection: Connection, account: Account | None, action: Action, caller: Caller, now_ms: int) -> None:
    # A name that nobody bears is not written down: often it is a password that was typed in the wrong field.
    named = "" if account is None else account.login
    detail = "locked" if account is not None and account.locked_at_ms is not None else ""
    entry = AuditEntry(
        who="", action=action, object=named, outcome=Outcome.REFUSED, origin=caller.origin, detail=detail
    )
    audit.append(connection, entry, now_ms)
