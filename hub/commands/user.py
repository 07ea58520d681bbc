"""``danglian-hub user``: the accounts of the console, for whoever administers the machine."""

import argparse
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from hub import config
from hub.commands.actions import add_action, operator, seen, written
from hub.commands.listing import check_database, moment, show_table
from hub.home import home_at
from hub.staff import accounts, administration, oidc_links
from hub.staff.accounts import Account
from hub.staff.administration import Actor, NewAccount
from hub.staff.oidc_links import Link
from hub.staff.roles import ROLES, Role
from hub.web_settings import WebSettings
from protocol.errors import BadSetting
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, Parsers, say, say_json, worded
from replication.wall_clock import clock_ms

_HELP = "控制台账户：新增、列出、停用、重置、改角色 / accounts of the console"
_DESCRIPTION = """账户没有初始密码：add 和 reset 给出一次性链接，由本人打开后设置密码，24 小时内有效。
角色：clerk 窗口人员，archivist 档案员，reviewer 审核员，administrator 系统管理员，auditor 审计员；
后三者不能由同一人担任。

There are no first passwords: add and reset print a one-time link by which its owner chooses one within 24 hours.
Of reviewer, administrator and auditor nobody holds two.

  danglian-hub user add lin.min --name 林敏 --role archivist
  danglian-hub user list
  danglian-hub user role lin.min archivist clerk
  danglian-hub user reset lin.min
  danglian-hub user lock lin.min        danglian-hub user lock lin.min --off

统一身份登录（hub.toml 的 [web.oidc]）：只有这里关联过的身份能登录；身份标识在本人第一次尝试时显示。
Sign-in by a provider ([web.oidc] in hub.toml): only linked subjects get in; a person's first attempt shows the subject.

  danglian-hub user link lin.min 7f1c-42    danglian-hub user unlink lin.min    danglian-hub user links
"""

_HEADERS = (
    Text(zh="登录名", en="login"),
    Text(zh="姓名", en="name"),
    Text(zh="角色", en="roles"),
    Text(zh="状态", en="state"),
    Text(zh="动态口令", en="one-time codes"),
    Text(zh="上次登录", en="last sign-in"),
)


class AccountList(msgspec.Struct, frozen=True, kw_only=True):
    """What ``list`` prints as JSON."""

    accounts: list[Account]


_LINK_HEADERS = (
    Text(zh="登录名", en="login"),
    Text(zh="身份标识", en="subject"),
    Text(zh="提供方", en="provider"),
    Text(zh="关联人", en="linked by"),
    Text(zh="时间", en="at"),
)


class LinkedSubject(msgspec.Struct, frozen=True, kw_only=True):
    """An account and a subject that signs in as it."""

    login: str
    link: Link


class LinkList(msgspec.Struct, frozen=True, kw_only=True):
    """What ``links`` prints as JSON."""

    links: list[LinkedSubject]


class LinkMade(msgspec.Struct, frozen=True, kw_only=True):
    """What ``add`` and ``reset`` print as JSON."""

    account: Account
    link: str


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "user", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    made = add_action(actions, "add", "新增账户，给出一次性链接 / add an account, print its link", run)
    made.add_argument("login", help="登录名 / login")
    made.add_argument("--name", required=True, help="姓名 / name")
    made.add_argument("--role", action="append", required=True, choices=[*Role], help="角色，可重复 / role, repeatable")
    add_action(actions, "list", "列出全部账户 / list every account", run)
    locked = add_action(actions, "lock", "停用账户，立即结束其登录 / lock an account, end its sessions", run)
    locked.add_argument("login", help="登录名 / login")
    locked.add_argument("--off", action="store_true", help="重新启用 / unlock it")
    reset = add_action(
        actions, "reset", "清除密码与动态口令，给出一次性链接 / take password and codes away, print a link", run
    )
    reset.add_argument("login", help="登录名 / login")
    roles = add_action(actions, "role", "变更角色 / give other roles", run)
    roles.add_argument("login", help="登录名 / login")
    roles.add_argument("role", nargs="+", choices=[*Role], help="全部角色 / all roles")
    linked = add_action(actions, "link", "关联统一身份 / let a subject of the provider sign in", run)
    linked.add_argument("login", help="登录名 / login")
    linked.add_argument("subject", help="身份标识 / subject")
    unlinked = add_action(actions, "unlink", "解除统一身份 / take a subject away", run)
    unlinked.add_argument("login", help="登录名 / login")
    unlinked.add_argument("subject", nargs="?", default="", help="身份标识，不写则全部 / subject (default: all)")
    add_action(actions, "links", "列出全部关联 / list every link", run)


