"""``danglian-hub search``: asks the hub's index and, with ``--live``, every site; each site's outcome is told."""

import argparse
import asyncio
import contextlib
import datetime
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from uuid import UUID

import msgspec
from rich.console import Console, Group
from rich.live import Live

from hub import config, store
from hub.commands.fields import ACCESS, OUTCOMES, field_word
from hub.commands.listing import check_database, moment, on_terminal, show_table, table, worded
from hub.commands.live import reaching
from hub.config import HubConfig
from hub.duplicates import Likeness
from hub.federation import federated
from hub.gathering import Gathering, SiteReport, Summary
from hub.home import HubHome, add_home_option, home_at
from hub.search import Query
from protocol.calls import Match, Outcome
from protocol.errors import BadSetting
from protocol.limits import SCREEN_DEADLINE_S, SEARCH_HITS_DEFAULT, SEARCH_HITS_MAX
from protocol.records import Record
from protocol.vocabularies import AccessStatus
from protocol.wording import Text
from replication.command_line import EXIT_OK, Parsers, say, say_json

_HELP = "在统一目录中检索，可同时询问各站点 / search the unified catalogue, and the sites themselves"

REDRAW_S = 0.1
"""Seconds between two drawings of an answer that still grows."""

READERS = 2
"""Reading connections: one searches while the other counts."""

_HEADERS = (
    Text(zh="日期", en="date"),
    Text(zh="题名", en="title"),
    Text(zh="档号", en="reference code"),
    Text(zh="站点", en="site"),
    Text(zh="开放", en="access"),
    Text(zh="命中", en="found in"),
    Text(zh="来源", en="source"),
    Text(zh="相似", en="alike"),
)
_SITE_HEADERS = (
    Text(zh="代码", en="site"),
    Text(zh="名称", en="name"),
    Text(zh="结果", en="outcome"),
    Text(zh="站点命中", en="hits there"),
    Text(zh="副本命中", en="hits in the copy"),
    Text(zh="截至", en="as of"),
    Text(zh="毫秒", en="ms"),
)


OnState = Callable[[Gathering], None]
"""Sees an answer grow."""


def _nobody(_: Gathering) -> None:
    """Watch nothing."""


class HitLine(msgspec.Struct, frozen=True, kw_only=True):
    """One found record: what a list shows of it, and the whole of it."""

    site: str
    site_name: str
    record_id: UUID
    ref_code: str
    title: str
    date: str
    access_status: AccessStatus
    live: bool
    """The site itself said so just now; False for the hub's copy."""
    seq: int
    matches: tuple[Match, ...]
    likeness: Likeness
    record: Record


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints as JSON."""

    query: Query
    total: int
    exact: bool
    complete: bool
    """Every expected site in question answered live (promise 10)."""
    outcomes: dict[Outcome, int]
    hits: list[HitLine]
    sites: list[SiteReport]
    first_ms: float
    """Milliseconds until the first results could be shown."""
    took_ms: float


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser("search", help=_HELP, description=_HELP)
    add_home_option(parser)
    parser.add_argument(
        "query", metavar="QUERY", help='检索词，可为空 "" / words, or "" for all that the filters let through'
    )
    parser.add_argument("--live", action="store_true", help="同时询问各站点 / ask the sites as well")
    parser.add_argument("--site", default="", metavar="GLOB", help="站点代码 / site codes: 330523108*")
    parser.add_argument(
        "--from", dest="date_from", default="", metavar="DATE", help="起始日期 / 1986, 1986-03 or 1986-03-05"
    )
    parser.add_argument("--to", dest="date_to", default="", metavar="DATE", help="截止日期 / the same forms")
    parser.add_argument("--fonds", default="", metavar="NO", help="全宗号 / fonds number")
    parser.add_argument("--kind", default="", metavar="KIND", help="民生类别 / livelihood kind: marriage")
    parser.add_argument("--access", choices=[status.value for status in AccessStatus], help="开放状态 / access status")
    parser.add_argument("--limit", type=int, default=SEARCH_HITS_DEFAULT, metavar="N", help=f"1–{SEARCH_HITS_MAX}")
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search and print; 0 whether something was found or not."""
    query = Query(
        words=args.query,
        site_glob=args.site,
        date_from=day(args.date_from, end=False),
        date_to=day(args.date_to, end=True),
        fonds_no=args.fonds,
        livelihood_kind=args.kind,
        access_status=AccessStatus(args.access) if args.access else None,
        limit=args.limit,
    )
    home = home_at(args.home)
    settings = config.load(home.settings)
    check_database(home)
    watched = args.live and on_terminal() and not args.json
    with _screen() if watched else contextlib.nullcontext(_nobody) as draw:
        answer = asyncio.run(searched(home, settings, query, live=args.live, on_state=draw))
    if args.json:
        say_json(answer)
    else:
        _print(answer, live=args.live, hits=not watched)
    return EXIT_OK


