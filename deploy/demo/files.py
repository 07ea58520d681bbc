"""Writes the made-up catalogues as the files that digitising firms leave: workbooks and text in old encodings.

Memory stays the same however long a list is: rows are written as they are made, and a workbook keeps one row.
"""

import csv
import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from deploy.demo.catalogues import catalogues_of
from deploy.demo.cells import Catalogue, Cell, FileForm, Row, Sheet
from deploy.demo.county import Place
from deploy.demo.manifest import SiteManifest, Tally

BROKEN_COPY_POSITION = 5
"""The site in whose folder a copy stopped half-way; a county of six sites or more has it."""

_ENCODINGS = {
    FileForm.CSV_GB18030: "gb18030",
    FileForm.TXT_GB18030: "gb18030",
    FileForm.CSV_UTF8_BOM: "utf-8-sig",
    FileForm.CSV_BIG5: "big5",
    FileForm.TXT_UTF16: "utf-16",
}
_TAB_SEPARATED = frozenset((FileForm.TXT_GB18030, FileForm.TXT_UTF16))
_FLOAT_DIGITS = 15
"""Digits that a spreadsheet keeps of a number; longer ones are shown with an exponent."""


def write_site(folder: Path, place: Place, position: int, *, rows: int, seed: int) -> SiteManifest:
    """Write all catalogues of one site and return what a careful reader finds in them."""
    folder.mkdir(parents=True, exist_ok=True)
    tally = Tally()
    written = [
        write_catalogue(folder, catalogue, tally) for catalogue in catalogues_of(place, position, rows=rows, seed=seed)
    ]
    broken = position == BROKEN_COPY_POSITION
    if broken:
        whole = next((path for path in written if path.suffix == ".xlsx"), written[0]).read_bytes()
        (folder / "旧目录（复制中断）.xlsx").write_bytes(whole[: len(whole) // 2])
    # What a spreadsheet program leaves beside a file that somebody has open; no catalogue.
    (folder / f"~${written[0].name}").write_bytes(b"\x05admin".ljust(165, b"\x00"))
    return SiteManifest(
        site=place.code, files=len(written) + int(broken), unreadable_files=int(broken), counts=tally.counts
    )


def write_catalogue(folder: Path, catalogue: Catalogue, tally: Tally) -> Path:
    """Write one file; its rows are counted by `tally` on the way."""
    path = folder / catalogue.file_name
    if catalogue.form is FileForm.XLSX:
        _write_workbook(path, catalogue.sheets, tally)
    else:
        _write_text(path, catalogue, tally)
    return path


def _write_workbook(path: Path, sheets: Iterable[Sheet], tally: Tally) -> None:
    # Titles such as "=..." and "{...}" are text; nothing in a catalogue is a formula.
    options: dict[str, Any] = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as workbook:
        day = workbook.add_format({"num_format": "yyyy/m/d"})
        for sheet in sheets:
            _write_sheet(workbook.add_worksheet(sheet.name[:31].replace("/", "、")), sheet, day, tally)


def _write_sheet(worksheet: Worksheet, sheet: Sheet, day: Format, tally: Tally) -> None:
    line = 0
    width = len(sheet.header[0])
    for title in sheet.titles:
        _write_cells(worksheet, line, (title,), day)
        _merge(worksheet, line, 0, line, width - 1)
        line += 1
    for cells in sheet.header:
        _write_cells(worksheet, line, cells, day)
        line += 1
    _merge_header(worksheet, len(sheet.titles), sheet.header)
    for row in tally.counting(sheet.rows):
        _write_cells(worksheet, line, row.cells, day)
        if row.merged_down:
            column, rows = row.merged_down
            _merge(worksheet, line, column, line + rows - 1, column)
        line += 1


def _merge_header(worksheet: Worksheet, first_line: int, header: Sequence[Sequence[str]]) -> None:
    """Merge what two header rows have in common: a heading over several columns, and single columns downwards."""
    if len(header) == 1:
        return
    upper, lower = header
    grouped = [column for column, heading in enumerate(lower) if heading]
    _merge(worksheet, first_line, grouped[0], first_line, grouped[-1])
    for column, heading in enumerate(upper):
        if heading and column not in grouped:
            _merge(worksheet, first_line, column, first_line + 1, column)


def _merge(worksheet: Worksheet, first_line: int, first_column: int, last_line: int, last_column: int) -> None:
    # merge_range() writes blanks into the rows below, after which a workbook of constant memory takes no more text
    # there. The list that it fills is all that the file needs.
    if (first_line, first_column) != (last_line, last_column):
        worksheet.merge.append([first_line, first_column, last_line, last_column])


def _write_cells(worksheet: Worksheet, line: int, cells: Iterable[Cell], day: Format) -> None:
    for column, cell in enumerate(cells):
        match cell:
            case None | "":
                continue
            case str():
                worksheet.write_string(line, column, cell)
            case datetime.date():
                worksheet.write_datetime(line, column, datetime.datetime.combine(cell, datetime.time()), day)
            case _:
                worksheet.write_number(line, column, cell)


def _write_text(path: Path, catalogue: Catalogue, tally: Tally) -> None:
    delimiter = "\t" if catalogue.form in _TAB_SEPARATED else ","
    with path.open("w", encoding=_ENCODINGS[catalogue.form], newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
        for sheet in catalogue.sheets:
            padding = [""] * (len(sheet.header[0]) - 1)
            writer.writerows([title, *padding] for title in sheet.titles)
            writer.writerows(sheet.header)
            writer.writerows(_texts(row) for row in tally.counting(sheet.rows))


def _texts(row: Row) -> list[str]:
    return [_shown(cell) for cell in row.cells]


def _shown(cell: Cell) -> str:
    """Return a cell as a spreadsheet program shows it, which is what it writes into a text file."""
    match cell:
        case None:
            return ""
        case datetime.date():
            return f"{cell.year}/{cell.month}/{cell.day}"
        case float():
            return f"{cell:.5E}" if abs(cell) >= 10**_FLOAT_DIGITS else f"{cell:g}"
        case _:
            return str(cell)
