"""Telling records again: the county found that its copy of some records differs, and asks for just these.

They are told as new events, so that they outrank whatever the copy says. A record that this site does not list is
withdrawn: with its own cause where the site remembers it, else as one that it does not have. All of it is one
transaction, at exactly the position at which the difference was found: once the site has moved on, nothing is done.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node import retractions
from node.changes import Standing
from node.revisions import ACTOR
from protocol.calls import Outcome, Redescribe, Redescribed, Refusal
from protocol.events import Described, EventHead, WithdrawalCause, Withdrawn
from protocol.limits import REDESCRIBED_RECORDS_MAX
from replication import outbox
from replication.database import Database
from replication.outbox import FrameWriter

_Said = tuple[Outcome, Redescribed | Refusal, tuple[str, int]]


class _Known(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    docid: int
    standing: Standing
    withdrawn_cause: str
    body: bytes


def redescribe_handler(
    database: Database, writer: FrameWriter, on_events: Callable[[], None]
) -> Callable[[Redescribe], Awaitable[_Said]]:
    """Return what answers ``Redescribe``."""

    async def answer(question: Redescribe) -> _Said:
        said = await database.write(lambda connection: redescribe(connection, writer, question))
        if said[0] is Outcome.ANSWERED:
            on_events()
        return said

    return answer


def redescribe(connection: Connection, writer: FrameWriter, question: Redescribe) -> _Said:
    """Mint the events, if the site still stands where the question says."""
    here = outbox.head(connection)
    at = (here.epoch, here.seq) if here is not None else ("", 0)
    if len(question.record_ids) > REDESCRIBED_RECORDS_MAX:
        few = Refusal(
            reason_zh=f"一次最多 {REDESCRIBED_RECORDS_MAX} 条。",
            reason_en=f"no more than {REDESCRIBED_RECORDS_MAX} records at once",
        )
        return Outcome.REFUSED, few, at
    if at != (question.epoch, question.seq):
        return Outcome.NOTHING, Redescribed(up_to=at[1]), at
    record_ids = list(dict.fromkeys(question.record_ids))
    known = _known(connection, record_ids)
    drafts = [_event(record_id, known.get(record_id)) for record_id in record_ids]
    positions = outbox.append(connection, writer, drafts)
    retractions.note(connection, drafts, positions, writer.clock_ms())
    described = 0
    for record_id, draft, seq in zip(record_ids, drafts, positions, strict=True):
        described += isinstance(draft, Described)
        if record_id in known:
            cause = str(draft.cause) if isinstance(draft, Withdrawn) else ""
            connection.exec_driver_sql(
                "UPDATE record SET seq = ?, withdrawn_cause = ? WHERE docid = ?", (seq, cause, known[record_id].docid)
            )
    told = Redescribed(described=described, withdrawn=len(drafts) - described, up_to=at[1] + len(drafts))
    return Outcome.ANSWERED, told, (at[0], told.up_to)


def _known(connection: Connection, record_ids: list[UUID]) -> dict[UUID, _Known]:
    marks = ", ".join("?" * len(record_ids))
    rows = connection.exec_driver_sql(
        "SELECT record_id, docid, standing, withdrawn_cause, body FROM record"  # noqa: S608 - marks only
        f" WHERE record_id IN ({marks})",
        tuple(record_id.bytes for record_id in record_ids),
    )
    return {
        UUID(bytes=record_id): _Known(docid=docid, standing=Standing(standing), withdrawn_cause=cause, body=body)
        for record_id, docid, standing, cause, body in rows
    }


def _event(record_id: UUID, known: _Known | None) -> EventHead:
    if known is not None and known.standing is Standing.LISTED:
        return Described(seq=0, previous=0, at_ms=0, actor=ACTOR, record=msgspec.Raw(known.body))
    if known is None:
        cause = WithdrawalCause.NOT_HELD
    elif known.standing is Standing.WITHHELD:
        cause = WithdrawalCause.SECRECY_RAISED
    else:
        cause = WithdrawalCause(known.withdrawn_cause or WithdrawalCause.ROW_VANISHED.value)
    return Withdrawn(seq=0, previous=0, at_ms=0, actor=ACTOR, record_id=record_id, cause=cause)
