"""From a row to a record: what the row says, understood, beside what it says in its own words.

Everything that cannot be understood is a warning and keeps its text; a row is rejected only where no record can stand:
without a title, with a code that a spreadsheet destroyed, with a value beyond all bounds. Nothing here reads a clock, a
file or the store: the same row, mapping and context give the same record.
"""

from typing import Final
from uuid import UUID

import msgspec

from node.catalogues.columns import Columns
from node.catalogues.contents import read_access, read_content
from node.catalogues.context import DescriptionContext
from node.catalogues.given import Given
from node.catalogues.identification import identify, read_code
from node.catalogues.rows import RawRow
from protocol.findings import Finding, Severity
from protocol.records import Record

NO_RECORD_ID: Final = UUID(int=0)
"""Stands in a described record until the store has minted its id, or found the one that it has."""


class DescribedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that became a record; its id and version are the store's to set."""

    line: int
    record: Record
    findings: tuple[Finding, ...] = ()
    raw: tuple[tuple[str, str], ...] = ()
    """Header and text of every cell that the record does not hold word for word; for the site's own store only."""


class RejectedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was set aside; at least one of its findings is a rejection."""

    line: int
    findings: tuple[Finding, ...]
    cells: tuple[str, ...]


def describe(row: RawRow, columns: Columns, context: DescriptionContext) -> DescribedRow | RejectedRow:
    """Describe one row; never raises for what stands in it."""
    given = Given(row.cells, columns)
    code = read_code(given, columns, context)
    identification = identify(given, code, columns, context)
    content = read_content(
        given, columns, filing_year=identification["filing_year"], retention_code=code.retention_code
    )
    access = read_access(given, identification["title"], context)
    if any(finding.severity is Severity.REJECT for finding in given.findings):
        return RejectedRow(line=row.line, findings=tuple(given.findings), cells=row.cells)
    record = Record(record_id=NO_RECORD_ID, repository_id=context.site, **identification, **content, **access)
    return DescribedRow(line=row.line, record=record, findings=tuple(given.findings), raw=given.raw())
