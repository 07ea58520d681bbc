"""``danglian-hub lookup``: questions of the window at the command line, with what became of them at each site."""

import argparse
import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from hub import config
from hub.commands.actions import operator
from hub.commands.listing import check_database, moment, show_table
from hub.commands.live import reaching
from hub.commands.search import day
from hub.config import HubConfig
from hub.home import HubHome, add_home_option, home_at
from hub.searching.search import Query
from hub.storage import store
from hub.vocabulary.word_tables import ReadingsInForce
from hub.window import ledger, lookup_reading
from hub.window.contents import looked_for
from hub.window.lookup_views import LookupOrder, LookupView, StrayAnswer
from hub.window.lookups import LookupDesk, case_of, expiry_of
from hub.window.statement_words import SITE_OUTCOMES
from protocol.errors import BadValue
from protocol.lookup_cases import LookupCase
from protocol.lookup_policy import TREATMENTS, Treatment
from protocol.lookups import LOOKUP_STATES, SiteOutcome
from protocol.wording import Text
from replication.command_line import EXIT_OK, Parsers, say, say_json, worded
from replication.database import Database
from replication.wall_clock import clock_ms

_HELP = "联合查档：提问、扩大、查看 / lookups: ask, widen, show"
_DESCRIPTION = """为一份查档申请提问：先查县级目录，再实时询问可能保管的站点；离线站点留下书面提问，上线后补答。
只问线索（地点、年份、种类、全宗）符合的站点；其余站点不会知道。扩大范围须写明理由，记入审计。
每一站按自己的利用规则答复，并在该站留下审计记录。

Asks a question for a request: the county's index first, then live the sites that can hold the answer; a site that is
away gets it as a letter and answers on its return. Only sites that fit the clues are asked, the others learn nothing.
widen asks them too, with a reason that is logged. Every site answers by its own policy and logs the read.

  danglian-hub lookup ask CD2026-000123 "山林 承包" --place 皈山乡 --from 1986 --to 2014
  danglian-hub lookup widen 6f1f… --because "当事人称可能在邻村"
  danglian-hub lookup show CD2026-000123
  danglian-hub lookup strays
"""

_SITES = (
    Text(zh="站点", en="site"),
    Text(zh="名称", en="name"),
    Text(zh="结果", en="outcome"),
    Text(zh="条数", en="hits"),
    Text(zh="为何问或不问", en="why asked or not"),
    Text(zh="说明", en="reason"),
)
_HITS = (
    Text(zh="站点", en="site"),
    Text(zh="档号", en="reference code"),
    Text(zh="题名", en="title"),
    Text(zh="来源", en="from"),
    Text(zh="提供程度", en="how much"),
)
_STRAYS = (
    Text(zh="站点", en="site"),
    Text(zh="提问", en="lookup"),
    Text(zh="原因", en="fault"),
    Text(zh="次数", en="times"),
    Text(zh="最近", en="last"),
)

