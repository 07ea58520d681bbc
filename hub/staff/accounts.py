"""Accounts: the persons who may sign in at the console. Statements and steps; what the rules are is said in ``roles``.

An account is never deleted, since the audit log names it: it is locked.
"""

import re
import secrets
import unicodedata
from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from hub.staff.account_tables import account, account_role
from hub.staff.roles import Permission, Role, checked_roles, permissions_of
from protocol.errors import BadValue
from protocol.wording import Text

NAME_CHARS_MAX = 40
"""Characters of a person's name."""

ACCOUNTS_MAX = 2_000
"""Accounts that a county may have: the staff of an archive many times over."""

_LOGIN = re.compile(r"[a-z0-9\u4e00-\u9fff][a-z0-9\u4e00-\u9fff._-]{1,31}")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One person's account, without its secrets."""

    id: str
    login: str
    name: str
    roles: tuple[Role, ...]
    has_password: bool
    has_totp: bool
    locked_at_ms: int | None = None
    language: str = ""
    theme: str = ""
    created_at_ms: int
    signed_in_at_ms: int | None = None
    password_set_at_ms: int | None = None

    @property
    def permissions(self) -> frozenset[Permission]:
        """Everything that this person may do."""
        return permissions_of(self.roles)


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """What an account is known by."""

    sealed_password: str = ""
    totp_secret: str = ""
    totp_step: int = 0
    """Step of time of the last code that was taken: no code counts twice."""


