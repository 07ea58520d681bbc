"""What is done with research requests, each in one transaction with its line in the audit log.

The entry that a source names is looked up in the catalogue, whose reference code is kept: nobody types one.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Table, delete, func, select

from hub import audit
from hub.audit import Action, AuditEntry
from hub.catalogue import readable, stored_of
from hub.staff.administration import Actor
from hub.window import ledger
from hub.window.requests import Request
from hub.window.research import (
    LINES_MAX,
    PARTS_MAX,
    Line,
    LineSource,
    Part,
    PartState,
    Plan,
    Research,
    checked_line,
    checked_part,
    checked_plan,
)
from hub.window.states import ENDED
from hub.window.tables import research, research_line, research_part
from protocol.errors import BadValue, Refused
from protocol.wording import Text
from replication.dialects import upsert

_FULL: Final = Text(zh="内容已达上限。", en="there is no room for more")


def begin(connection: Connection, actor: Actor, plan: Plan, now_ms: int) -> Plan:
    """Make a request a research request; the same plan sent again changes nothing.

    Raises:
        BadValue: there is no such request, or the plan cannot be so.
        Refused: the request has ended, or has another plan whose table has lines already.

    """
    made = checked_plan(plan)
    request = _open_request(connection, made.request_id)
    known = found(connection, made.request_id)
    if known is not None:
        if known.plan == made:
            return made
        if known.lines and known.plan.columns != made.columns:
            raise Refused(
                Text(zh="表中已有内容，不能再改列。", en="the table has lines: its columns stay"),
                Text(zh="需要别的列请另立专题。", en="For other columns begin another research request."),
            )
    row = {
        "title": made.title,
        "columns": msgspec.json.encode(made.columns).decode(),
        "begun_by": actor.who,
        "begun_at_ms": now_ms,
    }
    _put(connection, research, {"request_id": made.request_id.bytes}, row)
    _tell(connection, actor, request, "research planned", now_ms)
    return made


def put_part(connection: Connection, actor: Actor, request_id: UUID, part: Part, now_ms: int) -> Part:
    """Write a part of the plan down, or what has changed of it.

    Raises:
        BadValue: there is no such research request, or the part cannot be so.
        Refused: the request has ended, the plan is full, or the id is that of another request's part.

    """
    made = checked_part(part)
    request, _ = _open_research(connection, request_id)
    _check_room(connection, research_part, (request_id, research_part.c.part_id, made.part_id), PARTS_MAX)
    row = {
        "request_id": request_id.bytes,
        "title": made.title,
        "site": made.site,
        "scope": made.scope,
        "assignee": made.assignee,
        "state": made.state.value,
        "note": made.note,
        "changed_at_ms": now_ms,
    }
    _put(connection, research_part, {"part_id": made.part_id.bytes}, row)
    _tell(connection, actor, request, f"research part of {made.site}: {made.state.value}", now_ms)
    return made


def put_line(connection: Connection, actor: Actor, request_id: UUID, line: Line, now_ms: int) -> Line:
    """Write a line of the table down, or what has changed of it; the catalogue's reference codes are kept with it.

    Raises:
        BadValue: there is no such research request, or the line cannot be so.
        Refused: the request has ended, the table is full, or the id is that of another request's line.

    """
    request, plan = _open_research(connection, request_id)
    made = checked_line(plan, line)
    made = msgspec.structs.replace(made, sources=tuple(_catalogued(connection, one) for one in made.sources))
    _check_room(connection, research_line, (request_id, research_line.c.line_id, made.line_id), LINES_MAX)
    return _kept_line(connection, actor, request, made, now_ms)


def add_source(
    connection: Connection, actor: Actor, request_id: UUID, line_id: UUID, source: LineSource, now_ms: int
) -> Line:
    """Put a source beside those that a line has; the same one again changes nothing.

    Raises:
        BadValue: there is no such research request or line, or the source is no entry of the catalogue.
        Refused: the request has ended.

    """
    request, plan = _open_research(connection, request_id)
    line = _line_of(connection, request_id, line_id)
    made = checked_line(plan, msgspec.structs.replace(line, sources=(*line.sources, source)))
    added = _catalogued(connection, made.sources[-1])
    if added in line.sources:
        return line
    # Those before it were looked up when they were added: their entries may be gone since.
    made = msgspec.structs.replace(made, sources=(*line.sources, added))
    return _kept_line(connection, actor, request, made, now_ms)


def correct_line(
    connection: Connection,
    actor: Actor,
    request_id: UUID,
    line_id: UUID,
    cells: Sequence[str],
    without: Collection[LineSource],
    now_ms: int,
) -> Line:
    """Write other words into a line, and take wrong sources off; what somebody else adds meanwhile stays.

    Raises:
        BadValue: there is no such research request or line, or the line cannot be so.
        Refused: the request has ended.

    """
    request, plan = _open_research(connection, request_id)
    line = _line_of(connection, request_id, line_id)
    left = tuple(one for one in line.sources if one not in without)
    made = checked_line(plan, msgspec.structs.replace(line, cells=tuple(cells), sources=left))
    return line if made == line else _kept_line(connection, actor, request, made, now_ms)


def _line_of(connection: Connection, request_id: UUID, line_id: UUID) -> Line:
    line = next((one for one in present(connection, request_id).lines if one.line_id == line_id), None)
    if line is None:
        raise BadValue(
            Text(zh="名单里没有这一行了。", en="the table has no such line any more"),
            Text(zh="请刷新本页。", en="Load the page again."),
        )
    return line


def _kept_line(connection: Connection, actor: Actor, request: Request, made: Line, now_ms: int) -> Line:
    row = {
        "request_id": request.request_id.bytes,
        "part_id": None if made.part_id is None else made.part_id.bytes,
        "cells": msgspec.json.encode(made.cells).decode(),
        "sources": msgspec.json.encode(made.sources).decode(),
        "changed_by": actor.who,
        "changed_at_ms": now_ms,
    }
    _put(connection, research_line, {"line_id": made.line_id.bytes}, row)
    _tell(connection, actor, request, f"research line with {len(made.sources)} sources", now_ms)
    return made


def drop_line(connection: Connection, actor: Actor, request_id: UUID, line_id: UUID, now_ms: int) -> None:
    """Take a line out of the table; one that is not in it changes nothing.

    Raises:
        BadValue: there is no such research request.
        Refused: the request has ended.

    """
    request, _ = _open_research(connection, request_id)
    ours = (research_line.c.request_id == request_id.bytes, research_line.c.line_id == line_id.bytes)
    if connection.execute(delete(research_line).where(*ours)).rowcount:
        _tell(connection, actor, request, "research line taken out", now_ms)


def exported(connection: Connection, actor: Actor, request_id: UUID, now_ms: int) -> Research:
    """Return a research request for a file, and write down who took it out.

    Raises:
        BadValue: there is no such research request.

    """
    made = present(connection, request_id)
    request = ledger.present(connection, request_id)
    entry = AuditEntry(
        who=actor.who,
        action=Action.RESEARCH_EXPORTED,
        object=f"request {request.number}",
        origin=actor.origin,
        detail=f"{len(made.lines)} lines",
    )
    audit.append(connection, entry, now_ms)
    return made


def found(connection: Connection, request_id: UUID) -> Research | None:
    """Return a research request with its parts and lines; None if the request is none."""
    row = connection.execute(select(research).where(research.c.request_id == request_id.bytes)).one_or_none()
    if row is None:
        return None
    columns = msgspec.json.decode(row.columns, type=tuple[str, ...])
    parts = select(research_part).where(research_part.c.request_id == request_id.bytes)
    lines = select(research_line).where(research_line.c.request_id == request_id.bytes)
    return Research(
        plan=Plan(request_id=request_id, title=row.title, columns=columns),
        parts=tuple(
            _part(one) for one in connection.execute(parts.order_by(research_part.c.site, research_part.c.title))
        ),
        lines=tuple(sorted(map(_line, connection.execute(lines)), key=lambda one: (one.cells, one.line_id))),
    )


def present(connection: Connection, request_id: UUID) -> Research:
    """Return a research request.

    Raises:
        BadValue: there is none.

    """
    made = found(connection, request_id)
    if made is None:
        raise BadValue(
            Text(zh="这份申请不是专题查档。", en="this is no research request"),
            Text(zh="请先填写专题的标题和列名。", en="Give it a title and columns first."),
        )
    return made


def _open_request(connection: Connection, request_id: UUID) -> Request:
    request = ledger.present(connection, request_id)
    if request.standing.state in ENDED:
        raise Refused(
            Text(zh=f"申请 {request.number} 已经结束。", en=f"{request.number} has ended"),
            Text(zh="需要续查请“重新查找”，或新建申请。", en="Search again, or begin a new request."),
        )
    return request


def _open_research(connection: Connection, request_id: UUID) -> tuple[Request, Plan]:
    request = _open_request(connection, request_id)
    return request, present(connection, request_id).plan


def _catalogued(connection: Connection, source: LineSource) -> LineSource:
    stored = next(iter(stored_of(connection, source.site, [source.record_id.bytes])), None)
    record = None if stored is None else readable(stored)
    if record is None:
        raise BadValue(
            Text(zh="出处不在统一目录中。", en="the source is no entry of the catalogue"),
            Text(zh="请从检索结果中选取条目。", en="Choose the entry from the results of a search."),
        )
    return msgspec.structs.replace(source, ref_code=record.ref_code)


def _check_room(connection: Connection, table: Table, placed: tuple[UUID, Any, UUID], most: int) -> None:
    """Refuse the id of somebody else's row, and one row too many."""
    request_id, key, row_id = placed
    owner = connection.execute(select(table.c.request_id).where(key == row_id.bytes)).scalar_one_or_none()
    if owner == request_id.bytes:
        return
    count = select(func.count()).select_from(table).where(table.c.request_id == request_id.bytes)
    if owner is not None or connection.execute(count).scalar_one() >= most:
        raise Refused(_FULL, Text(zh=f"一个专题最多 {most} 项。", en=f"A research request has at most {most}."))


def _put(connection: Connection, table: Table, key: Mapping[str, object], row: Mapping[str, object]) -> None:
    statement = upsert(table).values({**key, **row})
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(row)))


def _part(row: Row[*tuple[Any, ...]]) -> Part:
    return Part(
        part_id=UUID(bytes=row.part_id),
        title=row.title,
        site=row.site,
        scope=row.scope,
        assignee=row.assignee,
        state=PartState(row.state),
        note=row.note,
    )


def _line(row: Row[*tuple[Any, ...]]) -> Line:
    return Line(
        line_id=UUID(bytes=row.line_id),
        cells=msgspec.json.decode(row.cells, type=tuple[str, ...]),
        sources=msgspec.json.decode(row.sources, type=tuple[LineSource, ...]),
        part_id=None if row.part_id is None else UUID(bytes=row.part_id),
    )


def _tell(connection: Connection, actor: Actor, request: Request, detail: str, now_ms: int) -> None:
    entry = AuditEntry(
        who=actor.who,
        action=Action.REQUEST_STEPPED,
        object=f"request {request.number}",
        origin=actor.origin,
        detail=detail,
    )
    audit.append(connection, entry, now_ms)
