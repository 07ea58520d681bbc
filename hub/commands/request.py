"""``danglian-hub request``: the requests of the mediation window, their terms, and the history of one."""

import argparse
import asyncio
import datetime
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from hub import config
from hub.commands.actions import operator
from hub.commands.listing import check_database, moment, show_table
from hub.config import HubConfig
from hub.home import HubHome, add_home_option, home_at
from hub.storage import store
from hub.window import deadlines, desk, ledger
from hub.window.applicants import REQUESTERS, Requester
from hub.window.clocks import PHASES, TOLD, URGENCIES, Deadline, Told, Urgency, deadline
from hub.window.deadlines import Due
from hub.window.requests import PURPOSES, HistoryLine, Purpose, Request
from hub.window.states import STATES, STEPS, State, Step
from hub.window.working_days import official
from protocol.county_time import day_of
from protocol.errors import BadSetting, BadValue
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json, worded
from replication.wall_clock import clock_ms

_HELP = "查档申请：列表、详情、时限 / requests of the window and their terms"
_DESCRIPTION = """列出矛调查档窗口的申请，看某一份的经过，或看哪些快到期、已逾期、该告诉谁。时限按工作日计
（法定节假日与调休），天数在 hub.toml 的 [window]。这里不显示申请人姓名和所查内容；查看一份申请会记入审计日志。
overdue 的退出码：0 没有逾期，1 有。

Lists the requests of the mediation window, shows the history of one, or tells which are due soon or overdue and who is
to be told. Terms are counted in working days, with official holidays and make-up days; [window] in hub.toml sets them.
Names of applicants and their questions are not shown here; that a request was read goes into the audit log.
Exit code of overdue: 0 none is, 1 some are.

  danglian-hub request                        the newest requests
  danglian-hub request list --state searching
  danglian-hub request show CD2026-000123
  danglian-hub request overdue --json
"""
_HEADERS = (
    Text(zh="登记号", en="number"),
    Text(zh="申请人类型", en="requester"),
    Text(zh="查档目的", en="purpose"),
    Text(zh="案号", en="case"),
    Text(zh="状态", en="state"),
    Text(zh="时限", en="term"),
    Text(zh="到期", en="due"),
    Text(zh="已用", en="used"),
)
_HISTORY_HEADERS = (
    Text(zh="序", en="no."),
    Text(zh="时间", en="at"),
    Text(zh="办理", en="step"),
    Text(zh="之后状态", en="state after it"),
    Text(zh="经办", en="by"),
    Text(zh="理由或规则", en="reason or rule"),
)


class RequestLine(msgspec.Struct, frozen=True, kw_only=True):
    """One request, without names and questions."""

    number: str
    requester: Requester
    purpose: Purpose
    case_ref: str
    state: State
    deadline: Deadline | None


class RequestList(msgspec.Struct, frozen=True, kw_only=True):
    """What ``list`` and ``overdue`` print as JSON."""

    requests: list[RequestLine]
    told: dict[Told, list[str]]
    """Who is to be told of which numbers."""


class RequestDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What ``show`` prints as JSON."""

    request: RequestLine
    history: tuple[HistoryLine, ...]
    possible: tuple[Step, ...]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "request", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument(
        "action", nargs="?", choices=("list", "show", "overdue"), default="list", help="默认 list / default: list"
    )
    parser.add_argument("number", nargs="?", default="", metavar="NUMBER", help="show：登记号 / show: its number")
    parser.add_argument(
        "--state", choices=[one.value for one in State], help="list：只列某一状态 / list: only those in this state"
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List, show, or tell what is overdue; 1 if something is.

    Raises:
        BadSetting: there is no hub in the home, or an argument is missing.
        BadValue: there is no request of that number.

    """
    home = home_at(args.home)
    settings = config.load(home.settings)
    check_database(home)
    if (args.action == "show") is not bool(args.number) or (args.state and args.action != "list"):
        raise BadSetting(
            Text(zh="登记号只用于 show，--state 只用于 list。", en="a number goes with show, --state with list"),
            Text(zh="例如：danglian-hub request show CD2026-000123。", en="For example: request show CD2026-000123."),
        )
    if args.action == "show":
        return _show(args, settings, asyncio.run(_read(home, args.number)))
    states = (State(args.state),) if args.state else ()
    dues, requests = asyncio.run(_listed(home, settings, states, with_all=args.action == "list"))
    return _print(args, settings, dues, requests)


