"""The register of requests 查档登记: how they are written and read."""

import datetime
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, exists, func, insert, select, update

from hub.window.requests import PREFIX, Content, HistoryLine, Request, digest_of, fold
from hub.window.states import State
from hub.window.tables import lookup_request, request_disposal, request_history
from protocol.errors import BadValue
from protocol.wording import Text


def next_number(connection: Connection, day: datetime.date) -> str:
    """Return the next number of a year's register."""
    year = f"{PREFIX}{day.year}-"
    newest = connection.execute(newest_number(year)).scalar_one()
    return f"{year}{1 if newest is None else int(newest.removeprefix(year)) + 1:06}"


def newest_number(prefix: str) -> Select[str | None]:
    """The highest number that begins so; all have the same width."""
    return select(func.max(lookup_request.c.number)).where(
        lookup_request.c.number >= prefix, lookup_request.c.number < f"{prefix}~"
    )


def add(connection: Connection, request: Request, given: Content) -> None:
    """Write a new request with its first line; ``given`` is its content before the register added to it."""
    first = request.history[0]
    connection.execute(
        insert(lookup_request).values(
            request_id=request.request_id.bytes,
            number=request.number,
            state=first.state.value,
            case_id=None if request.case_id is None else request.case_id.bytes,
            opened_by=first.who,
            opened_at_ms=first.at_ms,
            changed_at_ms=first.at_ms,
            **_columns(request.content, given),
        )
    )
    connection.execute(insert(request_history).values(_row(request.request_id, first)))


def rewrite(connection: Connection, request_id: UUID, content: Content, given: Content) -> None:
    """Put another content in the place of a request's; its history has the line that says so."""
    connection.execute(
        update(lookup_request).where(lookup_request.c.request_id == request_id.bytes).values(**_columns(content, given))
    )


def disposed_at_ms(connection: Connection, request_id: UUID) -> int | None:
    """Return when the personal data of a request were removed (``hub.window.disposal``); None while they are there."""
    statement = select(request_disposal.c.disposed_at_ms).where(request_disposal.c.request_id == request_id.bytes)
    found: int | None = connection.scalar(statement)
    return found


def add_line(connection: Connection, request_id: UUID, line: HistoryLine) -> None:
    """Add a line to a history; a line of the same number that is there already fails the transaction."""
    connection.execute(insert(request_history).values(_row(request_id, line)))
    connection.execute(
        update(lookup_request)
        .where(lookup_request.c.request_id == request_id.bytes)
        .values(state=line.state.value, changed_at_ms=line.at_ms)
    )


def link(connection: Connection, request_id: UUID, case_id: UUID) -> None:
    """Note to which mediation case a request belongs."""
    connection.execute(
        update(lookup_request).where(lookup_request.c.request_id == request_id.bytes).values(case_id=case_id.bytes)
    )


def found(connection: Connection, request_id: UUID) -> Request | None:
    """Return a request with its history; None if there is none."""
    rows = connection.execute(select(lookup_request).where(lookup_request.c.request_id == request_id.bytes))
    return next(iter(_requests(connection, rows.all())), None)


def present(connection: Connection, request_id: UUID) -> Request:
    """Return a request with its history.

    Raises:
        BadValue: there is none.

    """
    one = found(connection, request_id)
    if one is None:
        raise BadValue(
            Text(zh="没有这份查档申请。", en="there is no such request"),
            Text(zh="请从申请列表中打开。", en="Open it from the list of requests."),
        )
    return one


def by_number(connection: Connection, number: str) -> Request | None:
    """Return the request of a number in the register."""
    rows = connection.execute(select(lookup_request).where(lookup_request.c.number == number.strip().upper()))
    return next(iter(_requests(connection, rows.all())), None)


def given_digest(connection: Connection, request_id: UUID) -> str:
    """Return the digest of what was given for a request; empty if there is none."""
    statement = select(lookup_request.c.given_digest).where(lookup_request.c.request_id == request_id.bytes)
    return connection.execute(statement).scalar_one_or_none() or ""


def listed(
    connection: Connection,
    *,
    states: Collection[State] = (),
    case_id: UUID | None = None,
    identity_key: str = "",
    worked_by: str = "",
    before: str = "",
    is_oldest_first: bool = False,
    limit: int,
) -> list[Request]:
    """Return requests, the newest number first unless asked otherwise, those before a number if one is given.

    ``worked_by`` is the login of somebody who took a step of theirs.
    """
    number = lookup_request.c.number
    statement = select(lookup_request).order_by(number if is_oldest_first else number.desc()).limit(limit)
    if states:
        statement = statement.where(lookup_request.c.state.in_([one.value for one in states]))
    if case_id is not None:
        statement = statement.where(lookup_request.c.case_id == case_id.bytes)
    if identity_key:
        statement = statement.where(lookup_request.c.identity_key == identity_key)
    if worked_by:
        step = (request_history.c.request_id == lookup_request.c.request_id) & (request_history.c.who == worked_by)
        statement = statement.where(exists().where(step))
    if before:
        statement = statement.where(number < before)
    return _requests(connection, connection.execute(statement).all())


def gone_since(connection: Connection, since_ms: int) -> list[UUID]:
    """Return the requests that were withdrawn or have lapsed after a moment."""
    gone = lookup_request.c.state.in_([State.WITHDRAWN.value, State.EXPIRED.value])
    statement = select(lookup_request.c.request_id).where(gone, lookup_request.c.changed_at_ms > since_ms)
    return [UUID(bytes=one) for one in connection.scalars(statement)]


def _requests(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Request]:
    histories = _histories(connection, [row.request_id for row in rows])
    return [
        Request(
            request_id=UUID(bytes=row.request_id),
            number=row.number,
            content=msgspec.json.decode(row.content, type=Content),
            case_id=None if row.case_id is None else UUID(bytes=row.case_id),
            history=histories[row.request_id],
            standing=fold(histories[row.request_id]),
        )
        for row in rows
    ]


def _histories(connection: Connection, ids: Collection[bytes]) -> dict[bytes, tuple[HistoryLine, ...]]:
    lines: dict[bytes, list[HistoryLine]] = {one: [] for one in ids}
    statement = select(request_history).where(request_history.c.request_id.in_(ids))
    for row in connection.execute(statement.order_by(request_history.c.request_id, request_history.c.seq)):
        lines[row.request_id].append(msgspec.convert(row, HistoryLine, from_attributes=True))
    return {one: tuple(found) for one, found in lines.items()}


def _columns(content: Content, given: Content) -> dict[str, str]:
    return {
        "requester": content.applicant.requester.value,
        "purpose": content.purpose.value,
        "case_ref": content.case_ref,
        "identity_key": content.applicant.identity_key,
        "content": msgspec.json.encode(content).decode(),
        "given_digest": digest_of(given),
    }


def _row(request_id: UUID, line: HistoryLine) -> dict[str, object]:
    return {
        "request_id": request_id.bytes,
        "seq": line.seq,
        "step": line.step.value,
        "state": line.state.value,
        "at_ms": line.at_ms,
        "who": line.who,
        "reason": line.reason,
        "days": line.days,
        "rule": line.rule,
    }
