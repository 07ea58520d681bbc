"""All that the hub holds under one record id: fields and where each came from, history, volume, what is like it."""

from uuid import UUID

import msgspec
from sqlalchemy import Connection, Select, select

from hub.catalogue import Stored, history_of, origin_epoch, readable, rows_of, stored_from
from hub.decisions import duplicates
from hub.decisions.duplicates import Alike, Decision, Entry, alike_to
from hub.membership import keyring
from hub.tables import conflict
from hub.volumes import Contents, Volume, contents_of, volume_of
from protocol.errors import BadValue, Refused
from protocol.records import Record
from protocol.vocabularies import AccessStatus
from protocol.wording import Text


class FieldOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """The event that a field's present value came with."""

    epoch: str
    seq: int
    at_ms: int


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One change after the first description: names of fields, or the cause of a withdrawal; never values."""

    epoch: int
    seq: int
    at_ms: int
    kind: str
    actor: str
    what: str


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """What one site says about the record."""

    site: str
    site_name: str
    ref_code: str
    access_status: AccessStatus
    withdrawn: str | None
    record: Record | None
    """None for a tombstone."""
    owner: str
    """Who owns it 所有, who keeps it 保管, who may release it 利用决定: three facts (promise 1)."""
    custodian: str
    releaser: str
    first: FieldOrigin
    fields: dict[str, FieldOrigin]
    """Fields whose value is newer than the first description."""
    history: list[Step]
    conflicts: int
    """Contradicting contents that claimed a place in its history."""
    alike: list[Alike]
    volume: Volume | None = None
    """The volume that the record lies in, as its owner says."""
    contents: Contents = Contents()
    """What lies in the record, if it is a volume."""


class RecordView(msgspec.Struct, frozen=True, kw_only=True):
    """All that the hub holds under one record id; more than one entry means that two sites claim the same id."""

    record_id: UUID
    entries: list[EntryView]
    decisions: list[Decision]


def view_of(connection: Connection, record_id: UUID) -> RecordView:
    """Return all that the hub holds under a record id.

    Raises:
        Refused: the hub knows nothing under this id.

    """
    names = keyring.site_names(connection)
    stored = [stored_from(tuple(row)) for row in connection.execute(rows_of(record_id))]
    if not stored:
        raise Refused(Text(zh=f"没有条目 {record_id}。", en=f"the hub knows no record {record_id}"))
    return RecordView(
        record_id=record_id,
        entries=[_entry(connection, one, names.get(one.site, "")) for one in stored],
        decisions=duplicates.decisions_about(connection, record_id),
    )


def _entry(connection: Connection, stored: Stored, name: str) -> EntryView:
    record, origins = _readable(stored), stored.held.origins
    epochs = {
        origin: FieldOrigin(epoch=origin_epoch(connection, stored.site, origin), seq=origin.seq, at_ms=origin.at_ms)
        for origin in {origins.first, *origins.fields.values()}
    }
    owner = (record.owner or record.repository_id) if record else ""
    return EntryView(
        site=stored.site,
        site_name=name,
        ref_code=stored.ref_code,
        access_status=stored.held.access_status,
        withdrawn=stored.held.withdrawn,
        record=record,
        owner=owner,
        custodian=(record.custodian or record.repository_id) if record else "",
        releaser=(record.releaser or owner) if record else "",
        first=epochs[origins.first],
        fields={field: epochs[origin] for field, origin in sorted(origins.fields.items())},
        history=_history(connection, stored),
        conflicts=len(connection.execute(_conflicts(stored)).all()),
        alike=alike_to(connection, Entry(site=stored.site, record=record)) if record else [],
        volume=volume_of(connection, stored.site, record) if record else None,
        contents=contents_of(connection, stored.site, UUID(bytes=stored.record_id)),
    )


def _readable(stored: Stored) -> Record | None:
    try:
        return readable(stored)
    except BadValue:
        return None


def _history(connection: Connection, stored: Stored) -> list[Step]:
    rows = connection.execute(history_of(stored.record_id, stored.site))
    return [msgspec.convert(row, Step, from_attributes=True) for row in rows]


def _conflicts(stored: Stored) -> Select[int]:
    return select(conflict.c.seq).where(conflict.c.record_id == stored.record_id, conflict.c.site == stored.site)
