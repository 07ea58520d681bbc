"""Corrections: values of a record that its keeper took over from a proposal, kept beside what the sheet says.

The sheet stays as its makers left it. Whenever a row is described anew its record gets the corrected values again,
until the sheet itself speaks: if it says the same now, or something else than when the value was taken over, the
correction is dropped with that reason, and the county is told.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select, update

from node.catalogues.cleaning import cleaned
from node.catalogues.fields import Field
from node.catalogues.pages import parse_page_count
from node.catalogues.parties import parse_parties
from node.proposal_tables import correction
from protocol.dates import parse_date
from protocol.document_numbers import fold_doc_no
from protocol.holdings import HeldCorrection
from protocol.proposals import CORRECTION_DROPPED, CorrectionDropped, Dropped, ProposedField, said_of
from protocol.records import Record
from protocol.retention import parse_retention
from replication import letters
from replication.letters import HUB_PEER

STANDING: Final = ""
"""A correction that was not dropped."""

_CELLS: Final = {
    ProposedField.TITLE: Field.TITLE,
    ProposedField.RESPONSIBLE: Field.RESPONSIBLE,
    ProposedField.DATE: Field.DATE,
    ProposedField.DOC_NO: Field.DOC_NO,
    ProposedField.RETENTION: Field.RETENTION,
    ProposedField.PAGE_COUNT: Field.PAGE_COUNT,
    ProposedField.SCOPE: Field.SCOPE,
    ProposedField.NOTE: Field.NOTE,
}


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """One field of one record that says something else than its sheet."""

    record_id: UUID
    field: ProposedField
    value: str
    was: str
    """What the sheet said when the value was taken over."""
    proposal_id: UUID
    made_at_ms: int
    dropped: str = STANDING
    """A ``protocol.proposals.Dropped``; empty while it stands."""
    dropped_at_ms: int = 0
    is_restored: bool = False
    """It came back from the county: what the sheet says beside it is not known before its first reading."""


class Corrections:
    """The standing corrections that the rows of one import may meet. Pure: told by whoever reads the store."""

    def __init__(self) -> None:
        self._by_record: dict[UUID, list[Correction]] = {}
        self.dropped: list[Correction] = []
        """Those that the sheet has overtaken, each with its reason; whoever writes them takes them out."""
        self.settled: list[Correction] = []
        """Restored ones, each with what the sheet says there; the same."""

    def learn(self, known: Sequence[Correction]) -> None:
        """Learn of corrections."""
        for one in known:
            self._by_record.setdefault(one.record_id, []).append(one)

    def corrected(self, described: Record, record_id: UUID) -> Record:
        """Return a described row with the values that stand beside it; notes which the sheet has overtaken."""
        found = self._by_record.pop(record_id, None)
        if found is None:
            return described
        record = described
        for one in found:
            because = overtaken(described, one)
            if because is None:
                record = with_value(record, one.field, one.value)
                if one.is_restored:
                    said = said_of(described, one.field)
                    self.settled.append(msgspec.structs.replace(one, was=said, is_restored=False))
            else:
                self.dropped.append(msgspec.structs.replace(one, dropped=because.value))
        return record

    def take_dropped(self) -> tuple[Correction, ...]:
        """Return what was dropped since the last time."""
        taken = tuple(self.dropped)
        self.dropped.clear()
        return taken

    def take_settled(self) -> tuple[Correction, ...]:
        """Return the restored ones whose sheets were read since the last time."""
        taken = tuple(self.settled)
        self.settled.clear()
        return taken


def overtaken(described: Record, one: Correction) -> Dropped | None:
    """Tell whether the sheet speaks for a field itself now, and how."""
    if with_value(described, one.field, one.value) == described:
        return Dropped.SHEET_AGREES
    if one.is_restored:
        return None
    return None if said_of(described, one.field) == one.was else Dropped.SHEET_CHANGED


def with_value(record: Record, field: ProposedField, text: str) -> Record:
    """Return a record with another value in a field, read as the cell of a sheet would be."""
    return msgspec.structs.replace(record, **_SAYING[field](cleaned(_CELLS[field], text).text))


def _title(text: str) -> Mapping[str, Any]:
    is_supplied = len(text) > 2 and text[0] in "[［" and text[-1] in "]］"
    return {"title": text[1:-1].strip() if is_supplied else text, "title_is_supplied": is_supplied}


def _date(text: str) -> Mapping[str, Any]:
    if not text:
        return {"date_raw": "", "date_edtf": "", "date_earliest": None, "date_latest": None}
    span = parse_date(text)
    return {
        "date_raw": span.raw,
        "date_edtf": span.edtf,
        "date_earliest": span.earliest,
        "date_latest": span.latest,
    }


_SAYING: Final[Mapping[ProposedField, Callable[[str], Mapping[str, Any]]]] = {
    ProposedField.TITLE: _title,
    ProposedField.RESPONSIBLE: lambda text: {"responsible_parties": parse_parties(text)[0] if text else ()},
    ProposedField.DATE: _date,
    ProposedField.DOC_NO: lambda text: {"doc_no": fold_doc_no(text)[0] if text else "", "doc_no_as_given": text},
    ProposedField.RETENTION: lambda text: {
        "retention": parse_retention(text) if text else None,
        "retention_as_given": text,
    },
    ProposedField.PAGE_COUNT: lambda text: {"page_count": parse_page_count(text).count},
    ProposedField.SCOPE: lambda text: {"scope": text},
    ProposedField.NOTE: lambda text: {"note": text},
}


# The table


def standing(connection: Connection, record_ids: Collection[UUID]) -> list[Correction]:
    """Return the corrections that stand for these records; nearly always there is none at all."""
    if connection.execute(select(correction.c.field).where(correction.c.dropped == STANDING).limit(1)).first() is None:
        return []
    found = connection.exec_driver_sql(
        "SELECT * FROM correction WHERE dropped = '' AND lower(hex(record_id)) IN (SELECT value FROM json_each(?))",
        (json.dumps([one.hex for one in record_ids]),),
    )
    return [_correction(row) for row in found]


def listed(connection: Connection, limit: int) -> list[Correction]:
    """Return corrections, those that stand first, then what was dropped last."""
    latest = (correction.c.dropped != STANDING, correction.c.dropped_at_ms.desc(), correction.c.made_at_ms.desc())
    return [_correction(row) for row in connection.execute(select(correction).order_by(*latest).limit(limit))]


def set_value(connection: Connection, one: Correction) -> None:
    """Store a correction in place of one of the same field; the sheet's own words are those that it knew."""
    before = next((known for known in standing(connection, [one.record_id]) if known.field is one.field), None)
    was = one.was if before is None else before.was
    connection.execute(delete(correction).where(_is_about(one)))
    if one.value != was:
        values = msgspec.structs.asdict(one) | {
            "record_id": one.record_id.bytes,
            "field": one.field.value,
            "proposal_id": str(one.proposal_id),
            "was": was,
        }
        connection.execute(insert(correction).values(values))


