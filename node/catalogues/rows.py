"""The rows of a sheet as they are compared and described: ditto marks resolved, what is no record left out.

A row that has not changed since the last reading is recognised by its digest alone and never described again, so this
is the path that a large sheet takes every time it is saved: everything here is done once a row and nothing more.
"""

import hashlib
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from node.catalogues.cells import SEPARATOR
from node.catalogues.columns import NAMING_FIELDS, Columns
from node.catalogues.fields import Field, is_header_name, meaning_of
from node.catalogues.headers import HEADER_SCAN_ROWS, find_header, stated_values
from node.catalogues.workbooks import MergedRange, RawTable, Row
from protocol.vocabularies import Level

READING_VERSION: Final = 5
"""Version of the rules by which rows are read and described: raising it has every row described again."""

ROW_DIGEST_BYTES: Final = 8
"""Bytes of a row's digest; it is compared with one other row only."""

EMPTY_RUN_MAX: Final = 500
"""Empty rows in a row after which a sheet is taken to be at its end: what follows is a stray cell."""

REPEATED_FIELDS_MIN: Final = 2
"""Cells under their own header's name by which a row is known to repeat the header."""

DITTO_MARKS: Final = frozenset(("同上", "仝上", "仝", "同前", "〃", "〃〃", "″", '"', "''", "“", "”", "〞", "＂", "々"))
"""Cells that repeat the cell above."""

_DITTO_HINTS: Final = ("同上", "〃", "仝", "″", '"', "”", "“", "同前", "''", "〞", "＂", "々")
_TOTAL_STARTS: Final = frozenset(
    (
        *(first + second for first in "小合总共" for second in "计 "),
        *(f"本{unit}" for unit in "页卷盒年"),
        "累计",
        "总数",
    )
) | {"全宗", "全卷", "以上"}
_TOTAL: Final = re.compile(
    r"(?:本[页卷盒年]|全宗|全卷|以上)?(?:[小合总共累]计|总数)[:：]?(?:[0-9０-９.,，]|[()（）共件卷册页张条份人户亩元盒个])*"
)
_VOLUME_LISTS: Final = ("案卷目录", "案卷级", "案卷清单")
_ITEM_LISTS: Final = ("卷内", "归档文件", "文件级")
_KEYS: Final = (Field.TITLE, Field.VOLUME_TITLE, Field.REF_CODE, Field.DOC_NO)


class RawRow(msgspec.Struct, frozen=True, gc=False):
    """One row that may be a record; ``cells`` also holds the values stated above the header (`Columns.preamble`)."""

    line: int
    cells: tuple[str, ...]
    digest: bytes


class RowCounts(msgspec.Struct, kw_only=True):
    """What became of the rows of a sheet, complete when its rows have been read to the end."""

    read: int = 0
    blank: int = 0
    subtotals: int = 0
    repeated_headers: int = 0
    headings: int = 0
    """Lines between the rows: headings of sections, page numbers, who made the list."""
    unread: int = 0
    """Rows that hold something but stand behind EMPTY_RUN_MAX empty ones: far from the list, they are not of it."""


