"""``danglian-hub token``: the tokens by which other systems use the hub's interface."""

import argparse

import msgspec

from hub import config
from hub.commands.actions import add_action, operator, seen, written
from hub.commands.listing import check_database, moment, show_table
from hub.home import home_at
from hub.staff import tokens
from hub.staff.tokens import LIFE_DAYS_DEFAULT, LIFE_DAYS_MAX, SCOPES, Scope, Token
from protocol.wording import Text
from replication.command_line import EXIT_OK, Parsers, say, say_json, worded
from replication.wall_clock import clock_ms

_HELP = "接口令牌：新增、列出、撤销 / tokens for other systems: add, list, revoke"
_DESCRIPTION = """其他系统凭令牌使用 /api/v1 与 /metrics。令牌只在新增时显示一次，库中只存摘要；到期或撤销后即失效。

Other systems use /api/v1 and /metrics with a token. It is shown once, when it is made; the store keeps its digest.

  danglian-hub token add 省档案馆目录 --scope catalogue --days 365
  danglian-hub token add prometheus --scope metrics
  danglian-hub token list
  danglian-hub token revoke 3fa94c01
  curl -H "Authorization: Bearer dl_…" http://127.0.0.1:4225/api/v1/sites

范围 / scopes:
""" + "".join(f"  {scope:<18}{words.zh} / {words.en}\n" for scope, words in SCOPES.items())

_HEADERS = (
    Text(zh="编号", en="id"),
    Text(zh="名称", en="name"),
    Text(zh="范围", en="scopes"),
    Text(zh="状态", en="state"),
    Text(zh="到期", en="expires"),
    Text(zh="上次使用", en="last use"),
)


class TokenList(msgspec.Struct, frozen=True, kw_only=True):
    """What ``list`` prints as JSON."""

    tokens: list[Token]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "token", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    made = add_action(actions, "add", "新增令牌，只显示一次 / make a token, shown once", run)
    made.add_argument("name", help="使用它的系统 / the system that uses it")
    made.add_argument("--scope", action="append", required=True, choices=[*Scope], help="范围，可重复 / repeatable")
    made.add_argument(
        "--days",
        type=int,
        default=LIFE_DAYS_DEFAULT,
        metavar="N",
        help=f"有效天数，1–{LIFE_DAYS_MAX}（默认 {LIFE_DAYS_DEFAULT}）/ days for which it is good",
    )
    add_action(actions, "list", "列出全部令牌 / list every token", run)
    revoked = add_action(actions, "revoke", "撤销令牌，立即失效 / revoke a token at once", run)
    revoked.add_argument("id", help="编号 / its id")


def run(args: argparse.Namespace) -> int:
    """Do one of them.

    Raises:
        BadSetting: there is no hub in the home.
        BadValue: name, scopes or days are not allowed, or there is no such token.

    """
    home = home_at(args.home)
    config.load(home.settings)
    check_database(home)
    actor, now_ms = operator(), clock_ms()
    if args.action == "list":
        return _list(seen(home, tokens.listed), now_ms, as_json=args.json)
    if args.action == "revoke":
        one = written(home, lambda connection: tokens.revoke(connection, actor, args.id, now_ms))
        if args.json:
            say_json(one)
        else:
            say(Text(zh=f"已撤销：{one.name}。", en=f"Revoked: {one.name}."))
        return EXIT_OK
    scopes = [Scope(one) for one in args.scope]
    made = written(home, lambda connection: tokens.add(connection, actor, args.name, scopes, now_ms, days=args.days))
    if args.json:
        say_json(made)
    else:
        say(Text(zh="令牌（只显示这一次）：", en="The token, shown this once:"))
        print(made.secret)
    return EXIT_OK


def _list(found: list[Token], now_ms: int, *, as_json: bool) -> int:
    if as_json:
        say_json(TokenList(tokens=found))
    else:
        show_table(_HEADERS, [_cells(one, now_ms) for one in found])
    return EXIT_OK


def _cells(one: Token, now_ms: int) -> tuple[str, ...]:
    state = Text(zh="有效", en="good")
    if one.revoked_at_ms is not None:
        state = Text(zh="已撤销", en="revoked")
    elif not one.is_good(now_ms):
        state = Text(zh="已过期", en="expired")
    used = "—" if one.used_at_ms is None else moment(one.used_at_ms)
    return one.id, one.name, ",".join(one.scopes), worded(state), moment(one.expires_at_ms), used
