"""What is inside an OLE compound file: an old workbook (.xls), a protected new one, or something else.

Only as much of [MS-CFB] and [MS-XLS] as it takes to know that, to see whether the file was written to its end, and to
measure the sheets before the reader lays them out (`node.catalogues.extents` says why).
"""

import struct
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from node.catalogues.extents import check_cells
from node.catalogues.refusals import UnreadableFile
from protocol.wording import Text

STREAM_CUTOFF_BYTES: Final = 4096
"""Bytes under which a stream lies among the small ones; no writer makes a workbook that small."""

_WORKBOOKS: Final = ("Workbook", "Book")
_PROTECTED: Final = frozenset(("EncryptedPackage", "EncryptionInfo"))
_ENTRY_BYTES: Final = 128
_HEADER_FAT_SECTORS: Final = 109
_LAST_SECTOR: Final = 0xFFFFFFFA
_FILE_PASS: Final = 0x2F
_BEGIN: Final = frozenset((0x809, 0x409, 0x209, 0x009))
_MANY_CELLS: Final = 0xBD
_CELLS: Final = frozenset((*range(0x02, 0x07), _MANY_CELLS, 0xD6, 0xFD, *range(0x203, 0x207), 0x27E, 0x406))
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
        streams = dict(sectors.streams())
        if not _PROTECTED.isdisjoint(streams):
            raise UnreadableFile("file_encrypted")
        name = next((name for name in _WORKBOOKS if name in streams), None)
        if name is None:
            seen = Text(zh="其中没有表格，可能是文字文档。", en="It holds no sheet; it may be a text document.")
            raise UnreadableFile("file_format_unsupported", seen)
        start, size = streams[name]
        if size < STREAM_CUTOFF_BYTES:
            raise UnreadableFile("file_unreadable")
        check_cells(_laid_out(sectors.stream(start)[:size]))
    except (struct.error, IndexError, ValueError) as error:
        raise UnreadableFile("file_incomplete") from error


class _Sectors:
    """The chains of sectors of one compound file; IndexError or struct.error where the file ends too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        shift, self._directory = struct.unpack_from("<H16xI", data, 30)[0], struct.unpack_from("<I", data, 48)[0]
        self._size = 1 << shift
        tables = list(struct.unpack_from(f"<{_HEADER_FAT_SECTORS}I", data, 76))
        more, extra = struct.unpack_from("<II", data, 68)
        per_sector = self._size // 4
        for _ in range(extra):
            *found, more = struct.unpack(f"<{per_sector}I", self._sector(more))
            tables += found
        self._next = array("I")
        for number in tables:
            if number < _LAST_SECTOR:
                self._next.extend(struct.unpack(f"<{per_sector}I", self._sector(number)))

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        found = self._data[start : start + self._size]
        # The very last sector may be written short.
        if len(found) < self._size and not (found and start + self._size > len(self._data)):
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

    def streams(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Name, first sector and size of every stream."""
        directory = self.stream(self._directory)
        for offset in range(0, len(directory) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
            (length,) = struct.unpack_from("<H", directory, offset + 64)
            name = directory[offset : offset + max(0, length - 2)].decode("utf-16-le", "replace")
            if name:
                yield name, struct.unpack_from("<II", directory, offset + 116)


def _laid_out(workbook: bytes) -> int:
    """Return an upper bound of the cells that the reader will lay out for the sheets of an old workbook."""
    cells = offset = rows = columns = 0
    end = len(workbook) - 4
    read = struct.Struct("<HHHH").unpack_from
    workbook += bytes(8)
    while offset <= end:
        kind, length, row, column = read(workbook, offset)
        if kind in _CELLS:
            if kind == _MANY_CELLS:
                (column,) = struct.unpack_from("<H", workbook, offset + 2 + length)
            if row >= rows:
                rows = row + 1
            if column >= columns:
                columns = column + 1
        elif kind == _FILE_PASS:
            raise UnreadableFile("file_encrypted")
        elif kind in _BEGIN:
            cells += rows * columns
            rows = columns = 0
        offset += 4 + length
    return cells + rows * columns
