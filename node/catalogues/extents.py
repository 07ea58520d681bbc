"""How much a workbook would unpack to, found out before it is opened.

The reader lays out every sheet as a full rectangle. One stray cell in the last row and column of a 2 KB file would make
it ask for 400 GB and end the process, so the rectangle is measured first, in a stream and in bounded memory. Reading
all parts to their end also proves that the file was written to its end and that its directory does not lie about sizes.
"""

import errno
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from node.catalogues.refusals import UnreadableFile
from protocol.wording import Count, Text
from replication.packages.zip_reading import UNREADABLE, TooManyMembers, open_zip

WORKBOOK_CELLS_MAX: Final = 4_000_000
"""Cells of all sheets of a workbook, as rectangles: 285,000 rows of 14 columns. The reader takes about 85 bytes a cell
(1,048,576 rows of 14 columns: 1.2 GB and 14 s), so this is 340 MB on a PC that may have 4 GB."""

PACKAGE_PLAIN_BYTES_MAX: Final = 512 * 1024 * 1024
"""Bytes of all parts of an .xlsx after decompression: WORKBOOK_CELLS_MAX cells of usual length and their strings."""

PACKAGE_PARTS_MAX: Final = 5_000
"""Parts of an .xlsx: pictures and sheets of the largest honest workbook."""

CHUNK_BYTES: Final = 1024 * 1024
"""Bytes scanned at a time."""

ROOT_BYTES: Final = 4 * 1024
"""Bytes of the start of a part in which its root element stands."""

TAG_BYTES_MAX: Final = 8 * 1024 * 1024
"""Bytes of a sheet from one tag to the next: a cell holds 32,767 characters."""

TAIL_BYTES: Final = 64 * 1024
"""Bytes of the end of a piece in which its last cell stands."""

_SHEET_ROOT: Final = re.compile(rb"<([A-Za-z0-9]+:)?worksheet[\s>]")
# Every cell of an ordinary sheet starts `<c r="X12345"`: 26 columns at most, and as many rows as the last one says.
_UNUSUAL_CELL: Final = re.compile(rb'<c(?:\s|>|/)(?!r="[A-Z][0-9]{1,5}")')
_ORDINARY_COLUMNS: Final = 26
_ROW_NUMBER: Final = re.compile(rb'<c r="[A-Z]([0-9]{1,5})"')
_TOKEN: Final = re.compile(rb"<(?:[A-Za-z0-9]+:)?(row|c)((?:\s[^<>]*)?)>")
_REFERENCE: Final = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]{0,3})([0-9]{1,7})[\"']")


def check_package(path: Path) -> None:
    """Refuse an .xlsx that is cut off, protected, no workbook, or larger inside than this program will open.

    Raises:
        UnreadableFile: with the reason.
        OSError: the file cannot be read.

    """
    try:
        with open_zip(path, PACKAGE_PARTS_MAX) as package:
            _check_directory(package.infolist())
            bounds = {part: _bounded(package, part) for part in _text_parts(package)}
            if sum(bounds.values()) > WORKBOOK_CELLS_MAX:
                check_cells(sum(_measured(package, part) for part, bound in bounds.items() if bound))
    except TooManyMembers as error:
        raise UnreadableFile("file_too_large") from error
    except UNREADABLE as error:
        raise UnreadableFile("file_incomplete") from error
    except OSError as error:
        # A damaged directory points before the start of the file.
        if error.errno != errno.EINVAL:
            raise
        raise UnreadableFile("file_incomplete") from error


def check_cells(cells: int) -> None:
    """Refuse a workbook whose sheets would be laid out as more than ``WORKBOOK_CELLS_MAX`` cells.

    Raises:
        UnreadableFile: too many.

    """
    if cells > WORKBOOK_CELLS_MAX:
        raise UnreadableFile(
            "too_many_rows",
            Text(
                zh=f"各表展开达 {cells:,} 格以上，上限 {WORKBOOK_CELLS_MAX:,} 格（约 28 万行）。",
                en=f"Its sheets span {Count(cells):,cell|cells} or more; allowed are {WORKBOOK_CELLS_MAX:,} (280,000"
                " rows).",
            ),
            Text(
                zh="按年度或全宗拆分，或另存为 CSV；若数据不多，请删除表格远处的零散单元格后再保存。",
                en="Split it by year or fonds, or save it as CSV; if it holds little, delete stray cells far from it.",
            ),
        )


