"""Repairs: what was found to differ between a site and the hub's copy, why it was looked for, and what became of it.

A repair is opened by a comparison, carried out by ``hub.repair.repairing``, and closed only by a later comparison that
finds both ends equal (promise 12). Differing records and damaged bodies are two kinds, each healed in its own way; a
site has at most one open repair of a kind. Closed ones stay, as the record of what happened.
"""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from hub.repair.differences import Difference, DifferenceKind
from hub.repair.repair_tables import repair, repair_record

REPAIRS_KEPT = 10_000
"""Closed repairs that are kept: years of a healthy county, some days of a very ill one."""


class RepairKind(StrEnum):
    """What is wrong."""

    RECORDS = "records"
    """The two ends hold different records."""
    BODIES = "bodies"
    """Bytes held at the hub do not have their digest any more."""


class RepairState(StrEnum):
    """How far a repair is."""

    FOUND = "found"
    ASKED = "asked"
    """Its site was asked to tell the records again, or to describe everything."""
    HEALED = "healed"


class Remedy(StrEnum):
    """What was done."""

    NONE = ""
    REDESCRIBED = "redescribed"
    """The site told just these records again."""
    BASELINE = "baseline"
    """The site described everything again."""
    PUT_BACK = "put_back"
    """The site's bytes, which have the stored digest, were put in the place of the damaged ones."""


class Cause(StrEnum):
    """Which comparison found it."""

    BACKGROUND = "background"
    """After the site had changed."""
    NIGHTLY = "nightly"
    ASKED = "asked"
    """A person ran ``danglian-hub verify``."""


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """One repair as it stands."""

    id: int
    site: str
    kind: RepairKind
    cause: Cause
    state: RepairState
    remedy: Remedy
    epoch: str
    seq: int
    """With the epoch: the position at which the difference was found last."""
    fonds: tuple[str, ...]
    """Fonds that differ."""
    missing_here: int = 0
    missing_there: int = 0
    other_content: int = 0
    damaged_here: int = 0
    described: int = 0
    """Records that the site told again."""
    withdrawn: int = 0
    """Records that the site withdrew, because it has no such record."""
    up_to: int = 0
    """Position of the site after which everything is told."""
    attempts: int = 0
    found_at_ms: int
    asked_at_ms: int | None = None
    healed_at_ms: int | None = None

    @property
    def differing(self) -> int:
        """Records that differ."""
        return self.missing_here + self.missing_there + self.other_content + self.damaged_here


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison found at one site: how many of each kind, and those that are named."""

    site: str
    epoch: str
    seq: int
    fonds: tuple[str, ...]
    counts: Counter[DifferenceKind]
    named: Sequence[Difference]


def note(connection: Connection, kind: RepairKind, found: Finding, cause: Cause, now_ms: int) -> int:
    """Open a repair, or bring the one that is open up to date; returns its number."""
    counts = {one.value: found.counts[one] for one in DifferenceKind}
    place = {"epoch": found.epoch, "seq": found.seq, "fonds": msgspec.json.encode(found.fonds), **counts}
    is_open = (repair.c.site == found.site, repair.c.kind == kind.value, repair.c.healed_at_ms.is_(None))
    number = connection.execute(select(repair.c.id).where(*is_open)).scalar_one_or_none()
    if number is None:
        fresh = {"attempts": 0, "described": 0, "withdrawn": 0, "up_to": 0, "remedy": Remedy.NONE.value}
        opened = insert(repair).values(
            site=found.site,
            kind=kind.value,
            cause=cause.value,
            state=RepairState.FOUND.value,
            found_at_ms=now_ms,
            **place,
            **fresh,
        )
        number = int(connection.execute(opened.returning(repair.c.id)).scalar_one())
    else:
        connection.execute(update(repair).where(repair.c.id == number).values(state=RepairState.FOUND.value, **place))
        connection.execute(delete(repair_record).where(repair_record.c.repair_id == number))
    rows = [(number, one.record_id.bytes, one.fonds_no, one.kind.value) for one in found.named]
    if rows:
        connection.exec_driver_sql("INSERT INTO repair_record VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)
    return number


def asked(connection: Connection, one: Repair, remedy: Remedy, now_ms: int, **told: int) -> None:
    """Note that something was done about a repair; ``told`` adds to what the site has told again."""
    connection.execute(
        update(repair)
        .where(repair.c.id == one.id, repair.c.healed_at_ms.is_(None))
        .values(
            state=RepairState.ASKED.value,
            remedy=remedy.value,
            asked_at_ms=now_ms,
            attempts=one.attempts + 1,
            described=one.described + told.get("described", 0),
            withdrawn=one.withdrawn + told.get("withdrawn", 0),
            up_to=told.get("up_to", one.up_to),
        )
    )


def heal(connection: Connection, site: str, kind: RepairKind, now_ms: int) -> bool:
    """Close the open repair of a kind, because the two ends were found equal; True if there was one."""
    closed = connection.execute(
        update(repair)
        .where(repair.c.site == site, repair.c.kind == kind.value, repair.c.healed_at_ms.is_(None))
        .values(state=RepairState.HEALED.value, healed_at_ms=now_ms)
    ).rowcount
    if closed:
        oldest = select(func.max(repair.c.id) - REPAIRS_KEPT).scalar_subquery()
        connection.execute(delete(repair).where(repair.c.healed_at_ms.is_not(None), repair.c.id <= oldest))
    return bool(closed)


def open_repairs(connection: Connection) -> list[Repair]:
    """Return what is not healed, oldest first."""
    found = select(repair).where(repair.c.healed_at_ms.is_(None)).order_by(repair.c.id)
    return [_repair(row) for row in connection.execute(found)]


def kept(connection: Connection, limit: int, site: str = "") -> list[Repair]:
    """Return the latest repairs, newest first; of one site, or of all."""
    found: Select[*tuple[object, ...]] = select(repair).order_by(repair.c.id.desc()).limit(limit)
    if site:
        found = found.where(func.glob(site, repair.c.site))
    return [_repair(row) for row in connection.execute(found)]


def latest_by_site(connection: Connection) -> dict[str, Repair]:
    """Return the latest repair of every site that ever needed one; an open one before a healed one."""
    newest = select(func.max(repair.c.id)).group_by(repair.c.site, repair.c.healed_at_ms.is_(None))
    rows = connection.execute(select(repair).where(repair.c.id.in_(newest)).order_by(repair.c.id))
    found: dict[str, Repair] = {}
    for one in map(_repair, rows):
        if one.site not in found or found[one.site].healed_at_ms is not None:
            found[one.site] = one
    return found


def records_of(connection: Connection, number: int) -> list[Difference]:
    """Return the named records of a repair, in the order of their ids."""
    rows = connection.execute(
        select(repair_record.c.fonds_no, repair_record.c.record_id, repair_record.c.kind)
        .where(repair_record.c.repair_id == number)
        .order_by(repair_record.c.record_id)
    )
    return [
        Difference(fonds_no=fonds_no, record_id=UUID(bytes=record_id), kind=DifferenceKind(kind))
        for fonds_no, record_id, kind in rows
    ]


def _repair(row: Row[*tuple[object, ...]]) -> Repair:
    # The names of a row are a kind of text that only SQLAlchemy knows.
    values = {str(name): value for name, value in row._mapping.items()}  # noqa: SLF001 - the documented way to them
    values["fonds"] = msgspec.json.decode(values["fonds"], type=tuple[str, ...])
    return msgspec.convert(values, Repair)
