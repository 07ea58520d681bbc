"""Retractions: the withdrawals and closings of this site, and which copy has confirmed which (promise 7).

- A retraction is noted in the transaction that mints its event.
- A copy confirms by its receipts: a position that it has applied covers every retraction up to there. One of a former
  epoch is covered by the end of the baseline that came after it. A copy that was put back from a backup has confirmed
  nothing beyond the place where it stands now.
- A tombstone lives until every known copy has passed it, and for ``TOMBSTONE_DAYS`` after that, so that a row that
  returns finds its record again. A copy that was not heard of for ``COPY_ABSENT_DAYS`` is not waited for.
- What was pruned cannot be told any more: a copy that stands before it is brought on by a baseline (``node.baseline``).
"""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection

from protocol.beats import Receipt
from protocol.events import AccessChanged, EventHead, Withdrawn
from protocol.vocabularies import AccessStatus
from replication import outbox

HUB = "hub"
"""The copy that the county's hub keeps; the only one so far."""

TOMBSTONE_DAYS = 400
"""Days that a tombstone lives at least: a sheet that is made anew every year finds its withdrawn rows again."""

TOMBSTONES_MAX = 200_000
"""Tombstones beyond which the oldest go before their time, if every copy has passed them."""

COPY_ABSENT_DAYS = 180
"""Days of silence after which a copy is not waited for any more; it starts over with a baseline when it returns."""

PRUNED_AT_ONCE = 2_000
"""Tombstones pruned in one transaction."""

_DAY_MS = 86_400_000
_FACT = "pruned"


class Retraction(msgspec.Struct, frozen=True, kw_only=True):
    """One withdrawal or closing as the status shows it."""

    record_id: str
    kind: str
    """``withdrawn`` or ``closed``."""
    cause: str
    epoch: str
    seq: int
    minted_at_ms: int
    confirmed: dict[str, int]
    """When each copy confirmed it; a copy that is not named has not."""


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """Up to where the history of an epoch has lost tombstones."""

    epoch: str
    seq: int


def note(connection: Connection, drafts: Sequence[EventHead], positions: Iterable[int], now_ms: int) -> None:
    """Note the retractions among events that were just given their positions."""
    rows = [(seq, *told) for draft, seq in zip(drafts, positions, strict=True) if (told := _told(draft)) is not None]
    if not rows:
        return
    here = outbox.head(connection)
    epoch = here.epoch if here is not None else ""
    connection.exec_driver_sql(
        "INSERT OR REPLACE INTO retraction (epoch, seq, record_id, kind, cause, minted_at_ms)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [(epoch, seq, record_id, kind, cause, now_ms) for seq, record_id, kind, cause in rows],
    )


def _told(draft: EventHead) -> tuple[bytes, str, str] | None:
    if isinstance(draft, Withdrawn):
        return draft.record_id.bytes, "withdrawn", str(draft.cause)
    if isinstance(draft, AccessChanged) and draft.access_status != AccessStatus.OPEN:
        return draft.record_id.bytes, "closed", str(draft.access_status)
    return None


def adopt(connection: Connection, now_ms: int) -> int:
    """Note the tombstones of a database that was made before retractions were noted; returns how many."""
    return connection.exec_driver_sql(
        "INSERT OR IGNORE INTO retraction (epoch, seq, record_id, kind, cause, minted_at_ms)"
        " SELECT head.epoch, record.seq, record.record_id, 'withdrawn', record.withdrawn_cause, ?"
        # By itself the planner walks all records of a large site at every start, through 16 MB of cache.
        " FROM head, record INDEXED BY record_gone WHERE record.standing = 'gone' AND record.seq > 0"
        " AND record.withdrawn_cause <> '' AND NOT EXISTS (SELECT 1 FROM retraction WHERE retraction.epoch = head.epoch"
        " AND retraction.seq = record.seq)",
        (now_ms,),
    ).rowcount


# Copies


def confirm(connection: Connection, name: str, receipt: Receipt, baseline_ended_at: int | None, now_ms: int) -> int:
    """Take in how far a copy is; returns how many retractions that confirms.

    Args:
        connection: of a writing transaction.
        name: the copy.
        receipt: in the present epoch.
        baseline_ended_at: where the present epoch's last complete baseline ended, None if there is none.
        now_ms: the wall clock, for display.

    """
    before = connection.exec_driver_sql("SELECT epoch, applied FROM copy WHERE name = ?", (name,)).one_or_none()
    connection.exec_driver_sql(
        "INSERT INTO copy (name, epoch, applied, heard_at_ms) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " epoch = excluded.epoch, applied = excluded.applied, heard_at_ms = excluded.heard_at_ms",
        (name, receipt.epoch, receipt.applied, now_ms),
    )
    if before is not None and before[0] == receipt.epoch and receipt.applied < before[1]:
        connection.exec_driver_sql(
            "DELETE FROM confirmation WHERE name = ? AND epoch = ? AND seq > ?", (name, receipt.epoch, receipt.applied)
        )
    since = before[1] if before is not None and before[0] == receipt.epoch and before[1] < receipt.applied else 0
    told = (receipt.epoch, since, receipt.applied)
    confirmed = _confirm(connection, name, "epoch = ? AND seq > ? AND seq <= ?", told, now_ms)
    if baseline_ended_at is not None and since < baseline_ended_at <= receipt.applied:
        confirmed += _confirm(connection, name, "epoch <> ?", (receipt.epoch,), now_ms)
    return confirmed


