"""Which words of a record can be searched for. The hub indexes the same fields, so a query means the same at both."""

from functools import lru_cache

import msgspec

from protocol.analysis import index_terms
from protocol.records import Alias, Record

TEXTS_CACHED = 4_096
"""Makers and dates of documents whose terms are kept ready: a sheet repeats them."""


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


def record_terms(record: Record) -> str:
    """Return the terms of all indexed fields, for the search index.

    Removing a record from the index needs the very terms that were put in: raise ``TERMS_VERSION`` when fields change.
    """
    parts = [index_terms(record.title)]
    parts.extend(map(_repeated_terms, record.responsible_parties))
    if record.doc_no:
        parts.append(_numbered_terms(record.doc_no, "〕"))
    if record.ref_code:
        parts.append(_numbered_terms(record.ref_code, "-"))
    parts.extend(map(_repeated_terms, _dates(record)))
    if record.scope or record.note or record.aliases:
        parts.append(index_terms("\n".join([record.scope, record.note, *(alias.code for alias in record.aliases)])))
    return " ".join(parts)


TERMS_VERSION = 1
"""Version of the choice of fields above, kept beside the index together with the version of the analysis."""

_repeated_terms = lru_cache(maxsize=TEXTS_CACHED)(index_terms)


def _numbered_terms(text: str, separator: str) -> str:
    """Return the terms of a number: what stands before its last separator is the same in many rows of a sheet."""
    series, _, number = text.rpartition(separator)
    terms = number.lower() if number.isascii() and number.isalnum() else _repeated_terms(number)
    return f"{_repeated_terms(series)} {terms}" if series else terms


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
