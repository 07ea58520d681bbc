"""Reading a table that the county keeps itself, from a text file or a workbook, into rows of text.

These are small tables that people write by hand (names of places, equal words), not catalogues: one sheet, one header
in the first row that is not empty. Nothing is guessed and nothing left out; whatever is not as it should be is a fault
with its line. The node's reader of catalogues stays at the node: it forgives what here must not be forgiven.
"""

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import python_calamine

from protocol.errors import BadFile
from protocol.wording import Text

SHEET_BYTES_MAX: Final = 16 * 1024 * 1024
"""Bytes of a table, as it lies on the disk and unpacked: a hundred thousand places are 8 MB."""

SHEET_ROWS_MAX: Final = 100_000
"""Rows of a table: every village of a province, three times over."""

SHEET_COLUMNS_MAX: Final = 64
"""Columns of a table, notes of people and all."""

CELL_CHARS_MAX: Final = 2_000
"""Characters of one cell."""

_PLACED: Final = re.compile(rb'<(?:[A-Za-z0-9]+:)?(?:c|row)\s[^<>]*?\br="([A-Z]*)([0-9]{1,9})"')
_RESAVE: Final = Text(
    zh="请在表格软件中另存为“CSV UTF-8”或“Excel 工作簿 (*.xlsx)”后再试。",
    en="Save it in a spreadsheet program as CSV UTF-8 or as an Excel workbook (*.xlsx), and try again.",
)


class SheetRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row: the 1-based line that a person sees, and its cells, stripped."""

    line: int
    cells: tuple[str, ...]


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A table as read; rows without any text are left out."""

    name: str
    """The file's name, for messages."""
    rows: tuple[SheetRow, ...]


def read_sheet(path: Path) -> Sheet:
    """Read a table.

    Raises:
        BadFile: it is missing, too large, no table, or in no encoding that is known.

    """
    try:
        if path.stat().st_size > SHEET_BYTES_MAX:
            raise _bad(path, Text(zh="文件过大", en="the file is too large"))
        content = path.read_bytes()
    except OSError as error:
        raise _bad(path, Text(zh=f"读不出：{error.strerror}", en=f"cannot be read: {error.strerror}")) from error
    if content.startswith(b"PK"):
        return _sheet(path, _workbook_rows(path, content))
    if content.startswith(bytes.fromhex("d0cf11e0")):
        raise _bad(path, Text(zh="旧版 .xls 或加密的工作簿", en="an old .xls, or a protected workbook"))
    return sheet_of(path.name, content)


def sheet_of(name: str, content: bytes) -> Sheet:
    """Read a table from the bytes of a text file.

    Raises:
        BadFile: as ``read_sheet``.

    """
    path = Path(name)
    text = _decoded(path, content)
    if "\0" in text:
        raise _bad(path, Text(zh="不是文本表格", en="it is no table of text"))
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
    return _sheet(path, _text_rows(path, text, delimiter))


def written(sheet: Sheet) -> bytes:
    """Return a table as CSV that a spreadsheet program opens as it is; every row keeps its line."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    last = 0
    for row in sheet.rows:
        writer.writerows([[]] * (row.line - last - 1))
        last = row.line
        writer.writerow([" ".join(cell.split()) for cell in row.cells])
    return codecs.BOM_UTF8 + lines.getvalue().encode("utf-8")


def _decoded(path: Path, content: bytes) -> str:
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"), (b"", "utf-8-sig")):
        if content.startswith(mark):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                continue
    try:
        return content.decode("gb18030")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        seen = Text(
            zh=f"第 {line} 行附近不是 UTF-8 或 GB18030 文字", en=f"near line {line} it is neither UTF-8 nor GB18030"
        )
        raise _bad(path, seen) from error


def _text_rows(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        seen = Text(zh=f"第 {line} 行起引号没有配对", en=f"from line {line} on a quotation mark is not closed")
        raise _bad(path, seen) from error


def _workbook_rows(path: Path, content: bytes) -> Iterator[tuple[int, list[str]]]:
    _check_package(path, content)
    try:
        with python_calamine.load_workbook(io.BytesIO(content)) as workbook:
            visible = [
                found.name
                for found in workbook.sheets_metadata
                if found.typ == python_calamine.SheetTypeEnum.WorkSheet
                and found.visible == python_calamine.SheetVisibleEnum.Visible
            ]
            if not visible:
                raise _bad(path, Text(zh="没有可见的工作表", en="no sheet of it is visible"))
            sheet = workbook.get_sheet_by_name(visible[0])
            # The reader leaves out empty columns on the left, but not empty rows above.
            left = [""] * (sheet.start[1] if sheet.start is not None else 0)
            rows = [left + [_text(cell) for cell in row] for row in sheet.iter_rows()]
    except python_calamine.CalamineError as error:
        raise _bad(path, Text(zh=f"工作簿损坏（{error}）", en=f"the workbook is damaged ({error})")) from error
    return iter(list(enumerate(rows, 1)))


def _check_package(path: Path, content: bytes) -> None:
    """Refuse a workbook that unpacks to more than a table: the reader lays out every sheet as a full rectangle."""
    damaged = Text(zh="工作簿不完整", en="the workbook is not complete")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = [part for part in package.infolist() if part.filename.lower().endswith(".xml")]
            if sum(part.file_size for part in parts) > SHEET_BYTES_MAX * 4:
                raise _bad(path, Text(zh="解压后过大", en="it unpacks to too much"))
            for part in parts:
                placed = _PLACED.findall(package.read(part)) if "worksheets/" in part.filename else ()
                if any(int(row) > SHEET_ROWS_MAX or _column(column) > SHEET_COLUMNS_MAX for column, row in placed):
                    raise _bad(path, _TOO_LONG)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, NotImplementedError) as error:
        raise _bad(path, damaged) from error
    except RuntimeError as error:
        raise _bad(path, Text(zh="工作簿已加密", en="the workbook is protected")) from error


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters[:4]:
        number = number * 26 + letter - 64
    return number


def _text(cell: object) -> str:
    """A cell as a person sees it: 2014.0 is 2014, a date is ISO."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).removesuffix(" 00:00:00")


_TOO_LONG: Final = Text(
    zh=f"超过 {SHEET_ROWS_MAX} 行或 {SHEET_COLUMNS_MAX} 列",
    en=f"it has more than {SHEET_ROWS_MAX} rows or {SHEET_COLUMNS_MAX} columns",
)


def _sheet(path: Path, rows: Iterator[tuple[int, list[str]]]) -> Sheet:
    taken = []
    for line, cells in rows:
        stripped = tuple(cell.strip().removeprefix("\ufeff") for cell in cells)
        if line > SHEET_ROWS_MAX or len(stripped) > SHEET_COLUMNS_MAX:
            raise _bad(path, _TOO_LONG)
        if any(len(cell) > CELL_CHARS_MAX for cell in stripped):
            seen = Text(
                zh=f"第 {line} 行有单元格超过 {CELL_CHARS_MAX} 字",
                en=f"line {line} has a cell of more than {CELL_CHARS_MAX} characters",
            )
            raise _bad(path, seen)
        if any(stripped):
            taken.append(SheetRow(line=line, cells=stripped))
    return Sheet(name=path.name, rows=tuple(taken))


def _bad(path: Path, seen: Text) -> BadFile:
    return BadFile(Text(zh=f"{path.name}：{seen.zh}", en=f"{path.name}: {seen.en}"), _RESAVE)
