"""The county archive's decisions on a transfer, each with its line in the audit log.

What may be decided, and when, is said by ``replication.transfer_deciding``, for a township's archive as well.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry
from hub.staff.administration import Actor
from protocol.errors import Refused
from protocol.transfer_folds import Transfer
from protocol.transfers import BoxCount, ItemRuling, Ruling
from protocol.wording import Count, Text
from replication import transfer_deciding
from replication.transfer_deciding import (
    IN_PLAY,
    Conclusion,
    expected_boxes,
    faults_by_item,
    found,
    rulings_on,
    rulings_on_faults,
    rulings_with_codes,
)
from replication.transfer_log import WITNESS, TransferLog, role_of

__all__ = [
    "IN_PLAY",
    "Conclusion",
    "cancel",
    "count",
    "decide",
    "expected_boxes",
    "faults_by_item",
    "found",
    "rule",
    "rulings_on",
    "rulings_on_faults",
    "rulings_with_codes",
    "send_back",
]

_RULED = {Ruling.ACCEPT: "accept", Ruling.RETURN: "return", Ruling.HOLD: "hold"}


def rule(
    connection: Connection,
    log: TransferLog,
    actor: Actor,
    transfer_id: UUID,
    rulings: Sequence[ItemRuling],
    now_ms: int,
) -> Transfer:
    """Rule on items of the round that is being checked; raises as ``transfer_deciding.rule``."""
    refuse_witness(connection, transfer_id)
    now = transfer_deciding.rule(connection, log, transfer_id, rulings)
    counted: dict[Ruling, int] = {}
    for one in rulings:
        counted[one.ruling] = counted.get(one.ruling, 0) + 1
    told = ", ".join(f"{_RULED[ruling]} {count}" for ruling, count in counted.items())
    _note(connection, actor, Action.TRANSFER_RULED, transfer_id, told, now_ms)
    return now


def decide(
    connection: Connection,
    log: TransferLog,
    actor: Actor,
    transfer_id: UUID,
    conclusion: Conclusion,
    now_ms: int,
) -> Transfer:
    """Close the look at a round; raises as ``transfer_deciding.decide``."""
    refuse_witness(connection, transfer_id)
    after = transfer_deciding.decide(connection, log, transfer_id, conclusion)
    told = f"{after.state.value}: {after.accepted} accepted, {len(after.returned)} returned, {len(after.held)} held"
    _note(connection, actor, Action.TRANSFER_DECIDED, transfer_id, told, now_ms)
    return after


def send_back(
    connection: Connection, log: TransferLog, actor: Actor, transfer_id: UUID, reason: Text, now_ms: int
) -> Transfer:
    """Send the whole package of a round back; raises as ``transfer_deciding.send_back``."""
    refuse_witness(connection, transfer_id)
    number = found(connection, transfer_id).round
    after = transfer_deciding.send_back(connection, log, transfer_id, reason)
    _note(connection, actor, Action.TRANSFER_DECIDED, transfer_id, f"round {number} sent back", now_ms)
    return after


def count(
    connection: Connection,
    log: TransferLog,
    actor: Actor,
    transfer_id: UUID,
    boxes: Sequence[BoxCount],
    now_ms: int,
) -> Transfer:
    """Write down what was counted of the physical boxes."""
    refuse_witness(connection, transfer_id)
    now = transfer_deciding.count(connection, log, transfer_id, boxes)
    told = f"{Count(len(boxes)):box|boxes}, {Count(sum(box.seen for box in boxes)):volume|volumes} seen"
    _note(connection, actor, Action.TRANSFER_RULED, transfer_id, told, now_ms)
    return now


def cancel(
    connection: Connection, log: TransferLog, actor: Actor, transfer_id: UUID, reason: str, now_ms: int
) -> Transfer:
    """Give a transfer up before both have signed; raises as ``transfer_deciding.cancel``."""
    refuse_witness(connection, transfer_id)
    after = transfer_deciding.cancel(connection, log, transfer_id, reason)
    _note(connection, actor, Action.TRANSFER_CANCELLED, transfer_id, reason, now_ms)
    return after


def refuse_witness(connection: Connection, transfer_id: UUID) -> None:
    """Go on only if the county itself receives: what two sites hand over, they settle between them.

    Raises:
        Refused: it receives nothing here.

    """
    if role_of(connection, transfer_id) == WITNESS:
        raise Refused(
            Text(
                zh="这次移交由乡镇接收，县馆只见证。", en="a site receives this transfer: the county only witnesses it"
            ),
            Text(
                zh="请接收站点在本站运行 danglian-node transfer。",
                en="The receiving site decides with danglian-node transfer.",
            ),
        )


def _note(connection: Connection, actor: Actor, action: Action, transfer_id: UUID, detail: str, now_ms: int) -> None:
    entry = AuditEntry(who=actor.who, origin=actor.origin, action=action, object=str(transfer_id), detail=detail)
    audit.append(connection, entry, now_ms)