def _print(args: argparse.Namespace, settings: HubConfig, dues: Sequence[Due], requests: Sequence[Request]) -> int:
    shown = [_line(one, settings) for one in requests]
    told = {who: [one.request.number for one in some] for who, some in deadlines.to_tell(dues).items()}
    is_late = any(one.deadline.urgency is Urgency.OVERDUE for one in dues)
    if args.json:
        say_json(RequestList(requests=shown, told=told))
    else:
        show_table(_HEADERS, [_cells(one) for one in shown])
        for who, numbers in told.items():
            if numbers:
                say(
                    Text(
                        zh=f"应告知{TOLD[who].zh}：{'、'.join(numbers)}",
                        en=f"tell the {TOLD[who].en}: {', '.join(numbers)}",
                    )
                )
        _warn(shown)
        say(Text(zh=f"共 {len(shown)} 份申请。", en=f"{Count(len(shown)):request|requests}."))
    return EXIT_PROBLEM if args.action == "overdue" and is_late else EXIT_OK


def _show(args: argparse.Namespace, settings: HubConfig, request: Request) -> int:
    line = _line(request, settings)
    steps = desk.next_steps(request)
    if args.json:
        possible = tuple(one.step for one in steps)
        say_json(RequestDetail(request=line, history=request.history, possible=possible))
        return EXIT_OK
    show_table(_HEADERS, [_cells(line)])
    rows = [
        (
            str(one.seq),
            moment(one.at_ms),
            worded(STEPS[one.step]),
            worded(STATES[one.state]),
            one.who,
            " ".join(filter(None, (one.reason, one.rule, f"+{one.days}" if one.days else ""))),
        )
        for one in request.history
    ]
    show_table(_HISTORY_HEADERS, rows, title=request.number)
    zh, en = "、".join(one.words.zh for one in steps), ", ".join(one.words.en for one in steps)
    say(Text(zh=f"下一步可以：{zh or '无'}。", en=f"possible next: {en or 'nothing'}."))
    _warn([line])
    return EXIT_OK


def _warn(lines: Sequence[RequestLine]) -> None:
    warnings = {one.deadline.warning for one in lines if one.deadline is not None and one.deadline.warning is not None}
    for one in sorted(warnings, key=lambda warned: warned.words.zh):
        say(Text(zh=f"{one.words.zh}{one.remedy.zh}", en=f"{one.words.en} {one.remedy.en}"))


def _line(request: Request, settings: HubConfig) -> RequestLine:
    content = request.content
    calendar = official(settings.alarms.calendar)
    return RequestLine(
        number=request.number,
        requester=content.applicant.requester,
        purpose=content.purpose,
        case_ref=content.case_ref,
        state=request.standing.state,
        deadline=deadline(request.history, settings.window, calendar, _today()),
    )


def _cells(one: RequestLine) -> tuple[str, ...]:
    term = one.deadline
    return (
        one.number,
        worded(REQUESTERS[one.requester]),
        worded(PURPOSES[one.purpose]),
        # A citizen without a case is asked for under the request's own number, which stands in front already.
        "—" if one.case_ref == one.number else one.case_ref,
        worded(STATES[one.state]),
        "—" if term is None else f"{worded(PHASES[term.phase])} {worded(URGENCIES[term.urgency])}",
        "—" if term is None or term.due is None else term.due.isoformat(),
        "—" if term is None else f"{term.used_days}/{term.term_days}",
    )


def _today() -> datetime.date:
    return day_of(clock_ms())


async def _read(home: HubHome, number: str) -> Request:
    actor, now_ms = operator(), clock_ms()

    def step(connection: Connection) -> Request:
        found = ledger.by_number(connection, number)
        if found is None:
            raise BadValue(
                Text(zh=f"没有登记号为 {number} 的申请。", en=f"there is no request {number}"),
                Text(zh="danglian-hub request 列出全部申请。", en="danglian-hub request lists them."),
            )
        return desk.shown(connection, actor, found.request_id, now_ms)

    async with store.opened(home) as database:
        return await database.write(step)


async def _listed(
    home: HubHome, settings: HubConfig, states: Sequence[State], *, with_all: bool
) -> tuple[list[Due], list[Request]]:
    calendar = official(settings.alarms.calendar)

    def step(connection: Connection) -> tuple[list[Due], list[Request]]:
        urgent = (Urgency.OVERDUE, Urgency.DUE_SOON)
        dues = deadlines.due(connection, settings.window, calendar, _today(), urgent)
        listed = desk.listed(connection, states=states) if with_all else [one.request for one in dues]
        return dues, listed

    async with store.opened(home, read_only=True) as database:
        return await database.read(step)
