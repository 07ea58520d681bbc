"""Contradictions: two contents that claimed one place in a record's history, and what a person does about them.

The catalogue keeps the one that it holds. A person may leave it at that, or have the site tell the record again, which
goes the way of every repair (``hub.repair.repairing``): it outlives a restart, and a comparison ends it.
"""

from collections import Counter
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select

from hub import audit
from hub.audit import Action, AuditEntry
from hub.catalogue import stored_of
from hub.decisions import rulings
from hub.decisions.rulings import Decided, Order, Queue, Ruling
from hub.repair import repairs
from hub.repair.differences import Difference, DifferenceKind
from hub.repair.repairs import Cause, Finding, RepairKind
from hub.staff.administration import Actor
from hub.tables import conflict
from protocol.errors import Refused
from protocol.wording import Text
from replication.watermarks import marks_of


class Contradiction(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a record's history that two contents claimed."""

    record_id: UUID
    site: str
    epoch: int
    seq: int
    held_digest: int
    offered_digest: int
    noted_at_ms: int

    @property
    def object(self) -> str:
        """The name of the contradiction."""
        return f"{self.site}/{self.record_id}/{self.epoch}/{self.seq}/{self.offered_digest}"


_taken = msgspec.json.Decoder(Contradiction)


def waiting(connection: Connection, limit: int, site: str = "") -> list[Contradiction]:
    """Return contradictions, the newest first; of one site, or of all."""
    statement = select(conflict).order_by(conflict.c.noted_at_ms.desc(), conflict.c.record_id, conflict.c.seq)
    if site:
        statement = statement.where(conflict.c.site == site)
    return [_contradiction(row) for row in connection.execute(statement.limit(limit))]


def count(connection: Connection, limit: int | None = None) -> int:
    """Return how many there are; ``limit`` at most."""
    some = select(conflict.c.site).limit(limit).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def named(connection: Connection, name: str) -> Contradiction | None:
    """Return the contradiction of a name, or None if there is none (any more)."""
    try:
        site, record_id, *numbers = name.split("/")
        epoch, seq, offered = map(int, numbers)
        where = _at(site, UUID(record_id), epoch, seq, offered)
        row = connection.execute(select(conflict).where(where)).one_or_none()
    except (ValueError, OverflowError):
        return None
    return None if row is None else _contradiction(row)


def settle(connection: Connection, actor: Actor, one: Contradiction, note: str, now_ms: int) -> bool:
    """Leave it at what the catalogue holds; False if that was decided before."""
    order = Order(
        queue=Queue.CONFLICT,
        site=one.site,
        object=one.object,
        verdict=Decided.HELD_STANDS,
        note=note,
        taken=msgspec.json.encode(one),
    )
    connection.execute(delete(conflict).where(_place_of(one)))
    return rulings.rule(connection, actor, order, now_ms)


def put_back(connection: Connection, ruling: Ruling) -> None:
    """Let a contradiction wait again."""
    if ruling.taken is None:
        return
    one = _taken.decode(ruling.taken)
    values = {**msgspec.structs.asdict(one), "record_id": one.record_id.bytes}
    if connection.execute(select(conflict.c.seq).where(_place_of(one))).first() is None:
        connection.execute(insert(conflict).values(values))


def ask_again(connection: Connection, actor: Actor, one: Contradiction, now_ms: int) -> None:
    """Have the site tell the record again.

    Raises:
        Refused: a repair of this site is under way, which tells it again anyway.

    """
    if any(
        repair.site == one.site and repair.kind is RepairKind.RECORDS for repair in repairs.open_repairs(connection)
    ):
        raise Refused(
            Text(zh="该站点正在修复中。", en="a repair of this site is under way"),
            Text(zh="修复完成后会自动核对，请稍后再看。", en="It ends with a comparison: look again later."),
        )
    mark = marks_of(connection, [one.site])[one.site]
    held = stored_of(connection, one.site, [one.record_id.bytes])
    fonds_no = held[0].fonds_no if held else ""
    finding = Finding(
        site=one.site,
        epoch=mark.epoch,
        seq=mark.position,
        fonds=(fonds_no,),
        counts=Counter({DifferenceKind.OTHER_CONTENT: 1}),
        named=[Difference(fonds_no=fonds_no, record_id=one.record_id, kind=DifferenceKind.OTHER_CONTENT)],
    )
    repairs.note(connection, RepairKind.RECORDS, finding, Cause.ASKED, now_ms)
    entry = AuditEntry(who=actor.who, action=Action.RETELLING_ASKED, object=one.object, origin=actor.origin)
    audit.append(connection, entry, now_ms)


def _place_of(one: Contradiction) -> ColumnElement[bool]:
    return _at(one.site, one.record_id, one.epoch, one.seq, one.offered_digest)


def _at(site: str, record_id: UUID, epoch: int, seq: int, offered_digest: int) -> ColumnElement[bool]:
    return and_(
        conflict.c.record_id == record_id.bytes,
        conflict.c.site == site,
        conflict.c.epoch == epoch,
        conflict.c.seq == seq,
        conflict.c.offered_digest == offered_digest,
    )


def _contradiction(row: Row[*tuple[object, ...]]) -> Contradiction:
    values = {**row._mapping, "record_id": UUID(bytes=row.record_id)}  # noqa: SLF001 - a public name of SQLAlchemy
    return Contradiction(**values)
