"""Statements: what a cell says about its record, in the fields of the record.

Nearly every column of a catalogue says the same few things again and again: a year, a period, a maker. So a cell of
such a column is read once, by its text alone, and its statement is kept (`ColumnReading`); a row is the statements of
its cells put together. What differs from row to row, or depends on other cells, is in `node.catalogues.particulars`.
"""

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Final, TypedDict

import msgspec

from node.catalogues.cleaning import cleaned
from node.catalogues.fields import Field
from node.catalogues.livelihood import kind_of_cell
from node.catalogues.pages import parse_page_count
from node.catalogues.parties import parse_parties
from protocol.dates import parse_date
from protocol.findings import Finding, finding
from protocol.identity_numbers import mask_identity_numbers
from protocol.records import Alias
from protocol.retention import Retention, RetentionKind, parse_retention
from protocol.vocabularies import (
    AccessStatus,
    Disclosure,
    Form,
    Level,
    Secrecy,
    parse_access_status,
    parse_disclosure,
    parse_form,
    parse_level,
    parse_secrecy,
)

CELLS_KEPT: Final = 2_048
"""Cells of one column whose statements are kept: more makers or places than most sheets name; a few hundred KB."""

CELL_CHARS_KEPT: Final = 64
"""Characters of a cell that may come again: longer ones are texts of their own."""

_YEAR: Final = re.compile(r"(?<![0-9])(?:1[5-9]|20)[0-9]{2}(?![0-9])")


class Statement(TypedDict, total=False):
    """Fields of a record; those that nobody speaks of are left out."""

    level: Level
    title: str
    title_is_supplied: bool
    ref_code: str
    ref_code_as_given: str
    code_profile: str
    aliases: tuple[Alias, ...]
    fonds_no: str
    category_code: str
    sub_codes: tuple[str, ...]
    filing_year: int
    org_or_subject: str
    catalogue_no: str
    project_no: str
    volume_no: str
    item_no: str
    page_no: str
    retention: Retention
    retention_as_given: str
    responsible_parties: tuple[str, ...]
    doc_no: str
    doc_no_as_given: str
    date_raw: str
    date_edtf: str
    date_earliest: datetime.date | None
    date_latest: datetime.date | None
    page_count: int
    extent: str
    carrier: str
    form: Form
    scope: str
    note: str
    secrecy: Secrecy
    access_status: AccessStatus
    access_reason: str
    reviewed_on: datetime.date
    review_by: datetime.date
    disclosure: Disclosure
    owner: str
    custodian: str
    releaser: str
    livelihood_kind: str
    person_keys: tuple[str, ...]


class CellReading(msgspec.Struct, frozen=True, gc=False):
    """What one cell says, what was noticed in it, and the cell where the record does not hold it word for word."""

    said: Statement
    findings: tuple[Finding, ...] = ()
    raw: tuple[tuple[str, str], ...] = ()


class Said(msgspec.Struct, frozen=True):
    """What a reader makes of a clean text; ``is_exact`` if the statement holds the text word for word."""

    said: Statement
    noticed: tuple[str, ...] = ()
    is_exact: bool = True


class ColumnReading:
    """One column of a sheet whose cells say the same things again and again."""

    def __init__(self, field: Field | None, header: str, *, is_kept: bool) -> None:
        """``field`` None is a column that no field takes; ``is_kept`` if its cells always stay beside the record."""
        self._field = field
        self._header = header
        self._is_kept = is_kept
        self.known: dict[str, CellReading] = {}
        """Cells that were read before; look here first."""

    def read(self, cell: str) -> CellReading:
        """Read a cell and remember what it says."""
        reading = self._read(cell)
        if len(cell) <= CELL_CHARS_KEPT:
            if len(self.known) >= CELLS_KEPT:
                self.known.clear()
            self.known[cell] = reading
        return reading

    def _read(self, cell: str) -> CellReading:
        field, kept = self._field, ((self._header, mask_identity_numbers(cell)[0]),) if cell else ()
        if field is None:
            return CellReading({}, raw=kept)
        clean = cleaned(field, cell)
        said = READERS[field](clean.text) if clean.text or field in _MISSED else _NOTHING
        noticed = tuple(finding(code, field=field.value, value=clean.text) for code in said.noticed)
        is_kept = self._is_kept or not said.is_exact or clean.text != cell.strip()
        return CellReading(said.said, clean.findings + noticed, kept if is_kept else ())


