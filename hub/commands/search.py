"""``danglian-hub search``: asks the hub's index and, with ``--live``, every site; each site's outcome is told."""

import argparse
import asyncio
import contextlib
import datetime
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing

from rich.console import Console, Group
from rich.live import Live

from hub import config
from hub.commands.found import Answer, hits_table, lines_of, show, statement
from hub.commands.listing import check_database, on_terminal
from hub.commands.live import reaching
from hub.config import HubConfig
from hub.home import HubHome, add_home_option, home_at
from hub.searching.federation import federated
from hub.searching.gathering import Gathering
from hub.searching.search import Query
from hub.storage import store
from hub.vocabulary.word_tables import ReadingsInForce
from protocol.errors import BadQuery, BadSetting
from protocol.limits import SCREEN_DEADLINE_S, SEARCH_HITS_DEFAULT, SEARCH_HITS_MAX
from protocol.plans import MEANINGS
from protocol.queries import parse
from protocol.query_help import QUERY_HELP, underlined
from protocol.vocabularies import AccessStatus, Level
from protocol.wording import Text
from replication.command_line import EXIT_OK, Parsers, say_json, worded
from replication.wall_clock import clock_ms

_HELP = "在统一目录中检索，可同时询问各站点 / search the unified catalogue, and the sites themselves"

REDRAW_S = 0.1
"""Seconds between two drawings of an answer that still grows."""

READERS = 2
"""Reading connections: one searches while the other counts."""

OnState = Callable[[Gathering], None]
"""Sees an answer grow."""


def _nobody(_: Gathering) -> None:
    """Watch nothing."""


def add(parsers: Parsers) -> None:
    """Add the command."""
    taught = f"{QUERY_HELP.zh}\n\n{QUERY_HELP.en}"
    parser = parsers.add_parser(
        "search", help=_HELP, description=_HELP, epilog=taught, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
    parser.add_argument("--level", choices=[level.value for level in Level], help="著录层级 / level of description")
    parser.add_argument(
        "--after", default="", metavar="CURSOR", help="上一页给出的翻页标记 / cursor of the page before"
    )
    parser.add_argument(
        "--sounds",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="是否检索音同音近的姓名（默认：不足一页时） / names that sound alike (default: only if hits are few)",
    )
    parser.add_argument("--facets", action="store_true", help="显示分面统计 / show how many of each kind")
    parser.add_argument(
        "--limit",
        type=int,
        default=SEARCH_HITS_DEFAULT,
        metavar="N",
        help=f"最多条数，1–{SEARCH_HITS_MAX} / hits shown at most",
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search and print; 0 whether something was found or not."""
    try:
        parse(args.query)
    except BadQuery as error:
        sys.stderr.write(f"{underlined(args.query, error.start, error.end)}\n")
        raise
    query = Query(
        words=args.query,
        site_glob=args.site,
        date_from=day(args.date_from, end=False),
        date_to=day(args.date_to, end=True),
        fonds_no=args.fonds,
        livelihood_kind=args.kind,
        access_status=AccessStatus(args.access) if args.access else None,
        level=Level(args.level) if args.level else None,
        limit=args.limit,
        cursor=args.after,
        sounds=args.sounds,
        with_facets=args.facets or args.json,
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
        show(answer, live=args.live, hits=not watched)
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
        hits=(lines := lines_of(gathering)),
        stages={line.stage: MEANINGS[line.stage] for line in lines if line.stage is not None},
        facets=gathering.page.facets,
        cursor=gathering.page.cursor,
        was_cut=gathering.page.was_cut,
        is_upper_bound=gathering.page.is_upper_bound,
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
            clock_ms(),
            deadline_s=deadline_s,
            link_up=reach.up if reach else None,
            names=await asyncio.to_thread(ReadingsInForce(home, time.monotonic).current),
        )
        async for state in await stack.enter_async_context(aclosing(asked)):
            yield state


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)


@contextlib.contextmanager
def _screen() -> Iterator[OnState]:
    """Draw an answer while it grows."""
    drawn_at = 0.0
    with Live(console=Console(highlight=False), auto_refresh=False, transient=False) as screen:

        def draw(gathering: Gathering) -> None:
            nonlocal drawn_at
            now = time.perf_counter()
            if gathering.finished or now - drawn_at >= REDRAW_S:
                drawn_at = now
                said = worded(statement(gathering.summary()))
                screen.update(Group(hits_table(gathering), said), refresh=True)

        yield draw
