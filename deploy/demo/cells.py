"""What a made-up catalogue consists of before it is written: cells, rows with their expected fate, sheets, files."""

import datetime
from collections.abc import Iterator
from enum import StrEnum

import msgspec

Cell = str | int | float | datetime.date | None
"""One cell: text, a number, a date that the spreadsheet knows as one, or nothing."""


class Fate(StrEnum):
    """What a careful reader makes of a row."""

    TAKEN = "taken"
    """Becomes a record, perhaps with a warning."""
    WITHHELD = "withheld"
    """Becomes a record that never leaves its site (promise 8)."""
    REJECTED = "rejected"
    """Cannot be read: set aside with its reason (promise 9)."""
    SKIPPED = "skipped"
    """No entry: a subtotal, a repeated header, an empty row."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row below the header."""

    cells: tuple[Cell, ...]
    fate: Fate = Fate.TAKEN
    dirt: tuple[str, ...] = ()
    """Which forms of dirt were planted here, by the names of `dirt.Dirt` and `datings.DATINGS`."""
    merged_down: tuple[int, int] | None = None
    """Column, and how many rows from this one on, that are one merged cell."""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One sheet: title rows over its whole width, one or two header rows, and its rows as they are needed."""

    name: str
    titles: tuple[str, ...]
    header: tuple[tuple[str, ...], ...]
    rows: Iterator[Row]


class FileForm(StrEnum):
    """How a catalogue is written."""

    XLSX = "xlsx"
    CSV_GB18030 = "csv-gb18030"
    CSV_UTF8_BOM = "csv-utf8-bom"
    CSV_BIG5 = "csv-big5"
    TXT_UTF16 = "txt-utf16"
    TXT_GB18030 = "txt-gb18030"


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """One file that a digitising firm left in a site's folder; a text file has one sheet."""

    file_name: str
    form: FileForm
    sheets: tuple[Sheet, ...]
