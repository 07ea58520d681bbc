"""Orders to read every held file now: one stands at a time, ``hub.keeping.fixity`` does it, and a restart goes on.

An order is the moment at which it was given: whatever was looked at before that moment is still to be read.
"""

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from hub import audit
from hub.audit import Action, AuditEntry
from hub.keeping.keeping_tables import fixity_order, held_file
from hub.staff.administration import Actor
from protocol.errors import Refused
from protocol.wording import Text


class FixityOrder(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody wanted every held file read."""

    number: int
    ordered_at_ms: int
    ordered_by: str
    done_at_ms: int | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an order has come."""

    order: FixityOrder
    read: int
    """Files that were read since it was given; those that came meanwhile are among them."""
    files: int


def order(connection: Connection, actor: Actor, now_ms: int) -> FixityOrder:
    """Have every held file read now.

    Raises:
        Refused: nothing is held, or an order stands already.

    """
    before = newest(connection)
    if before is not None and before.done_at_ms is None:
        raise Refused(
            Text(zh="已在核验全部文件。", en="every file is being read already"),
            Text(zh="完成后才能再次开始。", en="Another run begins when this one has ended."),
        )
    if connection.execute(select(held_file.c.site).limit(1)).first() is None:
        raise Refused(Text(zh="还没有馆藏文件。", en="nothing is held yet"))
    number = 1 if before is None else before.number + 1
    made = FixityOrder(number=number, ordered_at_ms=now_ms, ordered_by=actor.who)
    connection.execute(insert(fixity_order).values(**msgspec.structs.asdict(made)))
    entry = AuditEntry(who=actor.who, origin=actor.origin, action=Action.FIXITY_ORDERED, object=f"fixity {number}")
    audit.append(connection, entry, now_ms)
    return made


def newest(connection: Connection) -> FixityOrder | None:
    """Return the newest order, done or not."""
    row = connection.execute(select(fixity_order).order_by(fixity_order.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else msgspec.convert(row, FixityOrder, from_attributes=True)


def standing(connection: Connection) -> FixityOrder | None:
    """Return the order that is not done."""
    found = newest(connection)
    return found if found is not None and found.done_at_ms is None else None


def close(connection: Connection, found: FixityOrder, now_ms: int) -> bool:
    """Note that an order is done, if no file was last looked at before it."""
    before = select(held_file.c.site).where(held_file.c.looked_at_ms < found.ordered_at_ms).limit(1)
    if connection.execute(before).first() is not None:
        return False
    mine = fixity_order.c.number == found.number
    connection.execute(update(fixity_order).where(mine).values(done_at_ms=now_ms))
    return True


def progress(connection: Connection, found: FixityOrder, files: int) -> Progress:
    """Return how far an order has come; counts what is still to be read, along an index."""
    left = select(func.count()).select_from(held_file).where(held_file.c.looked_at_ms < found.ordered_at_ms)
    return Progress(order=found, read=files - int(connection.execute(left).scalar_one()), files=files)
