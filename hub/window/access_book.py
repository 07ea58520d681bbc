"""What was decided on each record of a request: written and read."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, select, update

from hub.window.requests import Use
from hub.window.rules import Decision, Relation
from hub.window.tables import access_decision
from protocol.vocabularies import AccessStatus
from replication.dialects import upsert


class RecordAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was found, and what it has to do with the one who asks: a clerk says so."""

    site: str
    record_id: UUID
    status: AccessStatus
    """The access status that holds now."""
    relation: Relation


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided on a record."""

    asked: RecordAsked
    decision: Decision
    """By the rules."""
    granted: tuple[Use, ...]
    """What the applicant may have in the end; empty while a person has yet to decide, and after a refusal."""
    decided_by: str
    """``rule R04@2``, or the login of the person who decided; empty while nobody has."""
    decided_at_ms: int


def put(connection: Connection, request_id: UUID, judged: Judged) -> None:
    """Write a decision down in the place of an earlier one on the same record."""
    key = {
        "request_id": request_id.bytes,
        "site": judged.asked.site,
        "record_id": judged.asked.record_id.bytes,
    }
    row = {
        "access_status": judged.asked.status.value,
        "relation": judged.asked.relation.value,
        "decision": msgspec.json.encode(judged.decision).decode(),
        "granted": _written(judged.granted),
        "decided_by": judged.decided_by,
        "decided_at_ms": judged.decided_at_ms,
    }
    statement = upsert(access_decision).values({**key, **row})
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=row))


def settle(connection: Connection, request_id: UUID, who: str, now_ms: int, *, is_approved: bool) -> None:
    """Write down that a person decided on every record of a request that was put to one."""
    for one in of_request(connection, request_id):
        if one.decided_by:
            continue
        granted = (*one.decision.allowed, *one.decision.referred) if is_approved else ()
        connection.execute(
            update(access_decision)
            .where(
                access_decision.c.request_id == request_id.bytes,
                access_decision.c.site == one.asked.site,
                access_decision.c.record_id == one.asked.record_id.bytes,
            )
            .values(granted=_written(granted), decided_by=who, decided_at_ms=now_ms)
        )


def of_request(connection: Connection, request_id: UUID) -> Sequence[Judged]:
    """Return what was decided on the records of a request."""
    statement = select(access_decision).where(access_decision.c.request_id == request_id.bytes)
    ordered = statement.order_by(access_decision.c.site, access_decision.c.record_id)
    return [_judged(row) for row in connection.execute(ordered)]


def may_have(connection: Connection, request_id: UUID, site: str, record_id: UUID, use: Use) -> bool:
    """Tell whether an applicant may have some use of a record, as was decided for this request."""
    return any(
        use in one.granted
        for one in of_request(connection, request_id)
        if (one.asked.site, one.asked.record_id) == (site, record_id)
    )


def _written(uses: Sequence[Use]) -> str:
    return " ".join(use.value for use in uses)


def _judged(row: Row[*tuple[Any, ...]]) -> Judged:
    return Judged(
        asked=RecordAsked(
            site=row.site,
            record_id=UUID(bytes=row.record_id),
            status=AccessStatus(row.access_status),
            relation=Relation(row.relation),
        ),
        decision=msgspec.json.decode(row.decision, type=Decision),
        granted=tuple(map(Use, row.granted.split())),
        decided_by=row.decided_by,
        decided_at_ms=row.decided_at_ms,
    )
