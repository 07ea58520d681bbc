"""Links: which subject of a provider of identities is whose account. Only an administrator's word makes one.

Nothing that a provider says of a person makes an account or gives a role: who may do what is decided at the county, and
roles that are separated there must not meet through somebody else's groups.
"""

import msgspec
from sqlalchemy import Connection, Row, Select, delete, func, insert, select

from hub.staff import accounts
from hub.staff.account_tables import account, oidc_link
from hub.staff.accounts import Account
from hub.staff.oidc_settings import OidcSettings
from protocol.errors import BadValue
from protocol.wording import Text

SUBJECT_CHARS_MAX = 255
"""Characters of a subject: what OpenID Connect allows."""

LINKS_MAX = 5
"""Subjects of one account: a person has one, and a new one where the provider was changed."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A subject that signs in as an account."""

    issuer: str
    claim: str
    subject: str
    account_id: str
    linked_by: str
    linked_at_ms: int


def account_of(connection: Connection, settings: OidcSettings, subject: str) -> Account | None:
    """Return the account that a subject signs in as."""
    row = connection.execute(_of_subject(settings, subject)).one_or_none()
    return None if row is None else accounts.by_id(connection, row.account_id)


def listed(connection: Connection) -> list[tuple[str, Link]]:
    """Return every link with its account's login, in the order of logins."""
    statement = select(account.c.login, oidc_link).join(account, account.c.id == oidc_link.c.account_id)
    rows = connection.execute(statement.order_by(account.c.login, oidc_link.c.linked_at_ms.desc()))
    return [(row.login, _link(row)) for row in rows]


def of_account(connection: Connection, account_id: str) -> list[Link]:
    """Return the links of an account, those of other providers too, the newest first."""
    statement = select(oidc_link).where(oidc_link.c.account_id == account_id)
    return [_link(row) for row in connection.execute(statement.order_by(oidc_link.c.linked_at_ms.desc()))]


def checked_subject(text: str) -> str:
    """Return a subject; it is compared exactly, so nothing of it is folded.

    Raises:
        BadValue: it is empty, too long, or holds what nobody can see.

    """
    subject = text.strip()
    if not subject or len(subject) > SUBJECT_CHARS_MAX or not subject.isprintable():
        raise BadValue(
            Text(zh="身份标识不合要求。", en="this is no subject of a provider"),
            Text(
                zh="请照抄本人用统一身份登录时页面显示的标识，大小写一致。",
                en="Copy exactly what the sign-in page shows to the person after signing in with the provider.",
            ),
        )
    return subject


def link(connection: Connection, settings: OidcSettings, one: Account, subject: str, by: str, now_ms: int) -> Link:
    """Link a subject to an account.

    Raises:
        BadValue: the subject is none, is another account's, or the account has too many.

    """
    checked = checked_subject(subject)
    row = connection.execute(_of_subject(settings, checked)).one_or_none()
    if row is not None:
        raise _taken(accounts.by_id(connection, row.account_id), one)
    count = select(func.count()).select_from(oidc_link).where(oidc_link.c.account_id == one.id)
    if int(connection.execute(count).scalar_one()) >= LINKS_MAX:
        raise BadValue(
            Text(zh=f"一个账户最多关联 {LINKS_MAX} 个身份。", en=f"an account has {LINKS_MAX} subjects at most"),
            Text(zh="请先解除不用的关联。", en="Unlink one that is not used first."),
        )
    made = Link(
        issuer=settings.issuer,
        claim=settings.subject_claim,
        subject=checked,
        account_id=one.id,
        linked_by=by,
        linked_at_ms=now_ms,
    )
    connection.execute(insert(oidc_link).values(msgspec.structs.asdict(made)))
    return made


def unlink(connection: Connection, one: Account, subject: str) -> int:
    """Take a subject, whichever provider it is of, or with an empty one every subject, from an account.

    Raises:
        BadValue: the account has none such.

    """
    statement = delete(oidc_link).where(oidc_link.c.account_id == one.id)
    if subject:
        statement = statement.where(oidc_link.c.subject == subject)
    gone = connection.execute(statement).rowcount
    if not gone:
        raise BadValue(
            Text(zh="这个账户没有关联这个身份。", en="this account is not linked to that subject"),
            Text(
                zh="danglian-hub user list --json 列出全部关联。", en="danglian-hub user list --json shows every link."
            ),
        )
    return gone


def _of_subject(settings: OidcSettings, subject: str) -> Select[str]:
    mine = (oidc_link.c.issuer == settings.issuer, oidc_link.c.claim == settings.subject_claim)
    return select(oidc_link.c.account_id).where(*mine, oidc_link.c.subject == subject)


def _taken(holder: Account | None, one: Account) -> BadValue:
    whose = "" if holder is None else holder.login
    if whose == one.login:
        return BadValue(Text(zh="这个身份已经关联到此账户。", en="this subject is linked to the account already"))
    return BadValue(
        Text(zh=f"这个身份已关联到 {whose}。", en=f"this subject is linked to {whose}"),
        Text(zh="一个身份只能用一个账户登录；请先解除。", en="It signs in as one account; unlink it there first."),
    )


def _link(row: Row[*tuple[object, ...]]) -> Link:
    return msgspec.convert(row, Link, from_attributes=True)
