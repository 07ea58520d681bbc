"""``danglian-hub alarms``: lists what is wrong at the sites and who was told, and notes who looks after it."""

import argparse
import asyncio
import getpass
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from hub import config
from hub.alarm import alarm_book
from hub.alarm.alarms import CAUSES, KINDS, Alarm
from hub.commands.actions import operator
from hub.commands.listing import check_database, moment, show_table
from hub.home import HubHome, add_home_option, home_at
from hub.membership import keyring
from hub.sites import site_orders
from hub.sites.board import matches
from hub.storage import store
from protocol.errors import BadSetting
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, Parsers, say, say_json, worded
from replication.wall_clock import clock_ms

ALARMS_SHOWN_MAX = 500
"""Alarms in one list."""

NOTE_CHARS_MAX = 500
"""Characters of a note."""

_HELP = "告警：哪些站点出了问题、告诉了谁 / what is wrong at the sites, and who was told"
_DESCRIPTION = """站点在办公时间内没有声息，或看似正常却毫无进展，都会自动开出告警：附推测原因和依据，
按村、乡镇、县逐级告知，站点恢复后自动关闭并留作历史。ack 表示有人在处理：七天内不再逐级告知。

Silence in office hours, and stalls that look healthy, open an alarm by themselves: with a guessed cause and its
evidence, told from village to township to county, closed by itself once it is over, and kept as history. ack says that
somebody looks after it: it is then not told further for a week.

  danglian-hub alarms
  danglian-hub alarms list --all --site '330523108*'
  danglian-hub alarms ack 17 --note "已电话联系，周一换电源"
"""

_HEADERS = (
    Text(zh="编号", en="id"),
    Text(zh="代码", en="site"),
    Text(zh="名称", en="name"),
    Text(zh="告警", en="alarm"),
    Text(zh="推测原因与依据", en="guessed cause, evidence"),
    Text(zh="开始", en="since"),
    Text(zh="已告知", en="told"),
    Text(zh="处理", en="looked after"),
    Text(zh="关闭", en="closed"),
)


class ToldLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who was told, when, and how to reach them."""

    addressee: str
    told_at_ms: int
    contact: str = ""


class AlarmLine(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm with what belongs to it."""

    alarm: Alarm
    name: str
    words: Text
    cause: Text
    told: tuple[ToldLine, ...]


class AlarmList(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints as JSON."""

    open: int
    alarms: list[AlarmLine]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "alarms", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument(
        "action", nargs="?", choices=("list", "ack"), default="list", help="list 列出（默认），ack 认领 / list or ack"
    )
    parser.add_argument("id", nargs="?", type=int, metavar="ID", help="告警编号 / the alarm's number")
    parser.add_argument("--note", default="", help="处理说明 / what is being done about it")
    parser.add_argument("--by", default="", help="处理人（默认为当前系统用户）/ who looks after it (default: the user)")
    parser.add_argument("--site", default="", metavar="GLOB", help="只看这些站点 / only these sites: 330523108*")
    parser.add_argument("--all", action="store_true", help="连同已关闭的 / closed ones too")
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List, or acknowledge.

    Raises:
        BadSetting: ack without a number.
        BadValue: there is no such alarm.

    """
    home = home_at(args.home)
    settings = config.load(home.settings)
    check_database(home)
    if args.action == "ack":
        return _acknowledge(home, args)
    found = asyncio.run(listed(home, settings.alarms.contacts, args.site, with_closed=args.all))
    if args.json:
        say_json(found)
        return EXIT_OK
    show_table(_HEADERS, [_cells(line) for line in found.alarms])
    say(Text(zh=f"未关闭的告警 {found.open} 个。", en=f"{Count(found.open):alarm is|alarms are} open."))
    return EXIT_OK


def _acknowledge(home: HubHome, args: argparse.Namespace) -> int:
    if args.id is None:
        raise BadSetting(
            Text(zh="没有写告警编号。", en="no alarm was named"),
            Text(zh="例如：danglian-hub alarms ack 17 --note 已联系", en="For example: danglian-hub alarms ack 17"),
        )
    who, note = args.by or getpass.getuser(), args.note[:NOTE_CHARS_MAX]
    now_ms = clock_ms()

    async def note_it() -> Alarm:
        async with store.opened(home) as database:
            return await database.write(lambda c: site_orders.attend(c, operator(), args.id, who, note, now_ms))

    alarm = asyncio.run(note_it())
    if args.json:
        say_json(alarm)
    else:
        said = KINDS[alarm.kind]
        say(
            Text(
                zh=f"告警 {alarm.id}（{alarm.site} {said.zh}）由 {who} 处理。",
                en=f"Alarm {alarm.id} ({alarm.site}, {said.en}) is looked after by {who}.",
            )
        )
    return EXIT_OK


async def listed(
    home: HubHome, contacts: Mapping[str, str], site_glob: str = "", *, with_closed: bool = False
) -> AlarmList:
    """Read the book of alarms, whether the daemon runs or not."""

    def step(connection: Connection) -> list[AlarmLine]:
        names = keyring.site_names(connection)
        found = [
            one
            for one in alarm_book.listed(connection, with_closed=with_closed, limit=ALARMS_SHOWN_MAX)
            if matches(one.site, site_glob)
        ]
        told = alarm_book.notices(connection, [one.id for one in found])
        return [_line(one, names.get(one.site, ""), told.get(one.id, []), contacts) for one in found]

    async with store.opened(home, read_only=True) as database:
        lines = await database.read(step)
    return AlarmList(open=sum(line.alarm.closed_at_ms is None for line in lines), alarms=lines)


def _line(one: Alarm, name: str, told: Sequence[tuple[str, int]], contacts: Mapping[str, str]) -> AlarmLine:
    lines = tuple(ToldLine(addressee=who, told_at_ms=at_ms, contact=contacts.get(who, "")) for who, at_ms in told)
    return AlarmLine(alarm=one, name=name, words=KINDS[one.kind], cause=CAUSES[one.cause], told=lines)


def _cells(line: AlarmLine) -> tuple[str, ...]:
    one = line.alarm
    flapping = worded(Text(zh=f"（反复 {one.reopened} 次）", en=f" (came back {Count(one.reopened):time|times})"))
    evidence = worded(Text(zh="；", en="; ")).join(worded(fact) for fact in one.evidence)
    told = ", ".join(" ".join((told.addressee, moment(told.told_at_ms), told.contact)).strip() for told in line.told)
    attended = f"{one.acknowledged_by} {moment(one.acknowledged_at_ms)} {one.note}".strip()
    return (
        str(one.id),
        one.site,
        line.name,
        worded(line.words) + (flapping if one.reopened else ""),
        worded(line.cause) + (f" [{evidence}]" if evidence else ""),
        moment(one.opened_at_ms),
        told or "—",
        attended if one.acknowledged_at_ms else "—",
        moment(one.closed_at_ms),
    )
