"""From a row to a record: what the row says, understood, beside what it says in its own words.

Everything that cannot be understood is a warning and keeps its text; a row is rejected only where no record can stand:
without a title, with a code that a spreadsheet destroyed, with a value beyond all bounds. Nothing here reads a clock, a
file or the store: the same row, mapping and context give the same record.
"""

import datetime
import functools
import hashlib
import re
from typing import Final
from uuid import UUID

import msgspec

from node.catalogues.columns import Columns
from node.catalogues.fields import Field
from node.catalogues.given import Given
from node.catalogues.livelihood import kind_of_cell, kind_of_title
from node.catalogues.pages import Pages, parse_page_count
from node.catalogues.parties import parse_parties
from node.catalogues.persons import person_keys
from node.catalogues.rows import RawRow
from protocol.dates import DateSpan, contradicts_year, parse_date
from protocol.document_numbers import fold_doc_no
from protocol.findings import Finding, RejectedValue, Severity
from protocol.identity_numbers import mask_identity_numbers
from protocol.limits import TITLE_CHARS_MAX
from protocol.records import Alias, Record
from protocol.reference_codes import CodeProfile, Dialect, ReferenceCode, fold_code, parse_code
from protocol.retention import Retention, RetentionKind, parse_retention
from protocol.vocabularies import (
    LIVELIHOOD_KINDS,
    Level,
    parse_access_status,
    parse_disclosure,
    parse_form,
    parse_level,
    parse_secrecy,
)

NO_RECORD_ID: Final = UUID(int=0)
"""Stands in a described record until the store has minted its id, or found the one that it has."""

PLANS_KEPT: Final = 64
"""Mappings whose plan is kept: the sheets of the file being read, and of the one before."""


class DescriptionContext(msgspec.Struct, frozen=True, kw_only=True):
    """What rows are described by beside their sheet: the site and the settings of the file's folder."""

    site: str
    profiles: tuple[CodeProfile, ...] = ()
    fonds_no: str = ""
    """The fonds of codes that do not name one."""
    livelihood_kind: str = ""
    owner: str = ""
    custodian: str = ""
    releaser: str = ""
    county_key: bytes = b""
    """The county's key for person keys; without it there are none."""

    @property
    def fingerprint(self) -> bytes:
        """Changes with whatever changes the description of an unchanged row; does not tell the key."""
        key = hashlib.blake2b(self.county_key, digest_size=16).hexdigest() if self.county_key else ""
        told = repr(msgspec.structs.replace(self, county_key=b"")) + key
        return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class DescribedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that became a record; its id and version are the store's to set."""

    line: int
    record: Record
    findings: tuple[Finding, ...] = ()
    raw: tuple[tuple[str, str], ...] = ()
    """Header and text of every cell that does not stand in the record word for word; for the site's own store only."""


class RejectedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was set aside; at least one of its findings is a rejection."""

    line: int
    findings: tuple[Finding, ...]
    cells: tuple[str, ...]


def describe(row: RawRow, columns: Columns, context: DescriptionContext) -> DescribedRow | RejectedRow:
    """Describe one row; never raises for what stands in it."""
    plan = _plan(columns)
    given = Given(row.cells, columns)
    code = _code(given, plan, context)
    filing_year = _filing_year(given, code)
    span = _date(given, plan, filing_year)
    pages = _page_count(given)
    level = _level(given, columns)
    title, is_supplied = _title(given, plan, context, level)
    doc_no, noticed = fold_doc_no(given.get(Field.DOC_NO))
    _notice_all(given, noticed, Field.DOC_NO)
    record = Record(...)
