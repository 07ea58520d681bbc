"""Likeness keys: two records with the same key may describe the same document. Pure.

One county notice is filed in fifteen towns, each copy in its own fonds (domain.md, trap 7): alike records are shown
together with the evidence, never merged. Two rules, each with a key that an index finds: the same document number and
title; or the same title, date and responsible party. Titles are compared by their search terms, so that punctuation,
width and traditional forms do not matter.
"""

import hashlib
from enum import StrEnum

from protocol.analysis import fold, index_terms
from protocol.records import Record

_KEY_BYTES = 8


class Evidence(StrEnum):
    """A field in which two records agree."""

    TITLE = "title"
    DOC_NO = "doc_no"
    DATE = "date"
    RESPONSIBLE_PARTY = "responsible_party"


def like_number(title_terms: str, record: Record) -> int | None:
    """Return the key of the document number and title, or None where there is no number."""
    if not record.doc_no or not title_terms:
        return None
    return _key(f"{title_terms}\n{record.doc_no}")


def like_title(title_terms: str, record: Record, earliest: str | None, latest: str | None) -> int | None:
    """Return the key of title, date and responsible parties, or None where one of them is missing."""
    if not record.responsible_parties or earliest is None or not title_terms:
        return None
    return _key("\n".join((title_terms, earliest, latest or "", *record.responsible_parties)))


def _key(text: str) -> int:
    digest = hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).digest()
    return int.from_bytes(digest, "big", signed=True)


def evidence(one: Record, other: Record) -> tuple[Evidence, ...]:
    """Return the fields in which two records agree; values that are missing agree in nothing."""
    pairs = (
        (Evidence.TITLE, index_terms(one.title), index_terms(other.title)),
        (Evidence.DOC_NO, fold(one.doc_no), fold(other.doc_no)),
        (Evidence.DATE, _interval(one), _interval(other)),
        (Evidence.RESPONSIBLE_PARTY, "\n".join(one.responsible_parties), "\n".join(other.responsible_parties)),
    )
    return tuple(field for field, left, right in pairs if left and left == right)


def alike(found: tuple[Evidence, ...]) -> bool:
    """Tell whether the evidence satisfies one of the two rules."""
    agreed = set(found)
    return Evidence.TITLE in agreed and (
        Evidence.DOC_NO in agreed or {Evidence.DATE, Evidence.RESPONSIBLE_PARTY} <= agreed
    )


def _interval(record: Record) -> str:
    return f"{record.date_earliest}/{record.date_latest}" if record.date_earliest else ""
