"""What PostgreSQL's driver complains about, in our errors: translated once, at the edge.

The driver's words may quote what was stored, so they travel only where an operator needs them; a password never does.
"""

from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError

from protocol.errors import BadSetting, BrokenStore, DanglianError, Retryable, StorageFull
from protocol.wording import Text

_FULL: Final = ("53100", "53400")
"""No room on the server's disk, or a limit of its configuration."""

_AWAY: Final = ("08", "57P")
"""The connection broke, or the server stops, starts, or was ended."""

_BUSY: Final = ("40", "55P03", "57014", "25P03", "53")
"""Somebody else was there first, or it took too long, or the server has no connection or memory left."""

_NOT_UPGRADED: Final = ("42P01", "42703", "42883")
"""A table, a column or a function that a migration makes is not there."""

_STANDBY: Final = ("25006",)
"""The server takes no writes: it is a standby, or was put so."""

_KEEP_OUT: Final = ("28", "3D", "42501")
"""No such user, password or database, or no right to it."""

_RETRY = Text(
    zh="数据库服务器恢复后系统会自动继续，数据不会丢失。",
    en="Work goes on by itself once the database server is back, and nothing is lost.",
)
_ROOM = Text(
    zh="请在数据库服务器上清理磁盘空间；腾出空间后系统会自动继续，数据不会丢失。",
    en="Free some disk space on the database server; work goes on by itself then, and nothing is lost.",
)
_LATER = Text(
    zh="请稍后重试；若长期如此，请检查是否有别的程序占用该数据库。",
    en="Try again; if it stays so, see who is at work there.",
)
_UPGRADE = Text(
    zh="请重新启动 danglian-hub run，它会先升级数据库；升级期间稍后重试。",
    en="Restart the daemon (danglian-hub run): it upgrades the database first. While it does, try again.",
)
_PRIMARY = Text(
    zh="请把 hub.toml 的 [database] url 指向主库（可写 target_session_attrs=read-write）。",
    en="Point [database] url in hub.toml at the primary (target_session_attrs=read-write helps).",
)
_ASK = Text(
    zh="请核对 hub.toml 中 [database] 的 url 或环境变量 DANGLIAN_DATABASE_URL，以及服务器的 pg_hba.conf。",
    en="See [database] url in hub.toml, or $DANGLIAN_DATABASE_URL, and pg_hba.conf on the server.",
)
_BROKEN = Text(
    zh="请停止使用该数据库，从备份恢复，或用 danglian-hub rebuild 由各站点重建。",
    en="Stop using this database: restore it from a backup, or rebuild it from the sites (danglian-hub rebuild).",
)


def translated(error: BaseException) -> Retryable | BrokenStore:
    """Return our error for one of the driver's."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    state = (cause.sqlstate if isinstance(cause, psycopg.Error) else None) or ""
    words = _first_line(cause)
    if state.startswith(_FULL):
        return StorageFull(Text(zh="数据库服务器的磁盘已满。", en="the database server's disk is full"), _ROOM)
    if state.startswith(_STANDBY):
        return Retryable(Text(zh="数据库服务器当前只读。", en="the database server takes no writes now"), _PRIMARY)
    if state.startswith(_NOT_UPGRADED):
        return Retryable(Text(zh="数据库尚未升级。", en="the database is not upgraded yet"), _UPGRADE)
    if state.startswith(_BUSY):
        return Retryable(Text(zh=f"数据库正忙：{words}", en=f"the database is busy: {words}"), _LATER)
    lost = not state and isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
    if lost or state.startswith((*_AWAY, *_KEEP_OUT)):
        return Retryable(Text(zh=f"连不上数据库服务器：{words}", en=f"the database server is away: {words}"), _RETRY)
    return BrokenStore(Text(zh=f"数据库出错：{words}", en=f"database: {words}"), _BROKEN)


def refused(error: BaseException) -> DanglianError:
    """Return our error for one of the driver's at the first connection, where a wrong setting shows."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    state = (cause.sqlstate if isinstance(cause, psycopg.Error) else None) or ""
    words = _first_line(cause)
    # Until it is let in, the driver tells what the server said in words only.
    shut_out = any(sign in words for sign in ("authentication failed", "does not exist", "no pg_hba.conf entry"))
    if (
        state.startswith(_KEEP_OUT)
        or (isinstance(cause, psycopg.ProgrammingError) and not state)
        or (not state and shut_out)
    ):
        return BadSetting(
            Text(zh=f"数据库服务器不接受本程序：{words}", en=f"the database server does not let us in: {words}"), _ASK
        )
    return translated(error)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
