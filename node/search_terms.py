"""Which words of a record can be searched for. The hub indexes the same fields, so a query means the same at both."""

from collections.abc import Sequence

import msgspec

from protocol.analysis import index_lines
from protocol.records import Alias, Record


class IndexedPart(msgspec.Struct, frozen=True, kw_only=True):
    """Those fields of a record that are indexed; reading only them takes half the time."""

    title: str
    responsible_parties: tuple[str, ...] = ()
    doc_no: str = ""
    ref_code: str = ""
    date_raw: str = ""
    date_edtf: str = ""
    scope: str = ""
    note: str = ""
    aliases: tuple[Alias, ...] = ()


def record_terms(records: Sequence[Record | IndexedPart]) -> list[str]:
    """Return the terms of all indexed fields of each record, for the search index; cheapest for many at once.

    Removing a record from the index needs the very terms that were put in: raise ``TERMS_VERSION`` when fields change.
    """
    return index_lines([_indexed_text(record) for record in records])


TERMS_VERSION = 1
"""Version of the choice of fields above, kept beside the index together with the version of the analysis."""


def _indexed_text(record: Record | IndexedPart) -> str:
    parts = [record.title, *record.responsible_parties, record.doc_no, record.ref_code, *_dates(record)]
    if record.scope or record.note or record.aliases:
        parts += [record.scope, record.note, *(alias.code for alias in record.aliases)]
    # Neither words nor pairs of characters run across a semicolon.
    return ";".join(parts)


def indexed_fields(record: Record | IndexedPart) -> dict[str, str]:
    """Return what ``record_terms`` indexes, by field, for explaining why a record was found."""
    fields = {
        "title": record.title,
        "responsible_parties": "\n".join(record.responsible_parties),
        "doc_no": record.doc_no,
        "ref_code": record.ref_code,
        "date": "\n".join(_dates(record)),
    }
    if record.scope:
        fields["scope"] = record.scope
    if record.note:
        fields["note"] = record.note
    if record.aliases:
        fields["aliases"] = "\n".join(alias.code for alias in record.aliases)
    return fields


def _dates(record: Record | IndexedPart) -> tuple[str, ...]:
    return (record.date_raw,) if record.date_raw == record.date_edtf else (record.date_raw, record.date_edtf)
