"""Spreadsheets as a digitising firm leaves them, written for one test, and what the reading makes of them."""

import csv
import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import openpyxl
import xlwt

from node.catalogues.catalogue_files import CatalogueFile, open_catalogue
from node.catalogues.columns import Columns
from node.catalogues.context import DescriptionContext
from node.catalogues.description import DescribedRow, RejectedRow, SheetDescription
from node.catalogues.fields import Field

CONTEXT = DescriptionContext(site="330523108204", county_key=b"county key of a test")

Cell = str | int | float | bool | datetime.date | datetime.time | None
Table = Sequence[Sequence[Cell]]
Outcome = DescribedRow | RejectedRow


def write_xlsx(path: Path, sheets: Mapping[str, Table] | Table, *, merged: Sequence[str] = ()) -> Path:
    """Write a workbook; ``merged`` are ranges of its first sheet such as A1:G1."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in (sheets if isinstance(sheets, Mapping) else {"Sheet1": sheets}).items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    for cells in merged:
        book.worksheets[0].merge_cells(cells)
    book.save(path)
    return path


def write_xls(path: Path, rows: Table, *, name: str = "Sheet1") -> Path:
    """Write an old workbook."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet(name)
    for line, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell is not None:
                sheet.write(line, column, cell)
    book.save(str(path))
    return path


def write_text(path: Path, rows: Table, *, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    """Write a table of text."""
    with path.open("w", encoding=encoding, newline="") as target:
        csv.writer(target, delimiter=delimiter).writerows(rows)
    return path


class Reading(msgspec.Struct, frozen=True):
    """A catalogue read to its end."""

    file: CatalogueFile
    rows: list[Outcome]

    @property
    def columns(self) -> Columns:
        """The mapping of the first sheet."""
        return self.file.sheets[0].columns

    @property
    def records(self) -> list[DescribedRow]:
        """The rows that became records."""
        return [row for row in self.rows if isinstance(row, DescribedRow)]

    @property
    def rejected(self) -> list[RejectedRow]:
        """The rows that were set aside."""
        return [row for row in self.rows if isinstance(row, RejectedRow)]

    @property
    def titles(self) -> list[str]:
        """The titles of the records."""
        return [row.record.title for row in self.records]


def read(path: Path, *, mapping: Mapping[Field, str] | None = None, context: DescriptionContext = CONTEXT) -> Reading:
    """Read a catalogue to its end."""
    file = open_catalogue(path, mapping or {}, context.fingerprint)
    described = ((SheetDescription(sheet.columns, context), sheet) for sheet in file.sheets)
    return Reading(file, [description.describe(row) for description, sheet in described for row in sheet])


def codes(row: Outcome) -> list[str]:
    """The codes of what was noticed in a row."""
    return [finding.code for finding in row.findings]