def _filing_year(text: str) -> Said:
    found = _YEAR.search(text)
    return Said({"filing_year": int(found[0])} if found else {})


def _page_count(text: str) -> Said:
    pages = parse_page_count(text)
    said: Statement = {}
    if pages.count is not None:
        said["page_count"] = pages.count
    if pages.page_no:
        said["page_no"] = pages.page_no
    return Said(said, pages.findings, is_exact=text == str(pages.count or ""))


def _retention(text: str) -> Said:
    retention = parse_retention(text)
    noticed = ("retention_unreadable",) if retention.kind is RetentionKind.UNKNOWN else ()
    return Said({"retention": retention, "retention_as_given": text}, noticed)


def _responsible(text: str) -> Said:
    parties, noticed = parse_parties(text)
    if not parties:
        return Said({}, (*noticed, "responsible_missing"))
    return Said({"responsible_parties": parties}, noticed, is_exact=len(parties) == 1)


def _secrecy(text: str) -> Said:
    secrecy, noticed = parse_secrecy(text)
    return Said({"secrecy": secrecy}, noticed)


def _access_status(text: str) -> Said:
    status, noticed = parse_access_status(text)
    return Said({"access_status": status}, noticed)


def _disclosure(text: str) -> Said:
    disclosure, noticed = parse_disclosure(text)
    return Said({} if disclosure is None else {"disclosure": disclosure}, noticed)


def _form(text: str) -> Said:
    form, noticed = parse_form(text)
    return Said({} if form is None else {"form": form}, noticed)


def _level(text: str) -> Said:
    level, noticed = parse_level(text)
    return Said({"level": level}, noticed)


def _livelihood(text: str) -> Said:
    kind = kind_of_cell(text)
    return Said({"livelihood_kind": kind} if kind else {})


def _reviewed_on(text: str) -> Said:
    day = _day(text)
    return Said({} if day is None else {"reviewed_on": day})


def _review_by(text: str) -> Said:
    day = _day(text)
    return Said({} if day is None else {"review_by": day})


def _day(text: str) -> datetime.date | None:
    """Read a day of the archive's own work; one that is not exact stays in the site's own copy of the cell."""
    span = parse_date(text)
    return span.earliest if span.earliest == span.latest else None


_NOTHING: Final = Said({})
_MISSED: Final = frozenset((Field.RESPONSIBLE,))

READERS: Final[Mapping[Field, Callable[[str], Said]]] = {
    Field.FONDS_NO: lambda text: Said({"fonds_no": text}),
    Field.CATEGORY_CODE: lambda text: Said({"category_code": text}),
    Field.CATALOGUE_NO: lambda text: Said({"catalogue_no": text}),
    Field.PROJECT_NO: lambda text: Said({"project_no": text}),
    Field.VOLUME_NO: lambda text: Said({"volume_no": text}),
    Field.ORG_OR_SUBJECT: lambda text: Said({"org_or_subject": text}),
    Field.EXTENT: lambda text: Said({"extent": text}),
    Field.CARRIER: lambda text: Said({"carrier": text}),
    Field.ACCESS_REASON: lambda text: Said({"access_reason": text}),
    Field.NOTE: lambda text: Said({"note": text}),
    Field.FILING_YEAR: _filing_year,
    Field.PAGE_COUNT: _page_count,
    Field.RETENTION: _retention,
    Field.RESPONSIBLE: _responsible,
    Field.SECRECY: _secrecy,
    Field.ACCESS_STATUS: _access_status,
    Field.DISCLOSURE: _disclosure,
    Field.FORM: _form,
    Field.LEVEL: _level,
    Field.LIVELIHOOD_KIND: _livelihood,
    Field.REVIEWED_ON: _reviewed_on,
    Field.REVIEW_BY: _review_by,
}
"""The readers of those fields whose cells can be understood by themselves."""
