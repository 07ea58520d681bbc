"""Likeness: two records that may describe the same document. Pure.

One county notice is filed in fifteen towns, each copy in its own fonds: alike records are shown together with the
evidence, never merged. Two rules: the same document number and title; or the same title, date and responsible parties.
Titles are compared by their search terms, so that punctuation, width and traditional forms do not matter.

Each rule gives a record a *key*, which is put into the full-text index as one more term: a random key costs a merging
index far less than a tree, and the key goes and comes with the words it was made from. Keys are short and may collide;
whoever finds records by a key proves the likeness with ``evidence``.
"""

import datetime
import zlib
from enum import StrEnum

from protocol.analysis import fold, index_terms
from protocol.records import Record

NUMBER_MARK = "№"
TITLE_MARK = "≈"
"""First characters of the two keys: the analysis of texts never makes a term with them, so no query finds a key."""


Ground = tuple[str | datetime.date, ...]
"""What one of the two rules compares, title first."""


class Evidence(StrEnum):
    """A field in which two records agree."""

    TITLE = "title"
    DOC_NO = "doc_no"
    DATE = "date"
    RESPONSIBLE_PARTY = "responsible_party"


def likeness_keys(record: Record, title_terms: str) -> list[str]:
    """Return the keys of a record: none, one or two; a rule whose fields are missing gives none.

    Args:
        record: the record.
        title_terms: ``index_terms`` of its title.

    """
    if not title_terms:
        return []
    keys, title = [], zlib.crc32(title_terms.encode())
    if record.doc_no:
        keys.append(f"{NUMBER_MARK}{zlib.crc32(record.doc_no.encode(), title):x}")
    if record.responsible_parties and record.date_earliest and record.date_latest:
        days = f"{record.date_earliest.toordinal()} {record.date_latest.toordinal()} "
        when_and_who = days + " ".join(record.responsible_parties)
        keys.append(f"{TITLE_MARK}{zlib.crc32(when_and_who.encode(), title):x}")
    return keys


def grounds(record: Record) -> tuple[Ground, ...]:
    """Return the texts that the keys of a record are made from: two records are alike if they share one of them.

    Comparing many records by these takes one step a record, where ``evidence`` takes one a pair.
    """
    title = index_terms(record.title)
    if not title:
        return ()
    found: list[Ground] = []
    if record.doc_no:
        found.append((title, record.doc_no))
    if record.responsible_parties and record.date_earliest and record.date_latest:
        found.append((title, record.date_earliest, record.date_latest, *record.responsible_parties))
    return tuple(found)


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