class SheetReading:
    """The reading of one sheet: its header and mapping at once, its rows one by one, the counts at the end.

    Iterate once. ``fingerprint`` stands for everything outside the sheet that rows are described by, such as the
    settings of its folder: a row counts as unchanged only if that is the same too.
    """

    def __init__(self, table: RawTable, mapping: Mapping[Field, str], fingerprint: bytes = b"") -> None:
        first = list(itertools.islice(table.rows, HEADER_SCAN_ROWS))
        header = find_header(first, table.merged, mapping)
        self.name = table.name
        self.header = header
        self.columns = _levelled(header.columns, (table.name, *header.above))
        self.counts = RowCounts()
        self._can_end_early = table.height is not None
        self._rows: Iterator[Row] = itertools.chain(first, table.rows)
        self._width = len(self.columns.headers)
        self._stated = dict(header.stated)
        self._fills = _fills(table, header.last_line)
        self._key = next((index for field in _KEYS if (index := self.columns.column(field)) is not None), 0)
        told = repr((READING_VERSION, self.columns.fingerprint, fingerprint)).encode()
        self._naming = {index for field, index in self.columns.fields if field in NAMING_FIELDS}
        self._wide = {area.first_line for area in table.merged if area.last_column > area.first_column}
        self._run = 0
        self._digest = hashlib.blake2b(told, digest_size=ROW_DIGEST_BYTES)

    def __iter__(self) -> Iterator[RawRow]:
        """Yield the rows that may be records.

        Raises:
            UnreadableFile: a text file turns out to be damaged further down.

        """
        key, width, stated, counts = self._key, self._width, self._stated, self.counts
        join, started = SEPARATOR.join, self._digest.copy
        previous: list[str] = []
        for line, given in self._filled_rows():
            cells = given if len(given) == width and not stated else self._fitted(given)
            joined = join(cells)
            if joined.isspace():
                if self._ends_here():
                    return
                continue
            self._run = 0
            for hint in _DITTO_HINTS:
                if hint in joined:
                    cells = _without_dittos(cells, previous)
                    joined = join(cells)
                    break
            name, start = cells[key], cells[0][:2]
            is_suspect = not name or name[:2] in _TOTAL_STARTS or start in _TOTAL_STARTS or is_header_name(name)
            if is_suspect and self._is_set_aside(line, cells):
                continue
            previous = cells
            counts.read += 1
            digest = started()
            digest.update(joined.encode("utf-8", "surrogatepass"))
            yield RawRow(line, tuple(cells), digest.digest())

    def _filled_rows(self) -> Iterator[Row]:
        """The rows below the header, each merged cell repeated in the rows that it covers."""
        last_header_line, fills = self.header.last_line, self._fills
        values: dict[MergedRange, str] = {}
        for line, cells in self._rows:
            if line <= last_header_line:
                continue
            for area in fills.get(line, ()):
                if area.first_column >= len(cells):
                    continue
                if line == area.first_line:
                    values[area] = cells[area.first_column]
                elif not cells[area.first_column]:
                    cells[area.first_column] = values.get(area, "")
            yield line, cells

    def _fitted(self, cells: list[str]) -> list[str]:
        """Give a row the width of the header, and put behind it what stands above the header."""
        width = self._width
        short = [""] * (width - len(cells))
        return [*cells[:width], *short, *(self._stated[field] for field in self.columns.preamble), *cells[width:]]

    def _ends_here(self) -> bool:
        self._run += 1
        self.counts.blank += 1
        if self._run < EMPTY_RUN_MAX or not self._can_end_early:
            return False
        self.counts.unread = sum(any(cells) for _, cells in self._rows)
        return True

    def _is_set_aside(self, line: int, cells: list[str]) -> bool:
        """Tell whether a row without a proper name is no record, and count it for what it is."""
        counts = self.counts
        filled = {index: text for index, cell in enumerate(cells[: self._width]) if (text := cell.strip())}
        named = {index for index in self._naming if index in filled}
        sequence = self.columns.column(Field.SEQUENCE)
        kept = [text for index, text in filled.items() if index != sequence or not text.isdigit()]
        if not kept:
            counts.blank += 1
        elif self._repeats_header(filled) or all(text in self.header.above for text in kept):
            counts.repeated_headers += 1
        elif self._is_total(filled, named):
            counts.subtotals += 1
        elif not named and (len(kept) == 1 or all(":" in text or "：" in text for text in kept)):
            self._take_stated(kept)
            counts.headings += 1
        elif line in self._wide and len(kept) == 1:
            counts.headings += 1
        else:
            return False
        return True

    def _repeats_header(self, filled: Mapping[int, str]) -> bool:
        same = sum(
            (meaning := meaning_of(filled.get(index, ""))) is not None and meaning.field is field
            for field, index in self.columns.fields
        )
        return same >= REPEATED_FIELDS_MIN

    def _is_total(self, filled: Mapping[int, str], named: set[int]) -> bool:
        """A total stands in the first filled cell or in the title's place, and no code beside it."""
        code = self.columns.column(Field.REF_CODE)
        places = {min(filled), self._key}
        totals = {index for index in places if _TOTAL.fullmatch("".join(filled.get(index, "").split()))}
        return bool(totals) and (code is None or code in totals or code not in named)

    def _take_stated(self, texts: list[str]) -> None:
        for field, value in stated_values(texts).items():
            if field in self._stated:
                self._stated[field] = value


def _levelled(columns: Columns, names: tuple[str, ...]) -> Columns:
    """A list of volumes may say so in its name only, and call its titles 题名 all the same."""
    says_volumes = any(word in name for name in names for word in _VOLUME_LISTS)
    says_items = any(word in name for name in names for word in _ITEM_LISTS)
    if columns.level is Level.ITEM and says_volumes and not says_items:
        return msgspec.structs.replace(columns, level=Level.VOLUME)
    return columns


def _without_dittos(cells: list[str], previous: list[str]) -> list[str]:
    """Replace each ditto mark by the cell above it; a mark with nothing above it stays, and its row is rejected."""
    return [
        previous[index] if cell.strip() in DITTO_MARKS and index < len(previous) and previous[index] else cell
        for index, cell in enumerate(cells)
    ]


def _fills(table: RawTable, last_header_line: int) -> Mapping[int, list[MergedRange]]:
    """The merged cells that cover several rows of data, by line."""
    fills: dict[int, list[MergedRange]] = defaultdict(list)
    for area in table.merged:
        if area.first_line > last_header_line and area.last_line > area.first_line:
            for line in range(area.first_line, area.last_line + 1):
                fills[line].append(area)
    return fills
