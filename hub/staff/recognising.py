"""Who a session's secret stands for: its session and account, read anew for every page, by one statement."""

from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, select

from hub.staff.account_tables import account, account_role, web_session
from hub.staff.accounts import Account, account_of
from hub.staff.roles import Role
from hub.staff.sessions import Session, digest_of, session_of


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose session was found, over or not."""

    session: Session
    account: Account


def recognised(connection: Connection, secret: str) -> Known | None:
    """Return whose secret this is; None if there is no such session, or the account is locked."""
    rows = connection.execute(_recognising(), {"of_secret": digest_of(secret)}).all()
    if not rows or rows[0].locked_at_ms is not None:
        return None
    roles = [Role(row.role) for row in rows if row.role is not None]
    return Known(session=session_of(rows[0]), account=account_of(rows[0], roles))


@cache
def _recognising() -> Select[*tuple[Any, ...]]:
    return (
        select(web_session, account, account_role.c.role)
        .join(account, account.c.id == web_session.c.account_id)
        .outerjoin(account_role, account_role.c.account_id == account.c.id)
        .where(web_session.c.digest == bindparam("of_secret"))
    )
