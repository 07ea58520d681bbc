"""``danglian-hub sites``: the board of sites, each with one honest word."""

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence

import msgspec

from hub import config
from hub.alarm import alarm_book
from hub.alarm.alarms import KINDS, Alarm
from hub.backup import backups
from hub.backup.backups import BackupFinding
from hub.commands.listing import check_database, moment, on_terminal, show_table
from hub.home import HubHome, add_home_option, home_at
from hub.repair.comparisons import Sameness
from hub.sites.board import STRANGER, WORDS, SiteState, Word, board, matches
from hub.storage import store
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, Parsers, say, say_json, worded
from replication.wall_clock import clock_ms

_HELP = "各站点的真实状态 / the honest state of every site"

_HEADERS = (
    Text(zh="代码", en="site"),
    Text(zh="名称", en="name"),
    Text(zh="状态", en="state"),
    Text(zh="告警", en="alarm"),
    Text(zh="最近在线", en="last seen"),
    Text(zh="已应用", en="applied"),
    Text(zh="落后", en="lag"),
    Text(zh="条目", en="records"),
    Text(zh="县级持有", en="held here"),
    Text(zh="拒收行", en="rejected"),
    Text(zh="待定", en="brakes"),
    Text(zh="隔离", en="quarantine"),
    Text(zh="最近核对", en="compared"),
)

_ON_SCREEN = (0, 1, 2, 3, 4, 6, 7, 9, 10, 11)
"""Columns that a person sees; the others stand in the lines for programs and in ``--json``."""


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints as JSON."""

    counts: dict[Word, int]
    sites: list[SiteState]
    alarms: list[Alarm] = []
    """Open alarms of these sites, the oldest first."""
    backups: list[BackupFinding] = []
    """What there is to say about the hub's own backups, the gravest first."""


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser("sites", help=_HELP, description=_HELP)
    add_home_option(parser)
    parser.add_argument("--site", default="", metavar="GLOB", help="只看这些站点代码 / only these codes: 330523108*")
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the board."""
    home = home_at(args.home)
    settings = config.load(home.settings)
    check_database(home)
    known = backups.findings_in(home.backups, settings.backup, clock_ms())
    found = msgspec.structs.replace(asyncio.run(listed(home, args.site)), backups=known)
    if args.json:
        say_json(found)
        return EXIT_OK
    rows = [_cells(line, found.alarms) for line in found.sites]
    shown = _ON_SCREEN if on_terminal() else range(len(_HEADERS))
    show_table([_HEADERS[number] for number in shown], [[row[number] for number in shown] for row in rows])
    words = "，".join(f"{WORDS[word].zh} {count}" for word, count in found.counts.items())
    words_en = ", ".join(f"{WORDS[word].en} {count}" for word, count in found.counts.items())
    say(Text(zh=f"共 {len(found.sites)} 个站点：{words}", en=f"{Count(len(found.sites)):site|sites}: {words_en}"))
    told = backups.told(found.backups)
    say(Text(zh=f"备份：{told.zh}", en=f"backups: {told.en}"))
    return EXIT_OK


async def listed(home: HubHome, site_glob: str = "") -> Board:
    """Read the board from the hub's database, whether the daemon runs or not."""
    now_ms = clock_ms()
    async with store.opened(home, read_only=True) as database:
        lines, alarms = await database.read(
            lambda connection: (
                board(connection, now_ms, site_glob=site_glob),
                alarm_book.open_alarms(connection),
            )
        )
    counts = Counter(line.word for line in lines)
    return Board(
        counts={word: counts[word] for word in Word if counts[word]},
        sites=lines,
        alarms=[one for one in alarms if matches(one.site, site_glob)],
    )


def _cells(line: SiteState, alarms: Sequence[Alarm]) -> tuple[str, ...]:
    word = worded(WORDS[line.word])
    if line.word is Word.OFFLINE:
        since = moment(line.seen_at_ms)
        stopped = Text(zh=f"已停止，自 {since}", en=f"stopped at {since}")
        word = worded(stopped if line.stopping else Text(zh=f"离线，自 {since}", en=f"offline since {since}"))
    if line.word is Word.BY_COURIER:
        word = worded(_by_courier(line))
    compared = line.comparison
    return (
        line.site,
        line.name or ("" if line.expected else worded(STRANGER)),
        word,
        worded(Text(zh="、", en=", ")).join(_alarm_word(one) for one in alarms if one.site == line.site),
        moment(line.seen_at_ms),
        str(line.applied),
        str(line.lag),
        str(line.records),
        "—" if line.hub_records is None else str(line.hub_records),
        str(line.rejected),
        str(line.brakes_held),
        str(line.quarantined),
        "—" if compared is None else f"{moment(compared.compared_at_ms)} @{compared.seq}",
    )


def _by_courier(line: SiteState) -> Text:
    """Say what is known of a site that comes by courier, and as of when."""
    if line.courier_at_ms is None:
        return Text(zh="信使包，尚未收到", en="by courier, no bundle yet")
    when = moment(line.courier_at_ms)
    last = line.comparison
    if last is None or last.state is Sameness.NOT_COMPARABLE or not last.holds_at(line.epoch, line.applied):
        return Text(zh=f"信使包，最近 {when}", en=f"by courier, last bundle of {when}")
    if last.state is Sameness.EQUAL:
        return Text(zh=f"信使包，最近 {when}，当时一致", en=f"by courier, last bundle of {when}: in sync then")
    return Text(zh=f"信使包，最近 {when}，当时不一致", en=f"by courier, last bundle of {when}: differed then")


def _alarm_word(one: Alarm) -> str:
    """Return an alarm in a word, with its number for ``alarms ack`` unless somebody looks after it."""
    if one.acknowledged_at_ms is not None:
        attended = Text(
            zh=f"{KINDS[one.kind].zh}（{one.acknowledged_by} 处理中）", en=f"{KINDS[one.kind].en} (attended)"
        )
        return worded(attended)
    return f"{worded(KINDS[one.kind])} #{one.id}"
