"""What is inside an OLE compound file: an old workbook (.xls), a protected new one, or something else.

Only as much of [MS-CFB] and [MS-XLS] as it takes to know that, to see whether the file was written to its end, and to
measure the sheets before the reader lays them out (`node.catalogues.extents` says why). The reader reserves memory for
whatever the file announces and follows chains of sectors without end, so every announced size is checked here first:
a damaged file must cost a message, not the process.
"""

import struct
from array import array
from pathlib import Path
from typing import Final

from node.catalogues.extents import check_cells
from node.catalogues.refusals import UnreadableFile
from protocol.wording import Text

STREAM_CUTOFF_BYTES: Final = 4096
"""Bytes under which a stream lies among the small ones; no writer makes a workbook that small."""

SHEET_ROWS_MAX: Final = 65_536
SHEET_COLUMNS_MAX: Final = 256
"""Rows and columns of one sheet of an old workbook, by its format."""

STRING_BYTES_MIN: Final = 3
"""Bytes of the shortest string in the table of strings."""

_WORKBOOKS: Final = ("Workbook", "Book")
_PROTECTED: Final = frozenset(("EncryptedPackage", "EncryptionInfo"))
_ENTRY_BYTES: Final = 128
_HEADER_TABLES: Final = 109
_SECTOR_SHIFTS: Final = (9, 12)
_LARGE_SECTOR_BYTES: Final = 4096
_LAST_SECTOR: Final = 0xFFFFFFFA
_FILE_PASS: Final = 0x2F
_SHEET: Final = 0x85
_STRINGS: Final = 0xFC
_DIMENSIONS: Final = 0x200
_SPECIAL: Final = frozenset((_FILE_PASS, _SHEET, _STRINGS, _DIMENSIONS))
_BEGIN: Final = frozenset((0x809, 0x409, 0x209, 0x009))
_MANY_CELLS: Final = 0xBD
_CELLS: Final = frozenset((*range(0x02, 0x07), _MANY_CELLS, 0xD6, 0xFD, *range(0x203, 0x208), 0x27E, 0x406))
"""The kinds of record that hold the value of a cell, of all generations."""


def check_compound_file(path: Path) -> None:
    """Refuse an OLE file that is cut off, protected, no workbook, or larger inside than this program will open.

    Raises:
        UnreadableFile: with the reason.
        OSError: the file cannot be read.

    """
    data = path.read_bytes()
    try:
        sectors = _Sectors(data)
        streams = sectors.streams()
        if not _PROTECTED.isdisjoint(streams):
            raise UnreadableFile("file_encrypted")
        name = next((name for name in _WORKBOOKS if name in streams), None)
        if name is None:
            seen = Text(zh="其中没有表格，可能是文字文档。", en="It holds no sheet; it may be a text document.")
            raise UnreadableFile("file_format_unsupported", seen)
        start, size = streams[name]
        workbook = sectors.stream(start)[:size]
        if not STREAM_CUTOFF_BYTES <= size <= len(workbook):
            raise ValueError("the workbook is shorter than announced")
        check_cells(_laid_out(workbook))
    except (struct.error, IndexError) as error:
        raise UnreadableFile("file_incomplete") from error
    except ValueError as error:
        raise UnreadableFile("file_unreadable") from error


class _Sectors:
    """The chains of sectors of one compound file.

    IndexError or struct.error where the file ends too early, ValueError where it contradicts itself.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        shift = struct.unpack_from("<H", data, 30)[0]
        if shift not in _SECTOR_SHIFTS:
            raise ValueError("unknown size of sectors")
        self._size = 1 << shift
        directory_sectors, table_sectors, self._directory = struct.unpack_from("<III", data, 40)
        small_start, small_sectors, more, more_sectors = struct.unpack_from("<IIII", data, 60)
        present = len(data) // self._size
        if max(directory_sectors, table_sectors, small_sectors, more_sectors) > present:
            raise ValueError("more sectors announced than there are")
        numbers = struct.Struct(f"<{self._size // 4}I").unpack
        tables = list(struct.unpack_from(f"<{_HEADER_TABLES}I", data, 76))
        for _ in range(more_sectors):
            *found, more = numbers(self._sector(more))
            tables += found
        self._next = array("I")
        for number in tables:
            if number < _LAST_SECTOR:
                self._next.extend(numbers(self._sector(number)))
        self.stream(small_start)

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        found = self._data[start : start + self._size]
        # The very last sector of a file may be written short.
        if not found or (len(found) < self._size and start + self._size <= len(self._data)):
            raise IndexError(number)
        return found

    def stream(self, start: int) -> bytes:
        """The bytes of one chain of sectors."""
        parts, number = [], start
        while number < _LAST_SECTOR:
            parts.append(self._sector(number))
            if len(parts) > len(self._next):
                raise ValueError("a chain of sectors runs in a circle")
            number = self._next[number]
        return b"".join(parts)

    def streams(self) -> dict[str, tuple[int, int]]:
        """First sector and size of every stream, by its name."""
        directory = self.stream(self._directory)
        found: dict[str, tuple[int, int]] = {}
        for offset in range(0, len(directory) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
            name = directory[offset : offset + 64].decode("utf-16-le", "replace").partition("\0")[0]
            start, size, size_above = struct.unpack_from("<III", directory, offset + 116)
            if offset == 0:
                self.stream(start)
            if size > len(self._data) or (size_above and self._size == _LARGE_SECTOR_BYTES):
                raise ValueError("a stream is larger than the file")
            found.setdefault(name, (start, size))
        return found


def _laid_out(workbook: bytes) -> int:
    """Return an upper bound of the cells that the reader will lay out for the sheets of an old workbook."""
    cells = offset = rows = columns = 0
    begins: set[int] = set()
    sheets: set[int] = set()
    end = len(workbook) - 4
    read = struct.Struct("<HHHH").unpack_from
    workbook += bytes(16)
    while offset <= end:
        kind, length, row, column = read(workbook, offset)
        if kind in _CELLS:
            if kind == _MANY_CELLS:
                (column,) = struct.unpack_from("<H", workbook, offset + 2 + length)
            if row >= rows:
                rows = row + 1
            if column >= columns:
                columns = column + 1
        elif kind in _SPECIAL:
            body = workbook[offset + 4 : offset + 4 + length]
            _check_announced(kind, body, len(workbook))
            if kind == _SHEET:
                sheets.add(struct.unpack_from("<I", body)[0])
        elif kind in _BEGIN:
            begins.add(offset)
            cells += rows * columns
            rows = columns = 0
        offset += 4 + length
    if not sheets <= begins:
        raise ValueError("a sheet does not begin where it is announced")
    return cells + rows * columns


def _check_announced(kind: int, body: bytes, workbook_bytes: int) -> None:
    """Check the sizes that a record announces, for which the reader would reserve memory at once."""
    if kind == _FILE_PASS:
        raise UnreadableFile("file_encrypted")
    if kind == _STRINGS and struct.unpack_from("<I", body, 4)[0] > workbook_bytes // STRING_BYTES_MIN:
        raise ValueError("more strings announced than fit")
    if kind == _DIMENSIONS:
        layout = "<IIHH" if len(body) == struct.calcsize("<IIHHH") else "<HHHH"
        top, bottom, left, right = struct.unpack_from(layout, body)
        is_empty = bottom == 0 or right == 0
        if not is_empty and not (top <= bottom <= SHEET_ROWS_MAX and left <= right <= SHEET_COLUMNS_MAX):
            raise ValueError("a sheet announces a size that no sheet has")