def restore(connection: Connection, record: Record, told: Sequence[HeldCorrection]) -> None:
    """Store what the county says to be corrected in a record that it tells: the values are the record's own."""
    for one in told:
        if one.field not in tuple(ProposedField):
            # Of a later version: that one will be told it again, this one goes by the sheet.
            continue
        field = ProposedField(one.field)
        values = {
            "record_id": record.record_id.bytes,
            "field": field.value,
            "value": said_of(record, field),
            "was": "",
            "proposal_id": str(one.proposal_id),
            "made_at_ms": one.made_at_ms,
            "dropped": STANDING,
            "dropped_at_ms": 0,
            "is_restored": 1,
        }
        connection.execute(insert(correction).values(values))


def forget_all(connection: Connection) -> None:
    """Forget every correction, where a restoration begins anew."""
    connection.execute(delete(correction))


def settle(connection: Connection, some: Sequence[Correction]) -> None:
    """Note what the sheets say beside restored corrections."""
    for one in some:
        connection.execute(update(correction).where(_is_about(one)).values(was=one.was, is_restored=0))


def drop(connection: Connection, some: Sequence[Correction], now_ms: int) -> None:
    """Note that the sheet speaks for these fields itself, and tell the county."""
    for one in some:
        noted = update(correction).where(_is_about(one)).values(dropped=one.dropped, dropped_at_ms=now_ms)
        connection.execute(noted)
        body = CorrectionDropped(field=one.field.value, because=one.dropped)
        letters.write(connection, HUB_PEER, kind=CORRECTION_DROPPED, topic=one.proposal_id, body=body, now_ms=now_ms)


def _is_about(one: Correction) -> ColumnElement[bool]:
    return and_(correction.c.record_id == one.record_id.bytes, correction.c.field == one.field.value)


def _correction(row: Row[*tuple[Any, ...]]) -> Correction:
    return Correction(
        record_id=UUID(bytes=row.record_id),
        field=ProposedField(row.field),
        value=row.value,
        was=row.was,
        proposal_id=UUID(row.proposal_id),
        made_at_ms=row.made_at_ms,
        dropped=row.dropped,
        dropped_at_ms=row.dropped_at_ms,
        is_restored=bool(row.is_restored),
    )
