"""``danglian-hub verify``: proves that the hub holds exactly what each site holds, or names the records that differ.

The command compares and says; the daemon repairs. ``--repairs`` tells what was ever found and what became of it.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Connection

from hub import config
from hub.commands.listing import check_database, moment, on_terminal, show_table
from hub.commands.live import reaching
from hub.config import HubConfig
from hub.courier.couriers import not_on_the_line
from hub.home import HubHome, add_home_option, home_at
from hub.repair import repairs
from hub.repair.comparisons import Sameness
from hub.repair.differences import Difference, DifferenceKind
from hub.repair.repairs import Cause, Remedy, Repair, RepairState
from hub.repair.verification import OFFLINE, Depth, Scope, Verdict, verify
from hub.sites.board import Facts, compared_here, gathered, is_away, is_by_courier, matches
from hub.storage import store
from protocol.sites import parse_site
from protocol.wording import Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json, worded
from replication.wall_clock import clock_ms

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
    DifferenceKind.DAMAGED_HERE: Text(zh="县级所存已损坏", en="damaged at the hub"),
}

REPAIR_STATES = {
    RepairState.FOUND: Text(zh="已发现，待修复", en="found, to be repaired"),
    RepairState.ASKED: Text(zh="修复中", en="being repaired"),
    RepairState.HEALED: Text(zh="已修复", en="healed"),
}
REMEDIES = {
    Remedy.NONE: Text(zh="—", en="—"),
    Remedy.REDESCRIBED: Text(zh="站点重报这些条目", en="its site told these records again"),
    Remedy.BASELINE: Text(zh="站点全部重报", en="its site described everything again"),
    Remedy.PUT_BACK: Text(zh="从站点取回原文", en="put back from its site"),
}
CAUSES = {
    Cause.BACKGROUND: Text(zh="日常核对", en="after a change"),
    Cause.NIGHTLY: Text(zh="夜间核对", en="nightly"),
    Cause.ASKED: Text(zh="人工核对", en="asked for"),
}
_REPAIR_HEADERS = (
    Text(zh="代码", en="site"),
    Text(zh="状态", en="state"),
    Text(zh="起因", en="found by"),
    Text(zh="差别", en="what differed"),
    Text(zh="全宗", en="fonds"),
    Text(zh="处理", en="remedy"),
    Text(zh="重报", en="told again"),
    Text(zh="撤回", en="withdrawn"),
    Text(zh="发现于", en="found"),
    Text(zh="修复于", en="healed"),
)

REPAIRS_SHOWN = 200
"""Repairs that ``--repairs`` lists, the latest first."""

DIFFERENCES_SHOWN = 200
"""Differing records that are printed; ``--json`` has all that are named."""


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


class RepairLine(msgspec.Struct, frozen=True, kw_only=True):
    """One repair with the records that it named."""

    repair: Repair
    records: list[Difference]


class RepairList(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--repairs`` prints as JSON."""

    repairs: list[RepairLine]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser("verify", help=_HELP, description=_HELP)
    add_home_option(parser)
    parser.add_argument("--site", default="", metavar="GLOB", help="只核对这些站点 / only these sites: 330523108*")
    parser.add_argument(
        "--deep",
        action="store_true",
        help="逐条核对：两端都按原文重新计算摘要 / compare every record, with digests taken anew at both ends",
    )
    parser.add_argument(
        "--repairs",
        action="store_true",
        help="列出发现过的不一致及其修复 / list what was found to differ, and how it was healed",
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, print, and return 1 if a site differs or none could be compared."""
    home = home_at(args.home)
    settings = config.load(home.settings)
    check_database(home)
    if args.repairs:
        return _tell_repairs(asyncio.run(listed(home, args.site)), as_json=args.json)
    with _progress(visible=not args.json) as advance:
        verdicts = asyncio.run(verified(home, settings, args.site, deep=args.deep, advance=advance))
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
    advance: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[Verdict]:
    """Compare the sites whose codes match with what the hub holds; in the order of their codes.

    ``advance`` hears how many of how many sites are done.
    """
    verdicts: list[Verdict] = []
    async with store.opened(home) as database, reaching(home, settings) as reach:
        now_ms = clock_ms()
        facts = await database.read(lambda connection: gathered(connection, with_counts=False))
        chosen = [one for one in facts if matches(one.site, site_glob)]
        sites = [parse_site(one.site) for one in chosen]
        away = {parse_site(one.site): why for one in chosen if (why := _why_away(one, now_ms)) is not None}
        scope = Scope(depth=Depth.RECORDS if deep else Depth.SUMS, cause=Cause.ASKED)
        await reach.up()
        advance(0, len(sites))
        async for verdict in verify(database, reach.asker, sites, clock_ms, away=away, scope=scope):
            verdicts.append(verdict)
            advance(len(verdicts), len(sites))
    return sorted(verdicts, key=lambda verdict: verdict.site)


def _why_away(one: Facts, now_ms: int) -> Text | None:
    """Say why a site is not asked: it comes by courier, and how it compared then, or is offline; None if it is."""
    if is_by_courier(one):
        compared = compared_here(one)
        was_equal = None if compared is None else compared.state is Sameness.EQUAL
        return not_on_the_line(one.courier_at_ms, was_equal=was_equal)
    return OFFLINE if one.node is None or is_away(one.node, now_ms) else None


async def listed(home: HubHome, site_glob: str = "") -> RepairList:
    """Read the latest repairs with their records, whether the daemon runs or not."""

    def step(connection: Connection) -> RepairList:
        found = repairs.kept(connection, REPAIRS_SHOWN, site_glob)
        return RepairList(
            repairs=[RepairLine(repair=one, records=repairs.records_of(connection, one.id)) for one in found]
        )

    async with store.opened(home, read_only=True) as database:
        return await database.read(step)


@contextmanager
def _progress(*, visible: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a bar while sites are compared, if a person watches."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not (visible and on_terminal())
    ) as bar:
        task = bar.add_task(worded(Text(zh="核对站点", en="comparing sites")), total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _print(verdicts: Sequence[Verdict], counts: Counter[Sameness]) -> None:
    show_table(_HEADERS, [_cells(verdict) for verdict in verdicts])
    differences = [(verdict.site, one) for verdict in verdicts for one in verdict.differences]
    differences = differences[:DIFFERENCES_SHOWN]
    if differences:
        rows = [(site, one.fonds_no, str(one.record_id), worded(KINDS[one.kind])) for site, one in differences]
        show_table(_DIFFERENCE_HEADERS, rows)
    say(
        Text(
            zh="，".join(f"{STATES[state].zh} {counts[state]}" for state in Sameness),
            en=", ".join(f"{STATES[state].en} {counts[state]}" for state in Sameness),
        )
    )
    if counts[Sameness.DIFFERENT]:
        say(
            Text(
                zh="县级枢纽会自动修复；进展见 danglian-hub verify --repairs。",
                en="The hub repairs this by itself; danglian-hub verify --repairs tells how it goes.",
            )
        )


def _tell_repairs(found: RepairList, *, as_json: bool) -> int:
    """Print repairs; 1 if one is not healed."""
    if as_json:
        say_json(found)
    elif not found.repairs:
        say(Text(zh="从未发现不一致。", en="Nothing was ever found to differ."))
    else:
        show_table(_REPAIR_HEADERS, [_repair_cells(line.repair) for line in found.repairs])
    is_open = any(line.repair.healed_at_ms is None for line in found.repairs)
    return EXIT_PROBLEM if is_open else EXIT_OK


def _repair_cells(one: Repair) -> tuple[str, ...]:
    counts = {
        DifferenceKind.MISSING_HERE: one.missing_here,
        DifferenceKind.MISSING_THERE: one.missing_there,
        DifferenceKind.OTHER_CONTENT: one.other_content,
        DifferenceKind.DAMAGED_HERE: one.damaged_here,
    }
    return (
        one.site,
        worded(REPAIR_STATES[one.state]),
        worded(CAUSES[one.cause]),
        "; ".join(f"{worded(KINDS[kind])} {count}" for kind, count in counts.items() if count),
        ", ".join(one.fonds),
        worded(REMEDIES[one.remedy]),
        str(one.described),
        str(one.withdrawn),
        moment(one.found_at_ms),
        moment(one.healed_at_ms),
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
