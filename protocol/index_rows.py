"""What the index holds of a record, column by column: the same at a node and at the hub.

The words of the fields stand in the text columns, cut by ``protocol.analysis``; the marks (``protocol.marks``) in a
column of their own. Every index holds the marks of whole codes, numbers and years; the hub adds those of what its
filters ask for, and its keys of likeness.

Taking a record out of the index needs the very row that was put in: with any change here, the versions of the indexes
(``hub.storage.reindexing.TERMS_VERSION``, ``node.indexing.TERMS_VERSION``) have to be raised.
"""

import functools
from collections.abc import Sequence
from typing import Final

import msgspec

from protocol.analysis import index_lines
from protocol.expressions import Column
from protocol.marks import ACCESS, FONDS, KIND, LEVEL, SITE, mark, year_marks
from protocol.records import Alias, Record
from protocol.vocabularies import AccessStatus
from protocol.whole_codes import code_mark, doc_no_mark

IndexRow = tuple[str, str, str, str, str]
"""The terms of a record in each of ``INDEX_COLUMNS``, separated by blanks."""

INDEX_COLUMNS: Final = (Column.TITLE, Column.PARTIES, Column.CODES, Column.REST, Column.MARKS)
"""The columns of an index row in their order."""

YEAR_MAX: Final = 9_999
"""Highest year that a record is sorted by; a later one is a slip of the pen and counts as unknown."""

FILTERS_CACHED: Final = 16_384
"""Combinations of filter values whose marks are kept ready: a county has some thousands."""

SPANS_CACHED: Final = 4_096
"""Spans of years whose marks are kept ready."""


def index_rows(records: Sequence[Record]) -> list[IndexRow]:
    """Return the index rows of some records, with the marks of every index; cheapest for hundreds at once."""
    lines = index_lines([text for record in records for text in _texts(record)])
    marks = [_marks(record) for record in records]
    return list(zip(lines[::4], lines[1::4], lines[2::4], lines[3::4], marks, strict=True))


def _texts(record: Record) -> tuple[str, str, str, str]:
    # Neither words of Han characters nor their pairs run across a semicolon.
    parties, codes = record.responsible_parties, f"{record.ref_code};{record.doc_no}"
    rest = record.date_raw
    if record.aliases:
        codes = ";".join((codes, *(alias.code for alias in record.aliases)))
    if record.scope or record.note:
        rest = f"{rest};{record.scope};{record.note}"
    return record.title, parties[0] if len(parties) == 1 else ";".join(parties), codes, rest


def _marks(record: Record) -> str:
    latest = record.date_latest or record.date_earliest
    years = _years((record.date_earliest or latest).year, latest.year) if latest is not None else ""
    code = code_mark(record.ref_code) if record.ref_code else ""
    number = doc_no_mark(record.doc_no) if record.doc_no else ""
    if record.aliases:
        code = " ".join((code, *(code_mark(alias.code) for alias in record.aliases if alias.code)))
    return f"{years} {code} {number}"


@functools.lru_cache(maxsize=SPANS_CACHED)
def _years(first: int, last: int) -> str:
    return " ".join(year_marks(first, last))


@functools.lru_cache(maxsize=FILTERS_CACHED)
def filter_marks(site: str, fonds_no: str, kind: str, access_status: str, level: str) -> str:
    """Return the marks of what the hub's filters ask for, separated by blanks."""
    given = ((SITE, site), (FONDS, fonds_no), (KIND, kind), (ACCESS, access_status), (LEVEL, level))
    return " ".join([mark(sign, value) for sign, value in given if value])


def with_filters(row: IndexRow, marks: Sequence[str]) -> IndexRow:
    """Return a row with more marks."""
    return (*row[:4], " ".join((*marks, row[4])))


def with_access(row: IndexRow, before: AccessStatus, after: AccessStatus) -> IndexRow:
    """Return the row of a record whose access status is another than the record itself says."""
    if before == after:
        return row
    marks = f" {row[4]} ".replace(f" {mark(ACCESS, before)} ", f" {mark(ACCESS, after)} ")
    return (*row[:4], marks[1:-1])


def year_of(record: Record) -> int:
    """Return the year that sorts a record: of its latest date, else of its filing, 0 where nobody knows."""
    latest = record.date_latest or record.date_earliest
    year = latest.year if latest is not None else record.filing_year or 0
    return year if 0 <= year <= YEAR_MAX else 0


class IndexedPart(msgspec.Struct, frozen=True, kw_only=True):
    """Those fields of a record in which words are found; reading only them takes half the time."""

    title: str
    responsible_parties: tuple[str, ...] = ()
    doc_no: str = ""
    ref_code: str = ""
    date_raw: str = ""
    scope: str = ""
    note: str = ""
    aliases: tuple[Alias, ...] = ()


def indexed_fields(record: Record | IndexedPart) -> dict[str, str]:
    """Return the texts of a record in which words are found, by field, for saying why."""
    fields = {
        "title": record.title,
        "responsible_parties": "\n".join(record.responsible_parties),
        "doc_no": record.doc_no,
        "ref_code": record.ref_code,
        "date": record.date_raw,
        "scope": record.scope,
        "note": record.note,
        "aliases": "\n".join(alias.code for alias in record.aliases),
    }
    return {field: text for field, text in fields.items() if text}