def _check_directory(parts: list[zipfile.ZipInfo]) -> None:
    names = {part.filename.lower() for part in parts}
    if any(part.flag_bits & 0x1 for part in parts):
        raise UnreadableFile("file_encrypted")
    if "xl/workbook.xml" not in names:
        raise UnreadableFile(
            "file_format_unsupported", Text(zh="压缩包内没有工作簿。", en="There is no workbook inside the package.")
        )
    plain = sum(part.file_size for part in parts if _is_text(part))
    if plain > PACKAGE_PLAIN_BYTES_MAX or len(parts) > PACKAGE_PARTS_MAX:
        raise UnreadableFile(
            "file_too_large",
            Text(
                zh=f"解压后 {plain / 2**20:.0f} MB、{len(parts)} 个部件，"
                f"上限 {PACKAGE_PLAIN_BYTES_MAX // 2**20} MB、{PACKAGE_PARTS_MAX} 个。",
                en=f"Unpacked it has {plain / 2**20:.0f} MB in {Count(len(parts)):part|parts}; "
                f"allowed are {PACKAGE_PLAIN_BYTES_MAX // 2**20} MB and {PACKAGE_PARTS_MAX}.",
            ),
        )


def _is_text(part: zipfile.ZipInfo) -> bool:
    """Pictures are never opened, so they count for nothing."""
    return part.filename.lower().endswith((".xml", ".rels"))


def _text_parts(package: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [part for part in package.infolist() if _is_text(part)]


def _bounded(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """Read one part to its end; return an upper bound of its sheet's cells, 0 if it is no sheet."""
    with package.open(part) as stream:
        first = stream.read(CHUNK_BYTES)
        root = _SHEET_ROOT.search(first[:ROOT_BYTES])
        if root is None:
            while stream.read(CHUNK_BYTES):
                continue
            return 0
        last_row, is_ordinary = b"1", root[1] is None
        for piece in _pieces(stream, first):
            is_ordinary = is_ordinary and _UNUSUAL_CELL.search(piece) is None
            last_row = next(reversed(_ROW_NUMBER.findall(piece[-TAIL_BYTES:])), last_row)
    return int(last_row) * _ORDINARY_COLUMNS if is_ordinary else WORKBOOK_CELLS_MAX + 1


def _measured(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """Return the cells of the rectangle that the reader will lay out for one sheet, or some number that is too many."""
    top, left, bottom, right = 2**31, 2**31, 0, 0
    row = column = 0
    with package.open(part) as stream:
        for piece in _pieces(stream):
            for tag, attributes in _TOKEN.findall(piece):
                place = _REFERENCE.search(attributes)
                if tag == b"row":
                    row, column = int(place[2]) if place else row + 1, 0
                    continue
                if place is not None:
                    row, column = int(place[2]), _column(place[1])
                else:
                    column += 1
                # A cell without content (only a format) is not laid out.
                if not attributes.endswith(b"/"):
                    top, left, bottom, right = min(top, row), min(left, column), max(bottom, row), max(right, column)
            if (bottom - top + 1) * (right - left + 1) > WORKBOOK_CELLS_MAX:
                break
    return (bottom - top + 1) * (right - left + 1) if bottom else 0


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _pieces(stream: IO[bytes], first: bytes = b"") -> Iterator[bytes]:
    """Yield a part in pieces that never cut a tag.

    Raises:
        UnreadableFile: there is no tag for longer than any cell is.

    """
    rest = b""
    chunk = first or stream.read(CHUNK_BYTES)
    while chunk:
        piece = rest + chunk
        cut = max(0, piece.rfind(b"<"))
        yield piece[:cut]
        rest = piece[cut:]
        if len(rest) > TAG_BYTES_MAX:
            size = TAG_BYTES_MAX // 2**20
            raise UnreadableFile(
                "file_too_large",
                Text(zh=f"有一格的内容超过 {size} MB。", en=f"One cell of it holds more than {size} MB."),
            )
        chunk = stream.read(CHUNK_BYTES)
    yield rest
