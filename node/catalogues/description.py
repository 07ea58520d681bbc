"""From a row to a record: what the row says, understood, beside what it says in its own words.

Everything that cannot be understood is a warning and keeps its text; a row is rejected only where no record can stand:
without a title, with a code that a spreadsheet destroyed, with a value beyond all bounds. Nothing here reads a clock, a
file or the store: the same row, mapping and context give the same record.
"""

from typing import Final
from uuid import UUID

import msgspec

from node.catalogues.columns import Columns
from node.catalogues.context import DescriptionContext
from node.catalogues.fields import Field
from node.catalogues.identification import identify
from node.catalogues.livelihood import kind_of_title
from node.catalogues.particulars import ECHOED, PARTICULAR_FIELDS, Given, plan_of
from node.catalogues.persons import person_keys
from node.catalogues.rows import RawRow
from node.catalogues.statements import READERS, ColumnReading, Statement
from protocol.findings import Finding, Severity
from protocol.identity_numbers import mask_identity_numbers
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


class SheetDescription:
    """Describes the rows of one sheet, one by one; remembers only how cells read that come again and again."""

    def __init__(self, columns: Columns, context: DescriptionContext) -> None:
        self._columns = columns
        self._context = context
        self._plan = plan_of(columns)
        self._repeating = tuple(_repeating(columns))
        self._echoed = tuple(_echoed(columns))
        self._stated = _stated(context)
        self._places = {field.value: index for field, index in reversed(columns.fields)}

    def describe(self, row: RawRow) -> DescribedRow | RejectedRow:
        """Describe one row; never raises for what stands in it."""
        cells = row.cells
        given = Given(cells, self._plan)
        said: Statement = {}
        findings = given.findings
        raw: list[tuple[str, str]] = []
        for index, column in self._repeating:
            cell = cells[index]
            reading = column.known.get(cell) or column.read(cell)
            said.update(reading.said)
            if reading.findings:
                findings += reading.findings
            if reading.raw:
                raw += reading.raw
        identify(given, said, self._columns, self._context)
        self._complete(given, said)
        if len(findings) > 1:
            findings.sort(key=self._place)
        if findings and any(finding.severity is Severity.REJECT for finding in findings):
            return RejectedRow(line=row.line, findings=tuple(findings), cells=cells)
        for index, header, name in self._echoed:
            if (cell := cells[index]) and cell != str(said.get(name, "")):
                raw.append((header, mask_identity_numbers(cell)[0]))
        raw = given.raw() + raw
        record = Record(record_id=NO_RECORD_ID, repository_id=self._context.site, **said)
        return DescribedRow(line=row.line, record=record, findings=tuple(findings), raw=tuple(raw))

    def _place(self, noticed: Finding) -> int:
        """Whoever looks after a row goes through it from left to right."""
        return self._places.get(noticed.field, self._columns.width)

    def _complete(self, given: Given, said: Statement) -> None:
        """Add what the folder's settings and the title say, and whom the row is about."""
        if self._stated:
            said.update(self._stated | said)
        if "livelihood_kind" not in said and (kind := kind_of_title(said["title"])):
            said["livelihood_kind"] = kind
        if given.persons or given.identities:
            persons = person_keys(given.persons, given.identities, self._context.county_key)
            said["person_keys"] = persons.keys
            given.notice_all(persons.findings, Field.IDENTITY)


def _stated(context: DescriptionContext) -> Statement:
    """What the settings of the folder say where neither cells nor code say otherwise."""
    stated: Statement = {}
    if context.fonds_no:
        stated["fonds_no"] = context.fonds_no
    if context.livelihood_kind:
        stated["livelihood_kind"] = context.livelihood_kind
    if context.owner:
        stated["owner"] = context.owner
    if context.custodian:
        stated["custodian"] = context.custodian
    if context.releaser:
        stated["releaser"] = context.releaser
    return stated


def _repeating(columns: Columns) -> list[tuple[int, ColumnReading]]:
    """The columns whose cells are read by themselves, and those that no field takes."""
    fields = {index: field for field, index in columns.fields}
    kept = {index for _, index in columns.kept}
    found = []
    for index in range(columns.width):
        field = fields.get(index)
        if field in PARTICULAR_FIELDS or (field not in READERS and index not in kept):
            continue
        header = columns.headers[index] if index < len(columns.headers) else ""
        is_kept = index in kept and field not in ECHOED
        found.append((index, ColumnReading(field, header, is_kept=is_kept)))
    return found


def _echoed(columns: Columns) -> list[tuple[int, str, str]]:
    """Column, header and field's name of the cells that the record may say in the same words."""
    kept = {index: header for header, index in columns.kept}
    return [(index, kept[index], field.value) for field, index in columns.fields if field in ECHOED and index in kept]
