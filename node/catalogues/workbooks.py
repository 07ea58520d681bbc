"""Opening a catalogue file: one table for each sheet of a workbook, one for a text file."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import python_calamine

from node.catalogues.cells import texts_of
from node.catalogues.compound_files import check_compound_file
from node.catalogues.delimited import text_rows
from node.catalogues.encodings import Encoding, detect_encoding
from node.catalogues.extents import check_package
from node.catalogues.formats import FileFormat, recognise
from node.catalogues.refusals import UnreadableFile
from protocol.wording import Text

MERGED_ROWS_MAX: Final = 200_000
"""Rows of merged cells that are filled in one sheet: merging whole columns is formatting, not data."""

Row = tuple[int, list[str]]
"""The 1-based line of a row, and the texts of its cells."""


class MergedRange(msgspec.Struct, frozen=True, kw_only=True):
    """Cells merged into one: 1-based lines and 0-based columns, both ends included."""

    first_line: int
    last_line: int
    first_column: int
    last_column: int


class RawTable(msgspec.Struct, frozen=True, kw_only=True):
    """One sheet, or the whole of a text file; its rows can be read once."""

    name: str
    """The sheet's name; the file's stem for a text file."""
    rows: Iterator[Row]
    height: int | None = None
    """Rows of the sheet, 0 if it is empty; None for a text file, which is read in a stream."""
    merged: tuple[MergedRange, ...] = ()
    is_hidden: bool = False
    """Somebody hid the sheet; it is reported and not read, because hidden rows are not meant to be shown."""
    encoding: Encoding | None = None


def open_tables(path: Path) -> list[RawTable]:
    """Open a catalogue file, whatever its name says it is.

    Raises:
        UnreadableFile: it cannot be read as a whole (`node.catalogues.refusals`).
        OSError: the file cannot be opened.

    """
    kind = recognise(path)
    if kind is FileFormat.TEXT:
        encoding = detect_encoding(path)
        return [RawTable(name=path.stem, rows=text_rows(path, encoding), encoding=encoding)]
    if kind is FileFormat.XLSX:
        check_package(path)
    else:
        check_compound_file(path)
    if path.suffix.lower() == f".{kind}":
        return _sheets(path)
    # The reader goes by the name of a file, and by the content only of what has no name.
    with path.open("rb") as source:
        return _sheets(source)


def _sheets(source: Path | BinaryIO) -> list[RawTable]:
    try:
        with python_calamine.load_workbook(source) as workbook:
            return [
                _table(workbook, sheet)
                for sheet in workbook.sheets_metadata
                if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
            ]
    except python_calamine.PasswordError as error:
        raise UnreadableFile("file_encrypted") from error
    except python_calamine.CalamineError as error:
        raise UnreadableFile("file_unreadable", Text(zh=f"（{error}）", en=f"({error})")) from error
    except OSError:
        raise
    except BaseException as error:
        # A fault inside the reader arrives as its own kind of exception that no `except Exception` sees.
        if type(error).__name__ != "PanicException":
            raise
        raise UnreadableFile("file_unreadable") from error


def _table(workbook: python_calamine.CalamineWorkbook, sheet: python_calamine.SheetMetadata) -> RawTable:
    if sheet.visible != python_calamine.SheetVisibleEnum.Visible:
        return RawTable(name=sheet.name, rows=iter(()), is_hidden=True)
    found = workbook.get_sheet_by_name(sheet.name)
    # The reader leaves out empty columns on the left, but not empty rows above.
    left = [""] * (found.start[1] if found.start is not None else 0)
    rows = ((line, texts_of(row)) for line, row in enumerate(found.iter_rows(), 1))
    return RawTable(
        name=sheet.name,
        rows=((line, left + cells) for line, cells in rows) if left else rows,
        height=0 if found.start is None else found.total_height + 1,
        merged=_merged(found),
    )


def _merged(sheet: python_calamine.CalamineSheet) -> tuple[MergedRange, ...]:
    ranges = [
        MergedRange(first_line=top + 1, last_line=bottom + 1, first_column=left, last_column=right)
        for (top, left), (bottom, right) in sorted(sheet.merged_cell_ranges or ())
    ]
    return tuple(ranges) if sum(merged.last_line - merged.first_line for merged in ranges) <= MERGED_ROWS_MAX else ()
