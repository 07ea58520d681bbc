"""What is done to accounts, by an administrator in the console or by a command, each with its line in the audit log.

Whatever changes what a person may do ends that person's sessions, so that it holds at once.
"""

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry
from hub.staff import accounts, invitations, oidc_links, sessions, sign_in
from hub.staff.accounts import Account
from hub.staff.invitations import Invitation
from hub.staff.oidc_settings import OidcSettings
from hub.staff.roles import Role
from protocol.errors import BadValue, Refused
from protocol.wording import Text


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who does something, and from where."""

    who: str
    origin: str = ""


class NewAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account that was made or reset, with the secret of the link by which its owner chooses a password."""

    account: Account
    secret: str


def found(connection: Connection, login: str) -> Account:
    """Return the account of a login.

    Raises:
        BadValue: nobody has it.

    """
    one = accounts.by_login(connection, login)
    if one is None:
        raise BadValue(
            Text(zh="没有这个登录名。", en="there is no such login"),
            Text(zh="danglian-hub user list 列出全部账户。", en="danglian-hub user list shows every account."),
        )
    return one


def add(
    connection: Connection, actor: Actor, login: str, name: str, roles: Collection[Role], now_ms: int
) -> NewAccount:
    """Make an account and a link for its owner.

    Raises:
        BadValue: see ``accounts.add``.

    """
    made = accounts.add(connection, login, name, roles, now_ms)
    _note(connection, actor, Action.ACCOUNT_ADDED, made, now_ms, _named(made.roles))
    return NewAccount(account=made, secret=invitations.issue(connection, made.id, now_ms))


def reset(connection: Connection, actor: Actor, login: str, now_ms: int) -> NewAccount:
    """Take password and one-time codes away, forget failures, and make a link for a new password.

    A lock stays: who was locked on purpose does not come back by this way.

    Raises:
        BadValue: nobody has the login.
        Refused: it is the actor's own.

    """
    one = found(connection, login)
    _not_oneself(actor, one)
    accounts.set_password(connection, one.id, "", now_ms)
    accounts.set_totp(connection, one.id, "")
    sign_in.forgive(connection, one)
    sessions.end_all(connection, one.id)
    _note(connection, actor, Action.ACCOUNT_RESET, one, now_ms)
    return NewAccount(account=one, secret=invitations.issue(connection, one.id, now_ms))


def lock(connection: Connection, actor: Actor, login: str, now_ms: int) -> Account:
    """Lock an account and end its sessions.

    Raises:
        BadValue: nobody has the login, or nobody would be left to administer.
        Refused: it is the actor's own.

    """
    one = found(connection, login)
    _not_oneself(actor, one)
    accounts.lock(connection, one, now_ms)
    sessions.end_all(connection, one.id)
    invitations.void(connection, one.id)
    _note(connection, actor, Action.ACCOUNT_LOCKED, one, now_ms)
    return one


def unlock(connection: Connection, actor: Actor, login: str, now_ms: int) -> Account:
    """Let an account be used again, its failures forgotten.

    Raises:
        BadValue: nobody has the login.

    """
    one = found(connection, login)
    accounts.unlock(connection, one)
    sign_in.forgive(connection, one)
    _note(connection, actor, Action.ACCOUNT_UNLOCKED, one, now_ms)
    return one


def set_roles(connection: Connection, actor: Actor, login: str, roles: Collection[Role], now_ms: int) -> Account:
    """Give an account other roles and end its sessions.

    Raises:
        BadValue: nobody has the login, the roles may not go together, or nobody would be left to administer.
        Refused: it is the actor's own.

    """
    one = found(connection, login)
    _not_oneself(actor, one)
    held = accounts.set_roles(connection, one, roles)
    sessions.end_all(connection, one.id)
    _note(connection, actor, Action.ROLES_CHANGED, one, now_ms, f"{_named(one.roles)} -> {_named(held)}")
    return msgspec.structs.replace(one, roles=held)


def link(
    connection: Connection, actor: Actor, settings: OidcSettings, login: str, subject: str, now_ms: int
) -> Account:
    """Let a subject of a provider sign in as an account.

    Raises:
        BadValue: nobody has the login, or the subject cannot be linked to it.
        Refused: it is the actor's own.

    """
    one = found(connection, login)
    _not_oneself(actor, one)
    made = oidc_links.link(connection, settings, one, subject, actor.who, now_ms)
    _note(connection, actor, Action.ACCOUNT_LINKED, one, now_ms, f"{made.issuer} {made.claim}={made.subject}")
    return one


def unlink(connection: Connection, actor: Actor, login: str, subject: str, now_ms: int) -> Account:
    """Take a subject of a provider, or with an empty one all, from an account, and end its sessions.

    Raises:
        BadValue: nobody has the login, or the account has no such subject.
        Refused: it is the actor's own.

    """
    one = found(connection, login)
    _not_oneself(actor, one)
    oidc_links.unlink(connection, one, subject)
    sessions.end_all(connection, one.id)
    _note(connection, actor, Action.ACCOUNT_UNLINKED, one, now_ms, subject)
    return one


def choose_password(connection: Connection, link: Invitation, sealed: str, origin: str, now_ms: int) -> Account:
    """Use a link up and store the password that its owner chose.

    Raises:
        Refused: the link was used in the meantime, or its account is locked.

    """
    one = None if link.account_id is None else accounts.by_id(connection, link.account_id)
    if one is None or one.locked_at_ms is not None or not invitations.use(connection, link, now_ms):
        raise _link_used()
    accounts.set_password(connection, one.id, sealed, now_ms)
    sessions.end_all(connection, one.id)
    _note(connection, Actor(who=one.login, origin=origin), Action.LINK_USED, one, now_ms)
    return one


def make_first(
    connection: Connection, link: Invitation, login: str, name: str, sealed: str, origin: str, now_ms: int
) -> Account:
    """Use the first link up and make the administrator whom it is for.

    Raises:
        BadValue: the login or the name is not allowed.
        Refused: the link was used in the meantime.

    """
    if link.account_id is not None or accounts.administrators(connection, with_password=False):
        raise _link_used()
    made = accounts.add(connection, login, name, (Role.ADMINISTRATOR,), now_ms)
    if not invitations.use(connection, link, now_ms):
        raise _link_used()
    accounts.set_password(connection, made.id, sealed, now_ms)
    actor = Actor(who=made.login, origin=origin)
    _note(connection, actor, Action.LINK_USED, made, now_ms)
    _note(connection, actor, Action.ACCOUNT_ADDED, made, now_ms, _named(made.roles))
    return made


def _link_used() -> Refused:
    return Refused(
        Text(zh="链接已失效。", en="this link is not good any more"),
        Text(zh="请向系统管理员要一个新的链接。", en="Ask the administrator for a new link."),
    )


def _not_oneself(actor: Actor, one: Account) -> None:
    if actor.who == one.login:
        raise Refused(
            Text(zh="不能对自己的账户这样做。", en="nobody does this to the own account"),
            Text(zh="请由另一位系统管理员办理。", en="Have another administrator do it."),
        )


def _note(connection: Connection, actor: Actor, action: Action, one: Account, now_ms: int, detail: str = "") -> None:
    entry = AuditEntry(who=actor.who, action=action, object=one.login, origin=actor.origin, detail=detail)
    audit.append(connection, entry, now_ms)


def _named(roles: Collection[Role]) -> str:
    return ",".join(role.value for role in roles)
