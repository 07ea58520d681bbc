"""Rulings: what a person decided in a queue, why, and whether it was undone.

A ruling is written in the transaction of what it does, with its line in the audit log. What it takes out of a queue it
keeps, so that undoing puts the very same thing back. At most one ruling stands for an object; ruling twice is ruling
once.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from hub import audit
from hub.audit import Action, AuditEntry
from hub.decisions.ruling_tables import ruling
from hub.staff.administration import Actor
from protocol.errors import Refused
from protocol.wording import Text

NOTE_CHARS_MAX = 500
"""Characters of the reason that a person gives."""


class Queue(StrEnum):
    """What waits for a person."""

    QUARANTINE = "quarantine"
    CONFLICT = "conflict"
    DUPLICATE = "duplicate"
    PROPOSAL = "proposal"
    """Here nothing is ruled: the owners decide, and it is shown what waits for them."""


QUEUES = {
    Queue.QUARANTINE: Text(zh="隔离", en="Quarantine"),
    Queue.CONFLICT: Text(zh="冲突", en="Contradictions"),
    Queue.DUPLICATE: Text(zh="疑似重复", en="Alike records"),
    Queue.PROPOSAL: Text(zh="修改建议", en="Proposals"),
}


class Decided(StrEnum):
    """What was decided."""

    DROPPED = "dropped"
    """Something in quarantine is not wanted."""
    HELD_STANDS = "held_stands"
    """Of two contents the one that the catalogue holds stands."""
    APART = "apart"
    """Two alike records are different things."""
    SAME = "same"
    """Two alike records describe the same thing; both stay, each with its owner."""


DECIDED = {
    Decided.DROPPED: Text(zh="丢弃", en="dropped"),
    Decided.HELD_STANDS: Text(zh="以现有内容为准", en="what is held stands"),
    Decided.APART: Text(zh="不是同一件", en="different things"),
    Decided.SAME: Text(zh="同一件", en="the same thing"),
}


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that is to be written down."""

    queue: Queue
    site: str
    object: str
    """What it is about, so that the same thing has the same name whenever it comes again."""
    verdict: Decided
    note: str = ""
    taken: bytes | None = None
    """What the decision takes away, as its queue writes it."""


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as it is stored."""

    id: int
    queue: Queue
    site: str
    object: str
    verdict: Decided
    note: str
    taken: bytes | None
    decided_by: str
    decided_at_ms: int
    undone_by: str | None
    undone_at_ms: int | None


def rule(connection: Connection, actor: Actor, order: Order, now_ms: int) -> bool:
    """Write a decision down; False if just this stands already.

    Raises:
        Refused: something else was decided, and stands.

    """
    standing = connection.execute(
        select(ruling).where(
            ruling.c.queue == order.queue.value, ruling.c.object == order.object, ruling.c.undone_at_ms.is_(None)
        )
    ).one_or_none()
    if standing is not None:
        if standing.verdict == order.verdict.value:
            return False
        raise Refused(
            Text(zh=f"{standing.decided_by} 已作出另一决定。", en=f"{standing.decided_by} has decided something else"),
            Text(zh="请先在“已决定”中撤销那一项。", en="Undo that first, under Decided."),
        )
    connection.execute(
        insert(ruling).values(
            queue=order.queue.value,
            site=order.site,
            object=order.object,
            verdict=order.verdict.value,
            note=order.note[:NOTE_CHARS_MAX],
            taken=order.taken,
            decided_by=actor.who,
            decided_at_ms=now_ms,
        )
    )
    _tell(connection, actor, Action.DECIDED, (order.queue, order.object), f"{order.verdict} {order.note}", now_ms)
    return True


def undo(connection: Connection, actor: Actor, one: Ruling, now_ms: int) -> bool:
    """Write down that a decision does not stand any more; False if it did not."""
    ended = (
        update(ruling)
        .where(ruling.c.id == one.id, ruling.c.undone_at_ms.is_(None))
        .values(undone_by=actor.who, undone_at_ms=now_ms, taken=None)
    )
    if not connection.execute(ended).rowcount:
        return False
    _tell(connection, actor, Action.UNDECIDED, (one.queue, one.object), one.verdict, now_ms)
    return True


def found(connection: Connection, number: int) -> Ruling | None:
    """Return one decision."""
    row = connection.execute(select(ruling).where(ruling.c.id == number)).one_or_none()
    return None if row is None else _ruling(row)


def standing(connection: Connection, queue: Queue, objects: Collection[str]) -> set[str]:
    """Return those of some objects about which something is decided."""
    statement = select(ruling.c.object).where(
        ruling.c.queue == queue.value, ruling.c.object.in_(objects), ruling.c.undone_at_ms.is_(None)
    )
    return set(connection.execute(statement).scalars())


def listed(connection: Connection, limit: int, before_id: int | None = None) -> Sequence[Ruling]:
    """Return decisions, the newest first, those before a number if one is given."""
    statement = select(ruling).order_by(ruling.c.id.desc()).limit(limit)
    if before_id is not None:
        statement = statement.where(ruling.c.id < before_id)
    return [_ruling(row) for row in connection.execute(statement)]


def _tell(
    connection: Connection, actor: Actor, action: Action, named: tuple[Queue, str], detail: str, now_ms: int
) -> None:
    queue, name = named
    entry = AuditEntry(
        who=actor.who, action=action, object=f"{queue} {name}", origin=actor.origin, detail=detail.strip()
    )
    audit.append(connection, entry, now_ms)


def _ruling(row: Row[*tuple[object, ...]]) -> Ruling:
    return msgspec.convert(row, Ruling, from_attributes=True)
