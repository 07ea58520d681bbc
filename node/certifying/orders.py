"""Orders for copies as the site holds them: taken from the hub's letters, and kept with what was decided."""

from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from node.certifying.order_tables import copy_order
from protocol.codec import decode_record
from protocol.copies import CopyAsked, CopyDecided
from protocol.errors import BadValue
from protocol.records import Record
from protocol.wording import Text


class OrderState(StrEnum):
    """Where an order stands at the site."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    DRAWN = "drawn"
    SEALED = "sealed"


STATES = {
    OrderState.WAITING: Text(zh="待审批", en="waits for a decision"),
    OrderState.APPROVED: Text(zh="已批准，等县里调取", en="approved, to be fetched"),
    OrderState.REFUSED: Text(zh="已拒绝", en="refused"),
    OrderState.WITHDRAWN: Text(zh="窗口已撤回", en="withdrawn by the window"),
    OrderState.DRAWN: Text(zh="已调取", en="fetched"),
    OrderState.SEALED: Text(zh="已签章", en="sealed"),
}

CERTIFIED = (OrderState.APPROVED, OrderState.DRAWN, OrderState.SEALED)
"""States of an order that the keeper has approved and nobody has taken back."""


class SiteOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order."""

    asked: CopyAsked
    state: OrderState
    decision: CopyDecided | None
    decided_by: str
    note: str
    taken_at_ms: int
    decided_at_ms: int | None

    @property
    def copy_id(self) -> UUID:
        """Its name."""
        return self.asked.copy_id

    @property
    def short(self) -> str:
        """What a person types to name it."""
        return str(self.copy_id)[:8]


def take(connection: Connection, asked: CopyAsked, now_ms: int) -> None:
    """Keep an order that came; one that is known stays as it is."""
    if look_up(connection, asked.copy_id) is not None:
        return
    connection.execute(
        insert(copy_order).values(
            copy_id=str(asked.copy_id),
            serial=asked.serial,
            record_id=str(asked.record_id),
            state=OrderState.WAITING.value,
            asked=msgspec.json.encode(asked),
            taken_at_ms=now_ms,
        )
    )


def move(connection: Connection, copy_id: UUID, state: OrderState, note: str = "") -> None:
    """Bring an order into a state."""
    values = {"state": state.value} | ({"note": note} if note else {})
    connection.execute(update(copy_order).where(copy_order.c.copy_id == str(copy_id)).values(values))


def decide(connection: Connection, decision: CopyDecided, who: str, now_ms: int) -> None:
    """Keep what the keeper decided."""
    state = OrderState.APPROVED if decision.approved else OrderState.REFUSED
    connection.execute(
        update(copy_order)
        .where(copy_order.c.copy_id == str(decision.copy_id))
        .values(
            state=state.value,
            decision=msgspec.json.encode(decision),
            decided_by=who,
            note=decision.note,
            decided_at_ms=now_ms,
        )
    )


def listed(connection: Connection, *, with_past: bool = False) -> list[SiteOrder]:
    """Return the orders that wait, the oldest first; or all of them."""
    statement = select(copy_order).order_by(copy_order.c.taken_at_ms)
    if not with_past:
        statement = statement.where(copy_order.c.state == OrderState.WAITING.value)
    return [_order(row) for row in connection.execute(statement)]


def in_state(connection: Connection, state: OrderState) -> list[SiteOrder]:
    """Return the orders in a state, those first that were decided first."""
    statement = select(copy_order).where(copy_order.c.state == state.value)
    return [_order(row) for row in connection.execute(statement.order_by(copy_order.c.decided_at_ms))]


def look_up(connection: Connection, copy_id: UUID) -> SiteOrder | None:
    """Return one order, None if it never came here."""
    row = connection.execute(select(copy_order).where(copy_order.c.copy_id == str(copy_id))).one_or_none()
    return None if row is None else _order(row)


def named(connection: Connection, name: str) -> SiteOrder:
    """Return the order whose id begins so, or that has this serial.

    Raises:
        BadValue: none or several do.

    """
    wanted = name.strip().lower()
    begins = copy_order.c.copy_id.startswith(wanted, autoescape=True)
    statement = select(copy_order).where((copy_order.c.serial == wanted) | begins).limit(2)
    rows = connection.execute(statement).all() if wanted else []
    if len(rows) != 1:
        raise BadValue(
            Text(zh=f"没有编号为 {name!r} 的申请，或不止一件。", en=f"no order is named {name!r}, or several are"),
            Text(zh="danglian-node requests list 列出编号。", en="danglian-node requests list shows their names."),
        )
    return _order(rows[0])


def record_of(connection: Connection, order: SiteOrder) -> tuple[Record | None, str]:
    """Return our own description of the record and the code of its volume; None if it is not listed here (any more)."""
    row = connection.exec_driver_sql(
        "SELECT body, volume_code FROM record WHERE record_id = ? AND standing = 'listed'",
        (order.asked.record_id.bytes,),
    ).one_or_none()
    return (None, "") if row is None else (decode_record(row[0]), str(row[1]))


def _order(row: Row[*tuple[object, ...]]) -> SiteOrder:
    return SiteOrder(
        asked=msgspec.json.decode(row.asked, type=CopyAsked),
        state=OrderState(row.state),
        decision=None if row.decision is None else msgspec.json.decode(row.decision, type=CopyDecided),
        decided_by=row.decided_by,
        note=row.note,
        taken_at_ms=row.taken_at_ms,
        decided_at_ms=row.decided_at_ms,
    )
