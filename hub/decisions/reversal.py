"""Undoing a decision of whichever queue: the thing waits again, and both the decision and its end stay on record."""

from sqlalchemy import Connection

from hub.decisions import conflict_rulings, duplicate_rulings, quarantine_rulings, rulings
from hub.decisions.rulings import Queue, Ruling
from hub.staff.administration import Actor


def undo(connection: Connection, actor: Actor, number: int, now_ms: int) -> Ruling | None:
    """Undo a decision; None if there is none of this number. Undone twice is undone once."""
    one = rulings.found(connection, number)
    if one is None or not rulings.undo(connection, actor, one, now_ms):
        return one
    if one.queue is Queue.QUARANTINE:
        quarantine_rulings.put_back(connection, one, now_ms)
    elif one.queue is Queue.CONFLICT:
        conflict_rulings.put_back(connection, one)
    else:
        duplicate_rulings.take_back(connection, actor, one, now_ms)
    return one