def day(text: str, *, end: bool) -> datetime.date | None:
    """Return the first or last day of a year, month or day as people type it, or None for an empty text.

    Raises:
        BadSetting: the text is no date.

    """
    if not text:
        return None
    try:
        year, *rest = (int(part) for part in text.replace("/", "-").replace(".", "-").split("-"))
        if len(rest) > 1:
            return datetime.date(year, *rest)
        first = datetime.date(year, rest[0] if rest else 12 if end else 1, 1)
        if not end:
            return first
        following = first.replace(day=28) + datetime.timedelta(days=4)
        return following - datetime.timedelta(days=following.day)
    except (ValueError, TypeError) as error:
        raise BadSetting(
            Text(zh=f"不是日期：{text}", en=f"not a date: {text}"),
            Text(zh="请写 1986、1986-03 或 1986-03-05。", en="Write 1986, 1986-03 or 1986-03-05."),
        ) from error


async def searched(
    home: HubHome,
    settings: HubConfig,
    query: Query,
    *,
    live: bool = False,
    deadline_s: float = SCREEN_DEADLINE_S,
    on_state: OnState = _nobody,
) -> Answer:
    """Answer a query; ``on_state`` sees the answer grow, the first time as soon as the index has spoken."""
    began = time.perf_counter()
    first_ms = 0.0
    gathering = Gathering(query, [])
    async with aclosing(_states(home, settings, query, live=live, deadline_s=deadline_s)) as states:
        async for gathering in states:
            first_ms = first_ms or _since(began)
            on_state(gathering)
    summary = gathering.summary()
    return Answer(
        query=query,
        total=summary.total,
        exact=summary.exact,
        complete=summary.complete,
        outcomes=dict(summary.outcomes),
        hits=lines_of(gathering),
        sites=list(gathering.reports.values()),
        first_ms=first_ms,
        took_ms=_since(began),
    )


async def _states(
    home: HubHome, settings: HubConfig, query: Query, *, live: bool, deadline_s: float
) -> AsyncGenerator[Gathering, None]:
    async with contextlib.AsyncExitStack() as stack:
        database = await stack.enter_async_context(store.opened(home, read_only=True, readers=READERS))
        reach = await stack.enter_async_context(reaching(home, settings)) if live else None
        asked = federated(
            database,
            reach.asker if reach else None,
            query,
            time.time_ns() // 10**6,
            deadline_s=deadline_s,
            link_up=reach.up if reach else None,
        )
        async for state in await stack.enter_async_context(aclosing(asked)):
            yield state


def lines_of(gathering: Gathering) -> list[HitLine]:
    """Return the newest hits as a list shows them."""
    return [
        HitLine(
            site=hit.site,
            site_name=gathering.reports[hit.site].name,
            record_id=hit.record.record_id,
            ref_code=hit.record.ref_code,
            title=hit.record.title,
            date=hit.record.date_edtf or hit.record.date_raw or str(hit.record.filing_year or ""),
            access_status=hit.record.access_status,
            live=hit.live,
            seq=hit.seq,
            matches=hit.matches,
            likeness=hit.likeness,
            record=hit.record,
        )
        for hit in gathering.newest()
    ]


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)


