"""The first use of the console: while nobody administers it, each start of the hub makes and says a one-time link."""

from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry
from hub.staff import accounts, invitations
from hub.staff.invitations import LINK_S

SETTER = "hub"
"""Who issued a link that nobody asked for."""


def invite(connection: Connection, now_ms: int) -> str | None:
    """Return the secret of a new link for the first administrator; None if there is an administrator."""
    if accounts.administrators(connection, with_password=False):
        return None
    secret = invitations.issue(connection, None, now_ms)
    audit.append(connection, AuditEntry(who=SETTER, action=Action.LINK_ISSUED), now_ms)
    return secret


def told(url: str, secret: str) -> str:
    """Return what the person who starts the hub reads."""
    hours = int(LINK_S // 3600)
    return (
        f"\n控制台首次使用：请在 {hours} 小时内打开下面的链接，建立系统管理员（只能用一次）。\n"
        f"First use of the console: open this link within {hours} hours to make its administrator (good once).\n\n"
        f"    {url}/set-up/{secret}\n\n"
    )
