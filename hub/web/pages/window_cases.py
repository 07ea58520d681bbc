"""Mediation cases at the window: their file with what is missing, their requests, and the report without names."""

import asyncio
import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID, uuid4

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.web.answers import Notice, Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import backstage_of
from hub.web.faults import Missing
from hub.web.forms import clean, fields_of, line_of
from hub.web.pages.window_request import number_of
from hub.web.pages.windowing import CLERK, done, parts_of, today_of
from hub.web.visitors import Visitor, visitor_of
from hub.web.words import in_language
from hub.window import cases, ledger
from hub.window.cases import CaseView
from hub.window.dispute_counts import Count, DisputeReport
from hub.window.mediation import ITEMS, RESULTS, SOURCES, Case, CaseDocument, DisputeKinds, Item, Result, Source
from hub.window.states import STATES
from protocol.errors import BadValue, DanglianError
from protocol.wording import Text

FIELDS: Final = (
    *("case_no", "body", "kind", "place", "source", "cause", "law_used", "party_count", "opened_on"),
    *("result", "closed_on"),
)


@get("/window/cases", opt=CLERK)
async def show_cases(request: AnyRequest) -> Page:
    """List cases."""
    found = await backstage_of(request).database.read(cases.listed)
    values = {"cases": found, "kind_names": await _kind_names(request), "results": RESULTS}
    return page(request, "cases.html", values=values)


@get("/window/cases/new", opt=CLERK)
async def show_new_case() -> Redirect:
    """Lead to the form of a new case, with an id of its own."""
    return away_to(f"/window/cases/{uuid4()}")


@get("/window/cases/report", opt=CLERK)
async def show_report(request: AnyRequest) -> Page:
    """Show the report of disputes of a time."""
    visitor, today = visitor_of(request), today_of(backstage_of(request))
    first, last = (clean(request.query_params.get(name, "")) for name in ("from", "to"))
    values: dict[str, object] = {"first": first or today.replace(month=1, day=1), "last": last or today, "report": None}
    if first or last:
        try:
            days = _day(first), _day(last)
        except BadValue as error:
            notice = fault_notice(error, visitor)
            return page(request, "case_report.html", status=400, values={**values, "notice": notice})
        report = await backstage_of(request).database.read(lambda connection: cases.reported(connection, *days))
        values |= {"report": report, "tables": _tables(await _kind_names(request), visitor, report)}
    return page(request, "case_report.html", values=values)


@get("/window/cases/{name:str}", opt=CLERK)
async def show_case(request: AnyRequest, name: FromPath[str]) -> Page:
    """Show a case, or the form of one that is not recorded yet."""
    words = in_language(visitor_of(request).language).cases
    told = {"saved": words.saved, "added": words.added, "linked": words.linked}
    happened = told.get(request.query_params.get("done", ""))
    return await _shown(request, id_of(name), None if happened is None else Notice(words=happened))


