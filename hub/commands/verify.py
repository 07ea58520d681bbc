"""``danglian-hub verify``: proves that the hub holds exactly what each site holds, or names the records that differ."""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from hub import config
from hub.board import gathered, is_away, matches
from hub.commands.listing import check_database, show_table, worded
from hub.commands.live import reaching
from hub.comparisons import Sameness
from hub.config import HubConfig
from hub.home import SCHEMA, HubHome, add_home_option, home_at
from hub.verification import DifferenceKind, Verdict, verify
from protocol.sites import parse_site
from protocol.wording import Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json
from replication.database import opened
from replication.migrations import REPLICATION

_HELP = "逐站核对两端的摘要 / compare the digests of both ends, site by site"

STATES = {
    Sameness.EQUAL: Text(zh="一致", en="equal"),
    Sameness.DIFFERENT: Text(zh="不一致", en="different"),
    Sameness.NOT_COMPARABLE: Text(zh="目前无法核对", en="not comparable now"),
}

KINDS = {
    DifferenceKind.MISSING_HERE: Text(zh="县级缺失", en="missing at the hub"),
    DifferenceKind.MISSING_THERE: Text(zh="站点已无", en="not at the site"),
    DifferenceKind.OTHER_CONTENT: Text(zh="内容不同", en="other content"),
}

_HEADERS = (
    Text(zh="代码", en="site"),
    Text(zh="结果", en="outcome"),
    Text(zh="说明", en="reason"),
    Text(zh="位置", en="position"),
    Text(zh="站点条目", en="at the site"),
    Text(zh="县级条目", en="at the hub"),
    Text(zh="不同", en="differing"),
)
_DIFFERENCE_HEADERS = (
    Text(zh="代码", en="site"),
    Text(zh="全宗", en="fonds"),
    Text(zh="条目标识", en="record"),
    Text(zh="差别", en="difference"),
)


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints as JSON."""

    counts: dict[Sameness, int]
    sites: list[Verdict]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser("verify", help=_HELP, description=_HELP)
    add_home_option(parser)
    parser.add_argument("--site", default="", metavar="GLOB", help="只核对这些站点 / only these sites: 330523108*")
    parser.add_argument(
        "--deep", action="store_true", help="并重新计算县级所存内容的摘要 / also check every body held at the hub"
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, print, and return 1 if a site differs or none could be compared."""
    home = home_at(args.home)
    settings = config.load(home.settings)
    check_database(home)
    verdicts = asyncio.run(verified(home, settings, args.site, deep=args.deep))
    counts = Counter(verdict.state for verdict in verdicts)
    if args.json:
        say_json(Verification(counts={state: counts[state] for state in Sameness}, sites=verdicts))
    else:
        _print(verdicts, counts)
    proved = not counts[Sameness.DIFFERENT] and (counts[Sameness.EQUAL] or not verdicts)
    return EXIT_OK if proved else EXIT_PROBLEM


async def verified(
    home: HubHome,
    settings: HubConfig,
    site_glob: str = "",
    *,
    deep: bool = False,
    on_verdict: Callable[[Verdict], None] = lambda _: None,
) -> list[Verdict]:
    """Compare the sites whose codes match with what the hub holds; in the order of their codes."""
    verdicts: list[Verdict] = []
    async with opened(home.database, [REPLICATION, SCHEMA]) as database, reaching(home, settings) as reach:
        now_ms = _now_ms()
        facts = await database.read(lambda connection: gathered(connection, with_counts=False))
        chosen = [one for one in facts if matches(one.site, site_glob)]
        sites = [parse_site(one.site) for one in chosen]
        offline = [parse_site(one.site) for one in chosen if one.node is None or is_away(one.node, now_ms)]
        await reach.up()
        async for verdict in verify(database, reach.asker, sites, _now_ms, offline=offline, deep=deep):
            verdicts.append(verdict)
            on_verdict(verdict)
    return sorted(verdicts, key=lambda verdict: verdict.site)


def _now_ms() -> int:
    return time.time_ns() // 10**6


def _print(verdicts: Sequence[Verdict], counts: Counter[Sameness]) -> None:
    show_table(_HEADERS, [_cells(verdict) for verdict in verdicts])
    differences = [(verdict.site, one) for verdict in verdicts for one in verdict.differences]
    if differences:
        rows = [(site, one.fonds_no, str(one.record_id), worded(KINDS[one.kind])) for site, one in differences]
        show_table(_DIFFERENCE_HEADERS, rows)
    say(
        Text(
            zh="，".join(f"{STATES[state].zh} {counts[state]}" for state in Sameness),
            en=", ".join(f"{STATES[state].en} {counts[state]}" for state in Sameness),
        )
    )


def _cells(verdict: Verdict) -> tuple[str, ...]:
    return (
        verdict.site,
        worded(STATES[verdict.state]),
        worded(verdict.reason),
        str(verdict.seq),
        str(verdict.site_records),
        str(verdict.hub_records),
        str(verdict.differing + verdict.damaged),
    )
