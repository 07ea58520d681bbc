"""``danglian-hub statement``: statements of completeness are made for a request, and verified by anybody."""

import argparse
import asyncio
import sys
import uuid
from pathlib import Path
from uuid import UUID

import msgspec

from hub import config
from hub.commands.actions import operator
from hub.commands.listing import check_database
from hub.home import HubHome, add_home_option, home_at
from hub.storage import store
from hub.window import ledger, statements
from hub.window.statement_words import in_words
from hub.window.statements import Maker
from protocol.completeness import STATEMENT_BYTES_MAX, Statement, verified_statement
from protocol.errors import BadSetting, BadValue
from protocol.wording import Text
from replication.command_line import EXIT_OK, Parsers, language, say, say_json
from replication.database import Database
from replication.keys import load_identity, verified
from replication.wall_clock import clock_ms

_HELP = "查询范围说明：出具、验证 / statements of completeness: make, verify"
_DESCRIPTION = """说明一次查档问过哪些站点、各站怎么答复、目录副本有多旧、哪些没有编目；
由县级密钥签名，改动一个字即可发现。verify 不需要数据库，也不需要联网；
在县级主机以外验证时，用 --key 给出县档案馆公布的公钥。

Says which sites were asked, what each said, how old each copy was and what is not catalogued; signed by the hub, so
that any change shows. verify needs no database and no network; elsewhere give the county's public key with --key.

  danglian-hub statement make CD2026-000123 --out statement.json
  danglian-hub statement verify statement.json
  danglian-hub statement verify statement.json --key UABC… --json
"""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What ``verify`` prints as JSON."""

    key: str
    is_trusted: bool
    """The key is the one that was given, or this hub's."""
    statement: Statement


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "statement", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    made = actions.add_parser("make", help="为一份申请出具说明 / make one for a request")
    made.add_argument("request", help="登记号或申请标识 / number in the register, or id")
    made.add_argument("--out", type=Path, required=True, metavar="FILE", help="写到这个文件 / the file to write")
    checked = actions.add_parser("verify", help="验证一份说明 / verify one")
    checked.add_argument("file", type=Path, help="说明文件 / the file")
    checked.add_argument("--key", default="", metavar="U…", help="县档案馆的公钥 / the county's public key")
    for action in (made, checked):
        add_home_option(action)
        action.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make, or verify; a statement that is not right is an error."""
    home = home_at(args.home)
    return _make(home, args) if args.action == "make" else _verify(home, args)


def _make(home: HubHome, args: argparse.Namespace) -> int:
    settings = config.load(home.settings)
    check_database(home)
    maker = Maker(county=settings.county, county_name=settings.name, identity=load_identity(home.hub_seed))
    raw = asyncio.run(_made(home, maker, args.request))
    try:
        args.out.write_bytes(raw + b"\n")
    except OSError as error:
        raise BadSetting(
            Text(zh=f"写不进 {args.out}：{error.strerror}", en=f"cannot write {args.out}: {error.strerror}"),
            Text(zh="请换一个文件名或文件夹。", en="Choose another name or folder."),
        ) from error
    statement, _ = verified_statement(raw, verified, (maker.identity.public_key,))
    if args.json:
        say_json(statement)
    else:
        sys.stdout.write("\n".join(in_words(statement, language())) + "\n")
    return EXIT_OK


async def _made(home: HubHome, maker: Maker, written: str) -> bytes:
    now_ms, who = clock_ms(), operator().who
    async with store.opened(home) as database:
        request_id = await _request(database, written)
        return await database.write(
            lambda connection: statements.make(connection, maker, request_id, uuid.uuid4(), by=who, now_ms=now_ms)
        )


async def _request(database: Database, written: str) -> UUID:
    found = await database.read(lambda connection: ledger.by_number(connection, written))
    if found is not None:
        return found.request_id
    try:
        return UUID(written)
    except ValueError as error:
        raise BadValue(
            Text(zh=f"没有申请 {written}。", en=f"there is no request {written}"),
            Text(zh="请写登记号，例如 CD2026-000123。", en="Give its number, for example CD2026-000123."),
        ) from error


def _verify(home: HubHome, args: argparse.Namespace) -> int:
    try:
        with args.file.open("rb") as file:
            raw = file.read(STATEMENT_BYTES_MAX + 2)
    except OSError as error:
        raise BadSetting(
            Text(zh=f"读不到 {args.file}：{error.strerror}", en=f"cannot read {args.file}: {error.strerror}"),
            Text(zh="请核对文件名。", en="See whether the name is right."),
        ) from error
    trusted = args.key or (load_identity(home.hub_seed).public_key if home.hub_seed.exists() else "")
    statement, key = verified_statement(raw, verified, (trusted,) if trusted else ())
    if args.json:
        say_json(Verified(key=key, is_trusted=bool(trusted), statement=statement))
        return EXIT_OK
    sys.stdout.write("\n".join(in_words(statement, language())) + "\n\n")
    if trusted:
        say(Text(zh=f"签名有效，内容未改动。公钥 {key}", en=f"The signature is right, nothing was altered. Key {key}"))
    else:
        say(
            Text(
                zh=f"签名与内容相符，公钥 {key}。请与县档案馆公布的公钥核对，或用 --key 给出。",
                en=f"The signature fits the content; its key is {key}. Compare it with the one that the county"
                " publishes, or give that with --key.",
            )
        )
    return EXIT_OK