@post("/window/cases/{name:str}", opt=CLERK, status_code=200)
async def do_save_case(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Record a case, or what has changed of it."""
    case_id, sent = id_of(name), await fields_of(request)
    typed = {field: clean(sent.get(field, [""])[0]) for field in FIELDS}
    _, kinds = await asyncio.to_thread(parts_of(request).disputes)
    try:
        case = _case(case_id, typed)
        await done(request, lambda connection, actor, now: cases.record(connection, actor, case, kinds, now))
    except DanglianError as error:
        return await _shown(request, case_id, fault_notice(error, visitor_of(request)), 400, typed)
    return away_to(f"/window/cases/{case_id}", done="saved")


@post("/window/cases/{name:str}/add", opt=CLERK, status_code=200)
async def do_add_document(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Put a paper on the list of a file."""
    case_id, item = id_of(name), await line_of(request, "item")
    one = CaseDocument(
        document_id=id_of(await line_of(request, "document")),
        item=Item(item) if item in tuple(Item) else Item.EVIDENCE,
        pages=number_of(await line_of(request, "pages")),
        copies=number_of(await line_of(request, "copies")),
        note=await line_of(request, "note"),
    )
    return await _changed(
        request,
        case_id,
        "added",
        lambda connection, actor, now: cases.add_document(connection, actor, case_id, one, now),
    )


@post("/window/cases/{name:str}/drop", opt=CLERK, status_code=200)
async def do_drop_document(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Take a paper off the list of a file."""
    case_id, document_id = id_of(name), id_of(await line_of(request, "document"))
    return await _changed(
        request,
        case_id,
        "added",
        lambda connection, actor, now: cases.drop_document(connection, actor, case_id, document_id, now),
    )


@post("/window/cases/{name:str}/link", opt=CLERK, status_code=200)
async def do_link(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Say that a request belongs to a case."""
    case_id, number = id_of(name), await line_of(request, "number")

    def step(connection: Connection, actor: Actor, now_ms: int) -> object:
        one = ledger.by_number(connection, number)
        if one is None:
            raise BadValue(
                Text(zh="没有这个登记号的申请。", en="there is no request of this number"),
                Text(zh="请核对登记号，例如 CD2026-000123。", en="Compare it, such as CD2026-000123."),
            )
        return cases.link(connection, actor, one.request_id, case_id, now_ms)

    return await _changed(request, case_id, "linked", step)


async def _changed(
    request: AnyRequest, case_id: UUID, told: str, step: Callable[[Connection, Actor, int], object]
) -> Page | Redirect:
    if await backstage_of(request).database.read(lambda connection: cases.found(connection, case_id)) is None:
        raise Missing
    try:
        await done(request, step)
    except DanglianError as error:
        return await _shown(request, case_id, fault_notice(error, visitor_of(request)), 400)
    return away_to(f"/window/cases/{case_id}", done=told)


async def _shown(
    request: AnyRequest,
    case_id: UUID,
    notice: Notice | None = None,
    status: int = 200,
    typed: Mapping[str, str] | None = None,
) -> Page:
    _, kinds = await asyncio.to_thread(parts_of(request).disputes)
    visitor = visitor_of(request)

    def step(connection: Connection, actor: Actor, now_ms: int) -> CaseView | None:
        known = cases.found(connection, case_id)
        return None if known is None else cases.shown(connection, actor, case_id, kinds, now_ms)

    view = await done(request, step)
    language, sep = visitor.language.value, "、" if visitor.language.value == "zh" else ", "
    values = {
        "case_id": case_id,
        "view": view,
        "typed": typed or _typed(None if view is None else view.case, today_of(backstage_of(request))),
        "items": ITEMS,
        "missing": "" if view is None else sep.join(ITEMS[one].in_language(language) for one in view.files.missing),
        "document_id": uuid4(),
        "kind_names": _names_of(kinds, visitor),
        "sources": {one.value: words.in_language(language) for one, words in SOURCES.items()},
        "result_names": {one.value: words.in_language(language) for one, words in RESULTS.items()},
        "states": STATES,
        "notice": notice,
    }
    return page(request, "case.html", status=status, values=values)


def _typed(case: Case | None, today: datetime.date) -> dict[str, str]:
    if case is None:
        blank = dict.fromkeys(FIELDS, "")
        return blank | {"party_count": "2", "opened_on": today.isoformat(), "result": Result.PENDING.value}
    return {
        "case_no": case.case_no,
        "body": case.body,
        "kind": case.kind,
        "place": case.place,
        "source": case.source.value,
        "cause": case.cause,
        "law_used": case.law_used,
        "party_count": str(case.party_count),
        "opened_on": case.opened_on.isoformat(),
        "result": case.result.value,
        "closed_on": "" if case.closed_on is None else case.closed_on.isoformat(),
    }


def _case(case_id: UUID, typed: Mapping[str, str]) -> Case:
    return Case(
        case_id=case_id,
        case_no=typed["case_no"],
        body=typed["body"],
        kind=typed["kind"],
        place=typed["place"],
        source=Source(typed["source"]) if typed["source"] in tuple(Source) else Source.APPLIED,
        result=Result(typed["result"]) if typed["result"] in tuple(Result) else Result.PENDING,
        cause=typed["cause"],
        law_used=typed["law_used"],
        party_count=number_of(typed["party_count"]),
        opened_on=_day(typed["opened_on"]),
        closed_on=_day(typed["closed_on"]) if typed["closed_on"] else None,
    )


def _day(typed: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(typed)
    except ValueError as error:
        raise BadValue(
            Text(zh="日期不对。", en="this is no date"),
            Text(zh="请写成 2026-03-02。", en="Write it as 2026-03-02."),
        ) from error


async def _kind_names(request: AnyRequest) -> dict[str, str]:
    _, kinds = await asyncio.to_thread(parts_of(request).disputes)
    return _names_of(kinds, visitor_of(request))


def _names_of(kinds: DisputeKinds, visitor: Visitor) -> dict[str, str]:
    return {one.id: one.name.in_language(visitor.language.value) for one in kinds.kinds}


def _tables(
    kind_names: Mapping[str, str], visitor: Visitor, report: DisputeReport
) -> list[tuple[str, list[tuple[str, int | None]]]]:
    words, language = in_language(visitor.language).cases, visitor.language.value
    results = {one.value: told.in_language(language) for one, told in RESULTS.items()}

    def named(counts: Sequence[Count], names: Mapping[str, str]) -> list[tuple[str, int | None]]:
        return [(names.get(one.value, one.value), one.cases) for one in counts]

    return [
        (words.kind, named(report.kinds, kind_names)),
        (words.place, named(report.places, {})),
        (words.result, named(report.results, results)),
    ]
