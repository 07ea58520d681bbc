"""What is done with mediation cases at the window, each in one transaction with its line in the audit log.

A case is named in the log by its number at the mediating body; nothing of its cause is.
"""

import datetime
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from hub import audit
from hub.audit import Action, AuditEntry
from hub.staff.administration import Actor
from hub.window import desk, ledger
from hub.window.dispute_counts import DisputeReport, report
from hub.window.mediation import (
    Case,
    CaseDocument,
    DisputeKinds,
    FileList,
    Item,
    Kept,
    checked,
    checked_document,
    file_list,
    kept,
)
from hub.window.requests import Request
from hub.window.tables import case_document, mediation_case
from protocol.errors import BadValue, Refused
from protocol.wording import Text

LISTED_MAX: Final = 200
"""Cases in one list."""

REPORTED_MAX: Final = 200_000
"""Cases of one report: a county has some thousand a year."""

DOCUMENTS_MAX: Final = 500
"""Documents of one file."""


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A case as a screen shows it."""

    case: Case
    files: FileList
    kept: Kept
    requests: tuple[Request, ...]
    """That are linked to it."""


def record(connection: Connection, actor: Actor, case: Case, kinds: DisputeKinds, now_ms: int) -> Case:
    """Write a case down, or what has changed of it; the same case sent again changes nothing.

    Raises:
        BadValue: something in it is missing or wrong.
        Refused: another case has its number.

    """
    made = checked(case, kinds)
    known = found(connection, made.case_id)
    if known == made:
        return made
    _check_number(connection, made)
    row = {**_row(made), "changed_by": actor.who, "changed_at_ms": now_ms}
    if known is None:
        connection.execute(insert(mediation_case).values(row))
    else:
        connection.execute(update(mediation_case).where(mediation_case.c.case_id == made.case_id.bytes).values(row))
    _tell(connection, actor, Action.CASE_CHANGED, made, "recorded" if known is None else "changed", now_ms)
    return made


def link(connection: Connection, actor: Actor, request_id: UUID, case_id: UUID, now_ms: int) -> Request:
    """Say to which case a request belongs; saying it again changes nothing.

    Raises:
        BadValue: there is no such request or case.

    """
    case = present(connection, case_id)
    request = ledger.present(connection, request_id)
    if request.case_id == case_id:
        return request
    linked = desk.linked(connection, actor, request, case_id, now_ms)
    _tell(connection, actor, Action.CASE_CHANGED, case, f"linked request {request.number}", now_ms)
    return linked


def add_document(connection: Connection, actor: Actor, case_id: UUID, one: CaseDocument, now_ms: int) -> FileList:
    """Put a document on the list of a file; the same one sent again changes nothing.

    Raises:
        BadValue: there is no such case, or the document cannot be so.
        Refused: the file has as many documents as it may, or the id is that of another document.

    """
    case = present(connection, case_id)
    made = checked_document(one)
    held = documents(connection, case_id)
    if made in held:
        return file_list(case, held)
    taken = connection.execute(
        select(case_document.c.case_id).where(case_document.c.document_id == made.document_id.bytes)
    ).first()
    if taken is not None or len(held) >= DOCUMENTS_MAX:
        raise Refused(
            Text(zh="该材料已登记，或卷内材料过多。", en="this document is on a list already, or the file is full"),
            Text(zh="请刷新后再登记。", en="Load the case again."),
        )
    connection.execute(
        insert(case_document).values(
            document_id=made.document_id.bytes,
            case_id=case_id.bytes,
            item=made.item.value,
            pages=made.pages,
            copies=made.copies,
            note=made.note,
            request_id=None if made.request_id is None else made.request_id.bytes,
            added_by=actor.who,
            added_at_ms=now_ms,
        )
    )
    _tell(connection, actor, Action.CASE_CHANGED, case, f"document added: {made.item.value}", now_ms)
    return file_list(case, [*held, made])


def drop_document(connection: Connection, actor: Actor, case_id: UUID, document_id: UUID, now_ms: int) -> FileList:
    """Take a document off the list of a file; one that is not on it changes nothing.

    Raises:
        BadValue: there is no such case.

    """
    case = present(connection, case_id)
    gone = connection.execute(
        delete(case_document).where(
            case_document.c.case_id == case_id.bytes, case_document.c.document_id == document_id.bytes
        )
    )
    if gone.rowcount:
        _tell(connection, actor, Action.CASE_CHANGED, case, "document taken off", now_ms)
    return file_list(case, documents(connection, case_id))


def shown(connection: Connection, actor: Actor, case_id: UUID, kinds: DisputeKinds, now_ms: int) -> CaseView:
    """Return a case with its file and its requests, and write down who read it.

    Raises:
        BadValue: there is none.

    """
    case = present(connection, case_id)
    _tell(connection, actor, Action.CASE_READ, case, "", now_ms)
    return CaseView(
        case=case,
        files=file_list(case, documents(connection, case_id)),
        kept=kept(case, kinds),
        requests=tuple(ledger.listed(connection, case_id=case_id, limit=LISTED_MAX)),
    )


def listed(connection: Connection, *, limit: int = LISTED_MAX) -> list[Case]:
    """Return cases, those opened last first."""
    statement = select(mediation_case).order_by(mediation_case.c.opened_on.desc(), mediation_case.c.case_no)
    return [_case(row) for row in connection.execute(statement.limit(min(limit, LISTED_MAX)))]


def reported(connection: Connection, first: datetime.date, last: datetime.date) -> DisputeReport:
    """Return the report of the cases that were opened from one day to another."""
    within = mediation_case.c.opened_on.between(first.isoformat(), last.isoformat())
    statement = select(mediation_case).where(within).limit(REPORTED_MAX)
    return report([_case(row) for row in connection.execute(statement)])


def found(connection: Connection, case_id: UUID) -> Case | None:
    """Return a case; None if there is none."""
    statement = select(mediation_case).where(mediation_case.c.case_id == case_id.bytes)
    row = connection.execute(statement).one_or_none()
    return None if row is None else _case(row)


def present(connection: Connection, case_id: UUID) -> Case:
    """Return a case.

    Raises:
        BadValue: there is none.

    """
    case = found(connection, case_id)
    if case is None:
        raise BadValue(
            Text(zh="没有这个调解案件。", en="there is no such case"),
            Text(zh="请先登记案件。", en="Record the case first."),
        )
    return case


def documents(connection: Connection, case_id: UUID) -> Sequence[CaseDocument]:
    """Return what is on the list of a file, in the order in which it was put there."""
    statement = select(case_document).where(case_document.c.case_id == case_id.bytes)
    ordered = statement.order_by(case_document.c.added_at_ms, case_document.c.document_id)
    return [
        CaseDocument(
            document_id=UUID(bytes=row.document_id),
            item=Item(row.item),
            pages=row.pages,
            copies=row.copies,
            note=row.note,
            request_id=None if row.request_id is None else UUID(bytes=row.request_id),
        )
        for row in connection.execute(ordered)
    ]


def _check_number(connection: Connection, case: Case) -> None:
    same = (mediation_case.c.body == case.body, mediation_case.c.case_no == case.case_no)
    other = select(mediation_case.c.case_id).where(*same, mediation_case.c.case_id != case.case_id.bytes)
    if connection.execute(other).first() is not None:
        raise Refused(
            Text(zh=f"{case.body} 已有案件 {case.case_no}。", en=f"{case.body} has a case {case.case_no} already"),
            Text(zh="请打开该案件，或改正案号。", en="Open that case, or correct the number."),
        )


def _row(case: Case) -> dict[str, object]:
    return {**msgspec.to_builtins(case), "case_id": case.case_id.bytes}


def _case(row: Row[*tuple[Any, ...]]) -> Case:
    fields = {field.name: getattr(row, field.name) for field in msgspec.structs.fields(Case)}
    return msgspec.convert({**fields, "case_id": str(UUID(bytes=row.case_id))}, Case)


def _tell(connection: Connection, actor: Actor, action: Action, case: Case, detail: str, now_ms: int) -> None:
    entry = AuditEntry(who=actor.who, action=action, object=f"case {case.case_no}", origin=actor.origin, detail=detail)
    audit.append(connection, entry, now_ms)