def folded_login(text: str) -> str:
    """Return a login as it is stored and compared."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def checked_login(text: str) -> str:
    """Return a new login.

    Raises:
        BadValue: it is too short, too long, or holds something else than letters, digits, Han and ``. _ -``.

    """
    login = folded_login(text)
    if _LOGIN.fullmatch(login) is None:
        raise BadValue(
            Text(zh="登录名不合要求。", en="this is no login"),
            Text(
                zh="2 至 32 个字符：小写字母、数字、汉字、点、横线、下划线，例如 lin.min。",
                en="2 to 32 small letters, digits, Chinese characters, dots and dashes, for example lin.min.",
            ),
        )
    return login


def checked_name(text: str) -> str:
    """Return a person's name without what is not seen.

    Raises:
        BadValue: it is empty or too long.

    """
    name = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    if not name or len(name) > NAME_CHARS_MAX:
        raise BadValue(
            Text(zh="请填写姓名。", en="the name is missing or too long"),
            Text(zh=f"1 至 {NAME_CHARS_MAX} 个字符。", en=f"1 to {NAME_CHARS_MAX} characters."),
        )
    return name


# Reading


def by_id(connection: Connection, account_id: str) -> Account | None:
    """Return one account."""
    return _one(connection, account.c.id == account_id)


def by_login(connection: Connection, login: str) -> Account | None:
    """Return the account of a login as somebody typed it."""
    return _one(connection, account.c.login == folded_login(login))


def listed(connection: Connection) -> list[Account]:
    """Return every account in the order of logins."""
    held: dict[str, list[Role]] = {}
    for row in connection.execute(select(account_role)):
        held.setdefault(row.account_id, []).append(Role(row.role))
    rows = connection.execute(select(account).order_by(account.c.login).limit(ACCOUNTS_MAX))
    return [account_of(row, held.get(row.id, ())) for row in rows]


def secrets_of(connection: Connection, account_id: str) -> Secrets:
    """Return what an account is known by."""
    columns = (account.c.sealed_password, account.c.totp_secret, account.c.totp_step)
    row = connection.execute(select(*columns).where(account.c.id == account_id)).one_or_none()
    return Secrets() if row is None else msgspec.convert(row, Secrets, from_attributes=True)


def administrators(connection: Connection, *, with_password: bool = True) -> list[str]:
    """Return the ids of the accounts that administer: not locked, and able to sign in now unless told otherwise."""
    statement = (
        select(account.c.id)
        .join(account_role, account_role.c.account_id == account.c.id)
        .where(account_role.c.role == Role.ADMINISTRATOR.value)
        .where(account.c.locked_at_ms.is_(None))
    )
    if with_password:
        statement = statement.where(account.c.sealed_password != "")
    return [row.id for row in connection.execute(statement)]


def _one(connection: Connection, condition: object) -> Account | None:
    row = connection.execute(select(account).where(condition)).one_or_none()  # type: ignore[arg-type]
    if row is None:
        return None
    held = connection.execute(select(account_role.c.role).where(account_role.c.account_id == row.id))
    return account_of(row, [Role(one.role) for one in held])


def account_of(row: Row[*tuple[object, ...]], roles: Collection[Role]) -> Account:
    """Return the account of a row in which its columns stand."""
    return Account(
        id=row.id,
        login=row.login,
        name=row.name,
        roles=tuple(role for role in Role if role in roles),
        has_password=bool(row.sealed_password),
        has_totp=bool(row.totp_secret),
        locked_at_ms=row.locked_at_ms,
        language=row.language,
        theme=row.theme,
        created_at_ms=row.created_at_ms,
        signed_in_at_ms=row.signed_in_at_ms,
        password_set_at_ms=row.password_set_at_ms,
    )


# Writing


def add(connection: Connection, login: str, name: str, roles: Collection[Role], now_ms: int) -> Account:
    """Make an account without a password; nobody can sign in with it until its owner has chosen one.

    Raises:
        BadValue: the login, the name or the roles are not allowed, or the login is taken.

    """
    chosen, called, held = checked_login(login), checked_name(name), checked_roles(roles)
    if by_login(connection, chosen) is not None:
        raise BadValue(
            Text(zh=f"登录名 {chosen} 已有人使用。", en=f"the login {chosen} is taken"),
            Text(zh="请另选一个登录名。", en="Choose another login."),
        )
    if int(connection.execute(select(func.count()).select_from(account)).scalar_one()) >= ACCOUNTS_MAX:
        raise BadValue(Text(zh=f"账户已达 {ACCOUNTS_MAX} 个。", en=f"there are {ACCOUNTS_MAX} accounts already"))
    made = Account(
        id=secrets.token_hex(8),
        login=chosen,
        name=called,
        roles=held,
        has_password=False,
        has_totp=False,
        created_at_ms=now_ms,
    )
    values = {"id": made.id, "login": chosen, "name": called, "created_at_ms": now_ms}
    connection.execute(insert(account).values(values))
    _hold(connection, made.id, held)
    return made


def set_roles(connection: Connection, one: Account, roles: Collection[Role]) -> tuple[Role, ...]:
    """Give an account these roles and no others.

    Raises:
        BadValue: two of them are separated, none is named, or nobody would be left to administer.

    """
    held = checked_roles(roles)
    if Role.ADMINISTRATOR not in held:
        _keep_an_administrator(connection, one)
    connection.execute(delete(account_role).where(account_role.c.account_id == one.id))
    _hold(connection, one.id, held)
    return held


def lock(connection: Connection, one: Account, now_ms: int) -> None:
    """Let nobody sign in with an account.

    Raises:
        BadValue: nobody would be left to administer.

    """
    _keep_an_administrator(connection, one)
    connection.execute(update(account).where(account.c.id == one.id).values(locked_at_ms=now_ms))


def unlock(connection: Connection, one: Account) -> None:
    """Let an account be used again."""
    connection.execute(update(account).where(account.c.id == one.id).values(locked_at_ms=None))


def set_password(connection: Connection, account_id: str, sealed: str, now_ms: int) -> None:
    """Store a sealed password; an empty one takes it away."""
    values = {"sealed_password": sealed, "password_set_at_ms": now_ms}
    connection.execute(update(account).where(account.c.id == account_id).values(values))


def set_totp(connection: Connection, account_id: str, secret: str, step: int = 0) -> None:
    """Store the secret of one-time codes and the step of the code that proved it; an empty one turns them off."""
    connection.execute(update(account).where(account.c.id == account_id).values(totp_secret=secret, totp_step=step))


def take_code(connection: Connection, account_id: str, step: int) -> bool:
    """Note that the code of a step was used; False if it was used before."""
    unused = update(account).where(account.c.id == account_id, account.c.totp_step < step)
    return connection.execute(unused.values(totp_step=step)).rowcount == 1


def note_sign_in(connection: Connection, account_id: str, now_ms: int) -> None:
    """Note when somebody signed in last."""
    connection.execute(update(account).where(account.c.id == account_id).values(signed_in_at_ms=now_ms))


def set_preferences(connection: Connection, account_id: str, *, language: str = "", theme: str = "") -> None:
    """Store the language or the theme that somebody chose; an empty one changes nothing."""
    chosen = {"language": language, "theme": theme}
    values = {name: value for name, value in chosen.items() if value}
    if values:
        connection.execute(update(account).where(account.c.id == account_id).values(values))


def _hold(connection: Connection, account_id: str, roles: Collection[Role]) -> None:
    connection.execute(insert(account_role), [{"account_id": account_id, "role": role.value} for role in roles])


def _keep_an_administrator(connection: Connection, one: Account) -> None:
    if administrators(connection) == [one.id]:
        raise BadValue(
            Text(zh="这是唯一的系统管理员。", en="this is the only administrator"),
            Text(zh="请先新增另一位系统管理员。", en="Make another administrator first."),
        )
