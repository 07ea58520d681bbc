"""The site's audit log: every read of its records under a case, and every refusal; so that the village sees them all.

The chain's rule is that of ``protocol.audit_chain``. A line is written in the transaction that answers: what has no
line has not left the site. Lines name records and cases, never an applicant and never the words of a question.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, select

from node.keeper.tables import audit_line
from protocol.audit_chain import AuditLine
from protocol.wording import Text
from replication.audit_log import AuditLog, line_of

LINES_SOUGHT_AT_ONCE: Final = 2_000
"""Lines that one step of a search reads."""


class Action(StrEnum):
    """What was done at the site."""

    LOOKED_UP = "looked_up"
    """A lookup was answered; the line names the records that were told."""
    LOOKUP_REFUSED = "lookup_refused"
    """A lookup was not answered."""
    COPY_DECIDED = "copy_decided"
    """The keeper approved or refused a copy."""


ACTIONS: Final = {
    Action.LOOKED_UP: Text(zh="查档", en="lookup"),
    Action.LOOKUP_REFUSED: Text(zh="拒绝查档", en="lookup refused"),
    Action.COPY_DECIDED: Text(zh="决定是否提供复制件", en="decision about a copy"),
}


class Outcome(StrEnum):
    """How it went."""

    DONE = "done"
    REFUSED = "refused"


class Told(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One record that was told, and how much of it."""

    record_id: UUID
    treatment: str


class ReadDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a line about a lookup says; its JSON is the line's ``detail``."""

    lookup_id: UUID | None = None
    case_ref: str = ""
    purpose: str = ""
    requester: str = ""
    question: str = ""
    """Digest of the question: proves which one it was, says nothing of its words."""
    policy: str = ""
    total: int = 0
    withheld: int = 0
    told: tuple[Told, ...] = ()
    reason: Text | None = None


class NodeAuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written."""

    who: str
    """Who read or decided: the name of the asking end (``hub``), or ``keeper:USER``."""
    action: Action
    request_id: str
    outcome: Outcome = Outcome.DONE
    origin: str = ""
    """``live``, ``letter`` or ``command``."""
    detail: ReadDetail = ReadDetail()


LOG: Final = AuditLog(audit_line)


def append(connection: Connection, entry: NodeAuditEntry, now_ms: int) -> AuditLine:
    """Write a line, in the transaction of what it tells."""
    return LOG.append(
        connection,
        AuditLine(
            seq=0,
            at_ms=now_ms,
            who=entry.who,
            action=entry.action.value,
            object=entry.request_id,
            outcome=entry.outcome.value,
            origin=entry.origin,
            detail=msgspec.json.encode(entry.detail).decode(),
            digest="",
        ),
    )


def detail_of(line: AuditLine) -> ReadDetail:
    """Return what a line says in detail; an empty one for what a later version has written."""
    try:
        return msgspec.json.decode(line.detail, type=ReadDetail)
    except msgspec.DecodeError:
        return ReadDetail()


def listed(connection: Connection, *, request: str = "", before_seq: int | None = None, limit: int) -> list[AuditLine]:
    """Return lines, the newest first; those of one request, or those before a number."""
    statement = select(audit_line).order_by(audit_line.c.seq.desc()).limit(limit)
    if request:
        statement = statement.where(audit_line.c.object == request)
    if before_seq is not None:
        statement = statement.where(audit_line.c.seq < before_seq)
    return [line_of(row) for row in connection.execute(statement)]


def found(
    connection: Connection, *, case_ref: str = "", record: str = "", request: str = "", limit: int
) -> list[AuditLine]:
    """Return lines, the newest first, about a case, a record or a request; every line if nothing is named."""
    lines: list[AuditLine] = []
    before: int | None = None
    while len(lines) < limit:
        some = listed(connection, request=request, before_seq=before, limit=LINES_SOUGHT_AT_ONCE)
        if not some:
            break
        before = some[-1].seq
        lines += [line for line in some if _is_about(line, case_ref, record)]
    return lines[:limit]


def _is_about(line: AuditLine, case_ref: str, record: str) -> bool:
    if not case_ref and not record:
        return True
    detail = detail_of(line)
    if case_ref and detail.case_ref != case_ref:
        return False
    return not record or any(str(one.record_id) == record for one in detail.told)


def digests_at(connection: Connection, places: Sequence[int]) -> dict[int, str]:
    """Return the digests that the log has at some places; a place without a line is missing."""
    statement = select(audit_line.c.seq, audit_line.c.digest).where(audit_line.c.seq.in_(places))
    return {row.seq: row.digest for row in connection.execute(statement)}
