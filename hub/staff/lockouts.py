"""Lock-out: after some wrong passwords the next attempt has to wait, longer each time.

An attempt is counted before it is judged, so that a hundred guesses at once count as a hundred. Names that nobody bears
are counted alike: the answer never tells whether there is such an account. The wait has a ceiling, because somebody
else may fail on purpose to keep a colleague out.
"""

import hashlib

from sqlalchemy import Connection, delete, insert, select, update

from hub.staff.account_tables import sign_in_failure

FAILURES_FREE = 5
"""Wrong passwords in a row before the first wait."""

WAIT_S_MIN = 30.0
"""Seconds of the first wait; each further failure doubles it."""

WAIT_S_MAX = 15 * 60.0
"""Seconds of the longest wait."""

FORGET_AFTER_S = 24 * 3600.0
"""Seconds after the last failure at which failures are forgotten."""


def wait_s(failures: int) -> float:
    """Return how long the next attempt has to wait after so many failures in a row."""
    if failures < FAILURES_FREE:
        return 0.0
    # No need to double further than the ceiling.
    return min(WAIT_S_MAX, WAIT_S_MIN * 2.0 ** min(failures - FAILURES_FREE, 16))


def open_at_ms(failures: int, failed_at_ms: int) -> int:
    """Return from when an attempt is allowed again."""
    return failed_at_ms + int(wait_s(failures) * 1000)


def begin_attempt(connection: Connection, login: str, now_ms: int) -> int:
    """Count an attempt as failed until it is known to be good; return for how many milliseconds it must wait first.

    An attempt that has to wait is not counted: waiting is never made longer by asking.
    """
    digest = _digest(login)
    forgotten = sign_in_failure.c.failed_at_ms < now_ms - int(FORGET_AFTER_S * 1000)
    connection.execute(delete(sign_in_failure).where(forgotten))
    mine = sign_in_failure.c.login_digest == digest
    row = connection.execute(select(sign_in_failure).where(mine)).one_or_none()
    if row is None:
        connection.execute(insert(sign_in_failure).values(login_digest=digest, failures=1, failed_at_ms=now_ms))
        return 0
    remaining_ms = open_at_ms(row.failures, row.failed_at_ms) - now_ms
    if remaining_ms > 0:
        return remaining_ms
    connection.execute(update(sign_in_failure).where(mine).values(failures=row.failures + 1, failed_at_ms=now_ms))
    return 0


def forgive(connection: Connection, login: str) -> None:
    """Forget the failures of a name: it was right, or an administrator says so."""
    connection.execute(delete(sign_in_failure).where(sign_in_failure.c.login_digest == _digest(login)))


def _digest(login: str) -> str:
    # What is typed as a name is sometimes a password, so it is not stored as it is.
    return hashlib.sha256(b"sign-in:" + login.encode("utf-8", "replace")).hexdigest()
