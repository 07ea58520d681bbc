"""What the node remembers of its courier: the bundles that it wrote and took, and where the hub stood at last.

Bundles are numbered so that an old stick never undoes a new one; the numbers live in the database beside the outbox.
"""

import msgspec
from sqlalchemy import Connection

from protocol.bundles import PagesWanted
from replication import outbox

_FACT = "courier"


class CourierLog(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The courier's last ways, both of them."""

    sent_serial: int = 0
    sent_at_ms: int = 0
    sent_last: int = 0
    """Position up to which the latest bundle went."""
    taken_serial: int = 0
    """Of the latest reply of the hub that was taken."""
    taken_at_ms: int = 0
    behind_epoch: str = ""
    behind_at: int = 0
    """Where a hub stands that was put back: bundles begin there until it has caught up."""
    pages_wanted: tuple[PagesWanted, ...] = ()
    """What the latest reply said to be missing of pages; of orders that it does not name, all are."""
    pages_written: tuple[PagesWanted, ...] = ()
    """Pages that sticks have taken since."""


def read(connection: Connection) -> CourierLog:
    """Return what is remembered."""
    found = connection.exec_driver_sql("SELECT value FROM fact WHERE name = ?", (_FACT,)).scalar_one_or_none()
    return CourierLog() if found is None else msgspec.json.decode(found, type=CourierLog)


def write(connection: Connection, log: CourierLog) -> None:
    """Remember it."""
    connection.exec_driver_sql(
        "INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_FACT, msgspec.json.encode(log).decode()),
    )


def begins_at(log: CourierLog, held: outbox.Extent) -> int:
    """Return the position after which the next bundle begins: all that the hub has not confirmed follows it."""
    is_behind = log.behind_epoch == held.end.epoch and log.behind_at < held.start.seq
    return log.behind_at if is_behind else held.start.seq
