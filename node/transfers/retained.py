"""The copy that a giver keeps of what it has handed over: until when, and a reminder when that day has come.

Nothing here removes a file. Whoever handed electronic records over keeps a copy for at least five years; what becomes
of it then is decided by people, by the rules for disposal, and written down here so that the reminder ends.
"""

import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection, select

from node.transfers.retained_tables import retained_copy
from protocol.errors import Refused
from protocol.transfer_folds import Transfer
from protocol.transfers import TransferState
from protocol.wording import Text
from replication.dialects import upsert
from replication.transfer_log import USUAL, opened_transfers

REMIND_DAYS = 60
"""Days before its date from which a copy is told as soon due: time to ask for what has to be approved."""


class RetainedCopy(msgspec.Struct, frozen=True, kw_only=True):
    """The copy of one transfer that is closed."""

    transfer_id: UUID
    title: str
    receiver: str
    items: int
    size_bytes: int
    kept_until: datetime.date
    disposed_on: datetime.date | None = None
    note: str = ""

    def is_due(self, today: datetime.date) -> bool:
        """Tell whether its day has come and nobody has decided."""
        return self.disposed_on is None and self.kept_until <= today

    def is_soon(self, today: datetime.date) -> bool:
        """Tell whether its day comes within ``REMIND_DAYS``."""
        soon = today + datetime.timedelta(days=REMIND_DAYS)
        return self.disposed_on is None and today < self.kept_until <= soon


def copies(connection: Connection) -> list[RetainedCopy]:
    """Return the copies of everything that was handed over, those whose day comes first being first."""
    decided = {row.transfer_id: row for row in connection.execute(select(retained_copy))}
    found: list[RetainedCopy] = []
    for now in opened_transfers(connection, (TransferState.CLOSED.value,), USUAL):
        row = decided.get(str(now.transfer_id))
        until = row.kept_until if row is not None and row.kept_until else ""
        kept_until = datetime.date.fromisoformat(until) if until else now.copy_kept_until
        if kept_until is not None:
            disposed_on = datetime.date.fromisoformat(row.disposed_on) if row is not None and row.disposed_on else None
            note = row.note if row is not None else ""
            found.append(_copy(now, kept_until, disposed_on, note))
    return sorted(found, key=lambda one: (one.kept_until, one.transfer_id))


def _copy(now: Transfer, kept_until: datetime.date, disposed_on: datetime.date | None, note: str) -> RetainedCopy:
    return RetainedCopy(
        transfer_id=now.transfer_id,
        title=now.title,
        receiver=now.receiver_site,
        items=now.accepted,
        size_bytes=now.size_bytes,
        kept_until=kept_until,
        disposed_on=disposed_on,
        note=note,
    )


def copies_due(connection: Connection, today: datetime.date) -> list[RetainedCopy]:
    """Return the copies whose day has come, or comes soon."""
    return [one for one in copies(connection) if one.is_due(today) or one.is_soon(today)]


def keep_longer(connection: Connection, one: RetainedCopy, until: datetime.date, note: str, now_ms: int) -> None:
    """Keep a copy until another day.

    Raises:
        Refused: the day is earlier than what was promised in the certificate.

    """
    if until < one.kept_until:
        raise Refused(
            Text(
                zh=f"交接文据约定保存到 {one.kept_until.isoformat()}，不能提前。",
                en=f"the certificate promises to keep it until {one.kept_until.isoformat()}: no earlier",
            )
        )
    _decide(connection, one, until.isoformat(), "", note, now_ms)


def dispose(connection: Connection, one: RetainedCopy, today: datetime.date, note: str, now_ms: int) -> None:
    """Write down that a copy was disposed of, by whom it was approved; no file is touched.

    Raises:
        Refused: its day has not come, or nothing says who approved it.

    """
    day = one.kept_until.isoformat()
    if not one.is_due(today):
        raise Refused(
            Text(zh=f"保存期到 {day}，未满。", en=f"it is kept until {day}"),
            Text(zh="期满后再办处置。", en="It may be disposed of after that."),
        )
    if not note.strip():
        raise Refused(
            Text(zh="处置副本须写明批准情况。", en="a disposal needs to say who approved it"),
            Text(zh="用 --note 写批准文号或批准人职务。", en="Say it with --note."),
        )
    _decide(connection, one, one.kept_until.isoformat(), today.isoformat(), note, now_ms)


def _decide(
    connection: Connection, one: RetainedCopy, kept_until: str, disposed_on: str, note: str, now_ms: int
) -> None:
    values: dict[str, object] = {
        "kept_until": kept_until,
        "disposed_on": disposed_on,
        "note": note,
        "decided_at_ms": now_ms,
    }
    statement = upsert(retained_copy).values(transfer_id=str(one.transfer_id), **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[retained_copy.c.transfer_id], set_=values))