@contextlib.contextmanager
def _screen() -> Iterator[OnState]:
    """Draw an answer while it grows."""
    drawn_at = 0.0
    with Live(console=Console(), auto_refresh=False, transient=False) as screen:

        def draw(gathering: Gathering) -> None:
            nonlocal drawn_at
            now = time.perf_counter()
            if gathering.finished or now - drawn_at >= REDRAW_S:
                drawn_at = now
                shown = table(_HEADERS, [_cells(hit) for hit in lines_of(gathering)])
                screen.update(Group(shown, worded(_statement(gathering.summary()))), refresh=True)

        yield draw


# Words


def _print(answer: Answer, *, live: bool, hits: bool) -> None:
    if hits:
        show_table(_HEADERS, [_cells(hit) for hit in answer.hits])
    told = [report for report in answer.sites if live or report.index_total or report.rebuilding]
    if live and on_terminal():
        # On a screen those who have something to say; the numbers of the others stand in the last line.
        told = [report for report in told if report.outcome is not Outcome.NOTHING]
    show_table(_SITE_HEADERS, [_site_cells(report) for report in told])
    say(_statement(answer))
    if not sys.stdout.isatty():
        return
    say(
        Text(
            zh=f"首批结果 {answer.first_ms} 毫秒，全部 {answer.took_ms} 毫秒",
            en=f"first results after {answer.first_ms} ms, all after {answer.took_ms} ms",
        )
    )


def _statement(summary: Summary | Answer) -> Text:
    """Say how complete an answer is (promise 10)."""
    zh = "，".join(f"{OUTCOMES[outcome].zh} {count}" for outcome, count in summary.outcomes.items())
    en = ", ".join(f"{OUTCOMES[outcome].en} {count}" for outcome, count in summary.outcomes.items())
    total_zh = f"共 {summary.total} 条" if summary.exact else f"多于 {summary.total} 条"
    total_en = f"{summary.total} records" if summary.exact else f"more than {summary.total} records"
    if summary.complete:
        return Text(zh=f"{total_zh}；结果完整：{zh}", en=f"{total_en}; complete: {en}")
    return Text(zh=f"{total_zh}；结果不完整：{zh}", en=f"{total_en}; partial: {en}")


def _cells(hit: HitLine) -> Sequence[str]:
    matched = [
        worded(field_word(match.field)) + ("" if match.how == "literal" else worded(_VARIANT)) for match in hit.matches
    ]
    like = hit.likeness
    alike = f"{like.count}{'+' if like.at_least else ''}" if like.count else ""
    return (
        hit.date,
        hit.title,
        hit.ref_code,
        f"{hit.site_name} {hit.site}".strip(),
        worded(ACCESS[hit.access_status]),
        "、".join(matched),
        worded(_FROM_SITE if hit.live else _FROM_COPY),
        f"{alike} @ {', '.join(like.sites[:3])}{'…' if len(like.sites) > 3 else ''}" if alike else "",
    )


_VARIANT = Text(zh="（异体）", en=" (variant)")
_FROM_SITE = Text(zh="站点", en="site")
_FROM_COPY = Text(zh="副本", en="copy")


def _site_cells(report: SiteReport) -> Sequence[str]:
    outcome = worded(OUTCOMES[report.outcome])
    return (
        report.site,
        report.name,
        f"{outcome}：{worded(report.reason)}" if report.reason else outcome,
        "—" if report.live_total is None else str(report.live_total),
        "—" if report.index_total is None else str(report.index_total),
        f"{moment(report.copied_at_ms)} @{report.seq}" if report.live_total is None else f"@{report.seq}",
        f"{report.took_ms:.0f}" if report.took_ms else "",
    )