STRAYS_SHOWN = 100
"""Answers that fit no question, of which ``strays`` tells."""


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "lookup", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    asked = actions.add_parser("ask", help="提问 / ask")
    asked.add_argument("request", help="登记号 / number of the request")
    asked.add_argument("words", help="查什么，查询语言同 search / what is looked for")
    asked.add_argument("--place", action="append", default=[], help="地点，旧名亦可，可重复 / a place, repeatable")
    asked.add_argument("--kind", default="", help="民生种类 / livelihood kind")
    asked.add_argument("--fonds", default="", metavar="NO", help="全宗号 / fonds number")
    asked.add_argument("--site", default="", metavar="GLOB", help="只问这些站点 / these sites only")
    asked.add_argument("--from", dest="date_from", default="", metavar="DATE", help="起始日期 / first day")
    asked.add_argument("--to", dest="date_to", default="", metavar="DATE", help="截止日期 / last day")
    wider = actions.add_parser("widen", help="扩大到其余站点 / ask the other sites too")
    wider.add_argument("lookup", type=UUID, help="提问标识 / id of the lookup")
    wider.add_argument("--because", required=True, help="理由，记入审计 / the reason, which is logged")
    shown = actions.add_parser("show", help="查看一份申请的提问 / the lookups of a request")
    shown.add_argument("request", help="登记号 / number of the request")
    strays = actions.add_parser("strays", help="被拒收的答复 / answers that were refused")
    for action in (asked, wider, shown, strays):
        add_home_option(action)
        action.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, widen, or show."""
    home = home_at(args.home)
    settings = config.load(home.settings)
    check_database(home)
    if args.action == "strays":
        return _show_strays(home, as_json=args.json)
    if args.action == "show":
        views = asyncio.run(_shown(home, args.request))
    else:
        views = [asyncio.run(_asked(home, settings, args))]
    if args.json:
        say_json(views)
        return EXIT_OK
    for view in views:
        _print(view)
    return EXIT_OK


async def _asked(home: HubHome, settings: HubConfig, args: argparse.Namespace) -> LookupView:
    who = operator().who
    names = ReadingsInForce(home, time.monotonic).current
    async with store.opened(home) as database, reaching(home, settings) as reach:
        is_up = await reach.up()
        async with LookupDesk(database, reach.asker if is_up else None, clock_ms, names).opened() as desk:
            if args.action == "widen":
                states = desk.widen(args.lookup, because=args.because, by=who)
            else:
                states = desk.start(_order(args, await _case(database, args.request), who))
            return await _last(states)


async def _last(states: AsyncGenerator[LookupView, None]) -> LookupView:
    last: LookupView | None = None
    async with aclosing(states) as views:
        async for view in views:
            last = view
    if last is None:
        raise BadValue(Text(zh="没有这次提问。", en="there is no such lookup"))
    return last


async def _case(database: Database, number: str) -> LookupCase:
    found = await database.read(lambda connection: ledger.by_number(connection, number))
    if found is None:
        raise _no_request(number)
    return case_of(found)


def _no_request(number: str) -> BadValue:
    return BadValue(
        Text(zh=f"没有申请 {number}。", en=f"there is no request {number}"),
        Text(zh="请写登记号，例如 CD2026-000123。", en="Give its number, for example CD2026-000123."),
    )


def _order(args: argparse.Namespace, case: LookupCase, who: str) -> LookupOrder:
    query = Query(
        words=looked_for(args.words),
        site_glob=args.site,
        date_from=day(args.date_from, end=False),
        date_to=day(args.date_to, end=True),
        fonds_no=args.fonds,
        livelihood_kind=args.kind,
    )
    return LookupOrder(
        lookup_id=uuid.uuid4(),
        case=case,
        query=query,
        places=tuple(args.place),
        asked_by=who,
        expires_at_ms=expiry_of(clock_ms()),
    )


async def _shown(home: HubHome, number: str) -> list[LookupView]:
    async with store.opened(home, read_only=True) as database:
        found = await database.read(lambda connection: ledger.by_number(connection, number))
        if found is None:
            raise _no_request(number)
        known = await database.read(lambda connection: lookup_reading.lookups_of(connection, found.request_id))
        views = [
            await database.read(lambda connection, one=view: lookup_reading.view_of(connection, one.lookup_id))  # type: ignore[misc]
            for view in known
        ]
    return [view for view in views if view is not None]


def _show_strays(home: HubHome, *, as_json: bool) -> int:
    found = asyncio.run(_strays(home))
    if as_json:
        say_json(found)
        return EXIT_OK
    show_table(
        _STRAYS, [(one.site, one.lookup_id, one.fault, str(one.times), moment(one.heard_at_ms)) for one in found]
    )
    return EXIT_OK


async def _strays(home: HubHome) -> list[StrayAnswer]:
    async with store.opened(home, read_only=True) as database:
        return await database.read(lambda connection: lookup_reading.stray_answers(connection, STRAYS_SHOWN))


def _print(view: LookupView) -> None:
    state = LOOKUP_STATES[view.state]
    late = Text(zh="（已到期）", en=" (its time is over)") if view.is_expired else Text(zh="", en="")
    say(Text(zh=f"提问 {view.lookup_id}：{state.zh}{late.zh}", en=f"Lookup {view.lookup_id}: {state.en}{late.en}"))
    show_table(
        _HITS,
        [
            (
                hit.site,
                hit.record.ref_code,
                hit.record.title,
                worded(Text(zh="站点", en="the site") if hit.live else Text(zh="县级目录", en="the county's copy")),
                worded(TREATMENTS[Treatment(hit.treatment)]),
            )
            for hit in view.hits
        ],
    )
    show_table(
        _SITES,
        [
            (
                one.site,
                one.name,
                worded(SITE_OUTCOMES[one.outcome]),
                "" if one.total is None else str(one.total),
                worded(one.why),
                worded(one.reason) if one.reason else "",
            )
            for one in sorted(view.sites, key=lambda line: line.outcome is SiteOutcome.NOT_ASKED)
        ],
    )
