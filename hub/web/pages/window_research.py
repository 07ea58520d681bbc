"""A research request: its plan, its parts, the table with a source for every line, and the table as a file."""

import re
from collections.abc import Callable
from typing import Final
from uuid import UUID, uuid4

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response
from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.web.answers import Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import backstage_of
from hub.web.forms import choices_of, line_of
from hub.web.pages.window_request import present
from hub.web.pages.windowing import CLERK, done
from hub.web.visitors import visitor_of
from hub.window import compiling, research, research_files
from hub.window.research import PART_STATES, Line, LineSource, Part, PartState, Plan
from protocol.errors import BadValue, DanglianError
from protocol.wording import Text

_COLUMNS: Final = re.compile(r"[、，,;；]+")
_KINDS: Final = {
    "csv": ("text/csv; charset=utf-8", research_files.csv_bytes),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", research_files.xlsx_bytes),
}


@get("/window/requests/{name:str}/research", opt=CLERK)
async def show_research(request: AnyRequest, name: FromPath[str]) -> Page:
    """Show the research of a request, or the form that begins it."""
    return await _shown(request, id_of(name))


@post("/window/requests/{name:str}/research", opt=CLERK, status_code=200)
async def do_plan(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Begin a research request."""
    request_id, columns = id_of(name), await line_of(request, "columns")
    kept = tuple(one.strip() for one in _COLUMNS.split(columns) if one.strip())
    plan = Plan(request_id=request_id, title=await line_of(request, "title"), columns=kept)
    return await _changed(request, request_id, lambda c, actor, now: compiling.begin(c, actor, plan, now))


@post("/window/requests/{name:str}/research/part", opt=CLERK, status_code=200)
async def do_part(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Write a part of the plan down."""
    request_id, state = id_of(name), await line_of(request, "state")
    part_id = id_of(await line_of(request, "part"))
    given = {field: await line_of(request, field) for field in ("title", "site", "scope", "assignee", "note")}
    chosen = PartState(state) if state in tuple(PartState) else PartState.PLANNED
    part = Part(part_id=part_id, state=chosen, **given)
    return await _changed(
        request, request_id, lambda c, actor, now: compiling.put_part(c, actor, request_id, part, now)
    )


@post("/window/requests/{name:str}/research/line", opt=CLERK, status_code=200)
async def do_line(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Write a line of the table down."""
    request_id, line_id = id_of(name), id_of(await line_of(request, "line"))
    cells, entry = await choices_of(request, "cell"), await line_of(request, "entry")
    page_no = await line_of(request, "page")

    def step(connection: Connection, actor: Actor, now_ms: int) -> object:
        sources = (_source(entry, page_no),) if entry else ()
        line = Line(line_id=line_id, cells=tuple(cells), sources=sources)
        return compiling.put_line(connection, actor, request_id, line, now_ms)

    return await _changed(request, request_id, step)


@post("/window/requests/{name:str}/research/source", opt=CLERK, status_code=200)
async def do_source(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Put one more source beside a line."""
    request_id, line_id = id_of(name), id_of(await line_of(request, "line"))
    entry, page_no, proves = [await line_of(request, field) for field in ("entry", "page", "proves")]

    def step(connection: Connection, actor: Actor, now_ms: int) -> object:
        source = msgspec.structs.replace(_source(entry, page_no), proves=proves)
        return compiling.add_source(connection, actor, request_id, line_id, source, now_ms)

    return await _changed(request, request_id, step)


@post("/window/requests/{name:str}/research/correct", opt=CLERK, status_code=200)
async def do_correct_line(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Write other words into a line, and take wrong sources off."""
    request_id, line_id = id_of(name), id_of(await line_of(request, "line"))
    cells, off = await choices_of(request, "cell"), await choices_of(request, "off")

    def step(connection: Connection, actor: Actor, now_ms: int) -> object:
        without = [_told_source(one) for one in off]
        return compiling.correct_line(connection, actor, request_id, line_id, cells, without, now_ms)

    return await _changed(request, request_id, step)


@post("/window/requests/{name:str}/research/drop", opt=CLERK, status_code=200)
async def do_drop_line(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Take a line out of the table."""
    request_id, line_id = id_of(name), id_of(await line_of(request, "line"))
    return await _changed(
        request, request_id, lambda c, actor, now: compiling.drop_line(c, actor, request_id, line_id, now)
    )


@post("/window/requests/{name:str}/research/file", opt=CLERK, status_code=200)
async def do_export_research(request: AnyRequest, name: FromPath[str]) -> Page | Response[bytes]:
    """Give the table as a file."""
    request_id, kind = id_of(name), await line_of(request, "kind")
    one = await present(request, request_id)
    media, made = _KINDS.get(kind, _KINDS["csv"])
    try:
        found = await done(request, lambda c, actor, now: compiling.exported(c, actor, request_id, now))
    except DanglianError as error:
        return await _shown(request, request_id, error)
    suffix = kind if kind in _KINDS else "csv"
    headers = {"content-disposition": f'attachment; filename="{one.number}.{suffix}"'}
    content = made(found, visitor_of(request).language.value)
    return Response(content=content, media_type=media, headers=headers)


async def _changed(
    request: AnyRequest, request_id: UUID, step: Callable[[Connection, Actor, int], object]
) -> Page | Redirect:
    await present(request, request_id)
    try:
        await done(request, step)
    except DanglianError as error:
        return await _shown(request, request_id, error)
    return away_to(f"/window/requests/{request_id}/research")


async def _shown(request: AnyRequest, request_id: UUID, fault: DanglianError | None = None) -> Page:
    one = await present(request, request_id)
    made = await backstage_of(request).database.read(lambda connection: compiling.found(connection, request_id))
    values = {
        "one": one,
        "plan": None if made is None else made.plan,
        "parts": [] if made is None else list(made.parts),
        "lines": () if made is None else made.lines,
        "remarks": () if made is None else research.remarks(made),
        "part_states": PART_STATES,
        "source_told": _source_told,
        "new_part": uuid4(),
        "new_line": uuid4(),
        "notice": None if fault is None else fault_notice(fault, visitor_of(request)),
    }
    return page(request, "research.html", status=200 if fault is None else 400, values=values)


def _source_told(source: LineSource) -> str:
    """Return a source as a form sends it back, to say which one is meant."""
    return msgspec.json.encode(source).decode("utf-8")


def _told_source(told: str) -> LineSource:
    try:
        return msgspec.json.decode(told, type=LineSource)
    except msgspec.DecodeError as error:
        raise _unreadable() from error


def _unreadable() -> BadValue:
    return BadValue(
        Text(zh="出处看不懂。", en="the source cannot be read"),
        Text(zh="请从目录页的地址复制：站点代码/条目编号。", en="Copy it from an entry's address: site/id."),
    )


def _source(entry: str, page_no: str) -> LineSource:
    # An entry's whole address, as it is copied from the browser, or the end of it.
    site, record = ["", *entry.partition("?")[0].rstrip("/").split("/")][-2:]
    try:
        return LineSource(site=site, record_id=UUID(record), ref_code="", page_no=page_no)
    except ValueError as error:
        raise _unreadable() from error