def run(args: argparse.Namespace) -> int:
    """Do one of them.

    Raises:
        BadSetting: there is no hub in the home, or no provider in its settings.
        BadValue: the login, name or roles are not allowed, or nobody has the login.

    """
    home = home_at(args.home)
    settings = config.load(home.settings)
    check_database(home)
    actor, now_ms = operator(), clock_ms()
    if args.action == "list":
        return _list(seen(home, accounts.listed), as_json=args.json)
    if args.action == "links":
        return _list_links(seen(home, oidc_links.listed), as_json=args.json)
    if args.action in ("add", "reset"):
        made = written(home, lambda found: _invited(found, actor, args, now_ms))
        return _tell_link(LinkMade(account=made.account, link=f"{settings.web.url}/set-up/{made.secret}"), args)
    one = written(home, lambda found: _changed(found, actor, args, settings.web, now_ms))
    if args.json:
        say_json(one)
        return EXIT_OK
    say(Text(zh=f"已保存：{one.login}（{_roles(one).zh}）。", en=f"Done: {one.login} ({_roles(one).en})."))
    return EXIT_OK


def _invited(connection: Connection, actor: Actor, args: argparse.Namespace, now_ms: int) -> NewAccount:
    if args.action == "add":
        roles = [Role(role) for role in args.role]
        return administration.add(connection, actor, args.login, args.name, roles, now_ms)
    return administration.reset(connection, actor, args.login, now_ms)


def _changed(
    connection: Connection, actor: Actor, args: argparse.Namespace, settings: WebSettings, now_ms: int
) -> Account:
    if args.action == "link":
        if settings.oidc is None:
            raise _no_provider()
        return administration.link(connection, actor, settings.oidc, args.login, args.subject, now_ms)
    if args.action == "unlink":
        return administration.unlink(connection, actor, args.login, args.subject, now_ms)
    if args.action == "role":
        roles = [Role(role) for role in args.role]
        return administration.set_roles(connection, actor, args.login, roles, now_ms)
    if args.off:
        return administration.unlock(connection, actor, args.login, now_ms)
    return administration.lock(connection, actor, args.login, now_ms)


def _no_provider() -> BadSetting:
    return BadSetting(
        Text(zh="hub.toml 中没有 [web.oidc]。", en="there is no [web.oidc] in hub.toml"),
        Text(
            zh="请先按 deploy/hub.example.toml 写明提供方。", en="Name the provider first; see deploy/hub.example.toml."
        ),
    )


def _list_links(found: Sequence[tuple[str, Link]], *, as_json: bool) -> int:
    if as_json:
        say_json(LinkList(links=[LinkedSubject(login=login, link=link) for login, link in found]))
        return EXIT_OK
    rows = [(login, one.subject, one.issuer, one.linked_by, moment(one.linked_at_ms)) for login, one in found]
    show_table(_LINK_HEADERS, rows)
    say(Text(zh=f"共 {len(found)} 个关联。", en=f"{Count(len(found)):link|links}."))
    return EXIT_OK


def _tell_link(made: LinkMade, args: argparse.Namespace) -> int:
    if args.json:
        say_json(made)
        return EXIT_OK
    say(
        Text(
            zh=f"请把此链接交给 {made.account.name} 本人（只能用一次，24 小时内有效）：\n\n    {made.link}\n",
            en=f"Give this link to {made.account.name} (good once, for 24 hours):\n\n    {made.link}\n",
        )
    )
    return EXIT_OK


def _list(found: Sequence[Account], *, as_json: bool) -> int:
    if as_json:
        say_json(AccountList(accounts=list(found)))
        return EXIT_OK
    show_table(_HEADERS, [_cells(one) for one in found])
    say(Text(zh=f"共 {len(found)} 个账户。", en=f"{Count(len(found)):account|accounts}."))
    return EXIT_OK


def _cells(one: Account) -> tuple[str, ...]:
    state = Text(zh="正常", en="active")
    if one.locked_at_ms is not None:
        state = Text(zh=f"已停用，自 {moment(one.locked_at_ms)}", en=f"locked since {moment(one.locked_at_ms)}")
    elif not one.has_password:
        state = Text(zh="未设密码", en="no password yet")
    codes = Text(zh="已启用", en="on") if one.has_totp else Text(zh="未启用", en="off")
    return (one.login, one.name, worded(_roles(one)), worded(state), worded(codes), moment(one.signed_in_at_ms))


def _roles(one: Account) -> Text:
    return Text(zh="、".join(ROLES[role].zh for role in one.roles), en=", ".join(ROLES[role].en for role in one.roles))
