"""``danglian-hub transfer codes``: the rules by which the archive numbers what it takes, and what they would give."""

import argparse
from collections.abc import Sequence

from sqlalchemy import Connection

from hub.commands.listing import show_table
from hub.staff.administration import Actor
from hub.transfers import archive_codes
from hub.transfers.archive_codes import CodeRule
from hub.transfers.archive_numbers import GivenCode
from protocol.errors import BadValue
from protocol.sites import parse_site
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, say, say_json
from replication.database import Database
from replication.transfer_log import transfer_named
from replication.wall_clock import clock_ms

CODES_SHOWN_MAX = 50
"""Codes that are printed one by one; the first and the last of more."""

_RULES = (
    Text(zh="站点", en="site"),
    Text(zh="室编全宗", en="office fonds"),
    Text(zh="馆编全宗", en="archive fonds"),
    Text(zh="目录号", en="catalogue"),
    Text(zh="规则", en="pattern"),
)
_CODES = (Text(zh="室编档号", en="office code"), Text(zh="馆编档号", en="archive code"))


def add_codes(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Give the command its action ``codes``."""
    codes = actions.add_parser(
        "codes",
        help="馆编档号：定规则、预览 / the archive's own codes: rules, preview",
        description="不写编号：列出规则。写编号：预览接收后各条的馆编档号（不占号）。--pattern：定规则。\n"
        "接收时 transfer accept 编号 --number 按规则编号，号码给出后不再给别人；室编档号照旧保留。\n"
        "Without NUMBER: the rules. With it: what an acceptance would give; nothing is given before.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    codes.add_argument("number", nargs="?", default="", metavar="NUMBER", help="移交编号 / number of a transfer")
    codes.add_argument(
        "--pattern",
        default="",
        metavar="PATTERN",
        help="如 {fonds}-WS·{year}·{retention}-{item:4} 或 {fonds}-{catalogue}-{volume:3}-{item:4} / set a rule",
    )
    codes.add_argument("--site", default="", metavar="CODE", help="只对该站点 / for one site")
    codes.add_argument("--office-fonds", default="", metavar="NO", help="只对该室编全宗 / for one fonds of the office")
    codes.add_argument("--fonds", default="", metavar="NO", help="馆编全宗号 / the archive's fonds number")
    codes.add_argument("--catalogue", default="", metavar="NO", help="馆编目录号 / the archive's catalogue number")


async def codes(database: Database, actor: Actor, args: argparse.Namespace) -> int:
    """Show rules, set one, or preview.

    Raises:
        BadValue: the pattern cannot be used, no rule fits, or a record does not say what its rule needs.

    """
    if args.pattern:
        rule = CodeRule(
            site=parse_site(args.site).code if args.site else "",
            office_fonds=args.office_fonds,
            fonds=args.fonds,
            catalogue=args.catalogue,
            pattern=args.pattern,
            set_by=actor.who,
        )
        await database.write(lambda c: archive_codes.set_rule(c, rule, clock_ms()))
    elif args.site or args.fonds or args.catalogue or args.office_fonds:
        raise BadValue(Text(zh="定规则要写 --pattern。", en="a rule needs its --pattern"))
    if args.number:
        given = await database.read(lambda c: _preview(c, args.number))
        if args.json:
            say_json(given)
        else:
            _show_codes(given)
        return EXIT_OK
    known = await database.read(archive_codes.rules)
    if args.json:
        say_json(known)
    else:
        show_table(
            _RULES,
            [(one.site or "*", one.office_fonds or "*", one.fonds, one.catalogue, one.pattern) for one in known],
        )
    return EXIT_OK


def _preview(connection: Connection, number: str) -> list[GivenCode]:
    return archive_codes.preview(connection, transfer_named(connection, number))


def _show_codes(given: Sequence[GivenCode]) -> None:
    shown = given if len(given) <= CODES_SHOWN_MAX else (*given[: CODES_SHOWN_MAX - 1], given[-1])
    show_table(_CODES, [(one.office_code, one.code) for one in shown])
    say(
        Text(
            zh=f"共 {len(given)} 条，均未占号；接收时加 --number 才给出。",
            en=f"{Count(len(given)):item|items}; nothing is given before they are accepted with --number",
        )
    )