def _confirm(connection: Connection, name: str, chosen: str, values: tuple[object, ...], now_ms: int) -> int:
    return connection.exec_driver_sql(
        "INSERT OR IGNORE INTO confirmation (name, epoch, seq, confirmed_at_ms)"  # noqa: S608 - built from constants
        f" SELECT ?, epoch, seq, ? FROM retraction WHERE {chosen}",
        (name, now_ms, *values),
    ).rowcount


def latest(connection: Connection, limit: int) -> list[Retraction]:
    """Return the latest retractions with who confirmed them, newest first."""
    rows = connection.exec_driver_sql(
        "SELECT record_id, kind, cause, epoch, seq, minted_at_ms FROM retraction"
        " ORDER BY minted_at_ms DESC, seq DESC LIMIT ?",
        (limit,),
    ).all()
    return [
        Retraction(
            record_id=_uuid(record_id),
            kind=kind,
            cause=cause,
            epoch=epoch,
            seq=seq,
            minted_at_ms=minted_at_ms,
            confirmed=_confirmed_by(connection, epoch, seq),
        )
        for record_id, kind, cause, epoch, seq, minted_at_ms in rows
    ]


def _confirmed_by(connection: Connection, epoch: str, seq: int) -> dict[str, int]:
    rows = connection.exec_driver_sql(
        "SELECT name, confirmed_at_ms FROM confirmation WHERE epoch = ? AND seq = ?", (epoch, seq)
    ).all()
    return {row[0]: row[1] for row in rows}


def counts(connection: Connection) -> tuple[int, int]:
    """Return how many retractions there are, and how many of them the hub has not confirmed."""
    row = connection.exec_driver_sql(
        "SELECT count(*), count(*) - count(confirmed_at_ms) FROM retraction LEFT JOIN confirmation"
        " ON confirmation.name = ? AND confirmation.epoch = retraction.epoch AND confirmation.seq = retraction.seq",
        (HUB,),
    ).one()
    return row[0], row[1]


def _uuid(raw: bytes) -> str:
    whole = raw.hex()
    return f"{whole[:8]}-{whole[8:12]}-{whole[12:16]}-{whole[16:20]}-{whole[20:]}"


# Pruning


def prune(connection: Connection, now_ms: int, *, most: int = TOMBSTONES_MAX) -> int:
    """Let go of some tombstones whose time is over; returns how many, 0 when there are none.

    Args:
        connection: of a writing transaction.
        now_ms: the wall clock.
        most: tombstones that may live before their time is up.

    """
    total, _ = counts(connection)
    waited_for = [
        name
        for (name,) in connection.exec_driver_sql(
            "SELECT name FROM copy WHERE heard_at_ms >= ?", (now_ms - COPY_ABSENT_DAYS * _DAY_MS,)
        )
    ]
    if not waited_for and connection.exec_driver_sql("SELECT 1 FROM copy").first() is None:
        # Nobody was ever heard of: the county has not begun yet.
        return 0
    passed = "".join(
        " AND EXISTS (SELECT 1 FROM confirmation WHERE confirmation.name = ? AND confirmation.epoch = retraction.epoch"
        " AND confirmation.seq = retraction.seq)"
        for _ in waited_for
    )
    # All beyond the bound may go; the others when they are old enough.
    limit, before_ms = PRUNED_AT_ONCE, now_ms - TOMBSTONE_DAYS * _DAY_MS
    if total > most:
        limit, before_ms = min(PRUNED_AT_ONCE, total - most), now_ms + 1
    chosen = connection.exec_driver_sql(
        f"SELECT epoch, seq, record_id FROM retraction WHERE minted_at_ms < ?{passed}"  # noqa: S608 - constants
        " ORDER BY minted_at_ms, seq LIMIT ?",
        (before_ms, *waited_for, limit),
    ).all()
    if chosen:
        _let_go(connection, [(epoch, seq, record_id) for epoch, seq, record_id in chosen])
    return len(chosen)


def _let_go(connection: Connection, chosen: Sequence[tuple[str, int, bytes]]) -> None:
    here = outbox.head(connection)
    present = here.epoch if here is not None else ""
    connection.exec_driver_sql(
        "DELETE FROM record WHERE record_id = ? AND standing = 'gone' AND (seq = ? OR ? <> ?)",
        [(record_id, seq, epoch, present) for epoch, seq, record_id in chosen],
    )
    places = [(epoch, seq) for epoch, seq, _ in chosen]
    connection.exec_driver_sql("DELETE FROM confirmation WHERE epoch = ? AND seq = ?", places)
    connection.exec_driver_sql("DELETE FROM retraction WHERE epoch = ? AND seq = ?", places)
    highest = max((seq for epoch, seq, _ in chosen if epoch == present), default=0)
    before = pruned(connection)
    if before is not None and before.epoch == present:
        highest = max(highest, before.seq)
    if highest:
        connection.exec_driver_sql(
            "INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (_FACT, msgspec.json.encode(Pruned(epoch=present, seq=highest)).decode()),
        )


def pruned(connection: Connection) -> Pruned | None:
    """Return up to where the history has lost tombstones, or None if it has not."""
    value = connection.exec_driver_sql("SELECT value FROM fact WHERE name = ?", (_FACT,)).scalar_one_or_none()
    return None if value is None else msgspec.json.decode(value, type=Pruned)
