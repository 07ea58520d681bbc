"""A table of the county: which columns it has, and every fault in it with its line, column, reason and remedy.

A table is taken whole or not at all, so all its faults are gathered before it is refused: somebody who corrects twenty
lines wants to hear of them at once.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from hub.vocabulary.county_sheets import Sheet
from protocol.errors import BadFile
from protocol.wording import Text

FAULTS_MAX: Final = 50
"""Faults of one table that are told; a table with more has one cause for many."""


class TableColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column: the name in the header, in Chinese and English, and other names that people give it."""

    name: Text
    others: tuple[str, ...] = ()
    is_required: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All names by which the column is known."""
        return (self.name.zh, self.name.en, *self.others)


WHOLE: Final = Text(zh="", en="")
"""Stands for a column where it is the whole row or table."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong at one place of a table."""

    line: int
    column: Text
    """Name in the header; empty where it is the whole row or table."""
    reason: Text
    remedy: Text

    @property
    def words(self) -> Text:
        """The fault as one sentence."""
        zh = f"第 {self.line} 行" + (f"“{self.column.zh}”列" if self.column.zh else "")
        en = f"line {self.line}" + (f", column {self.column.en}" if self.column.en else "")
        return Text(zh=f"{zh}：{self.reason.zh}", en=f"{en}: {self.reason.en}")


class BadTable(BadFile):
    """A table that is refused as a whole; what was in force before stays in force."""

    def __init__(self, file: str, faults: Sequence[Fault]) -> None:
        first = faults[0]
        more = len(faults) - 1
        zh_more, en_more = (f"（另有 {more} 处）", f" (and {more} more)") if more else ("", "")
        super().__init__(
            Text(zh=f"{file} {first.words.zh}{zh_more}", en=f"{file} {first.words.en}{en_more}"),
            first.remedy,
        )
        self.file = file
        self.faults = tuple(faults)


class TableRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a table whose header is understood."""

    line: int
    values: Mapping[str, str]
    """Cells by the English names of their columns; what is not there is empty."""

    def of(self, column: TableColumn) -> str:
        """Return the cell of a column."""
        return self.values.get(column.name.en, "")

    def fault(self, column: TableColumn, reason: Text, remedy: Text) -> Fault:
        """Return a fault in that cell."""
        return Fault(line=self.line, column=column.name, reason=reason, remedy=remedy)


def rows_of(sheet: Sheet, columns: Sequence[TableColumn]) -> list[TableRow]:
    """Return the rows below the header, by columns; columns that are not known are people's own notes and stay unread.

    Raises:
        BadTable: there is no header, a column is missing or stands twice, or a row has no text where it must.

    """
    if not sheet.rows:
        raise BadTable(sheet.name, [Fault(line=1, column=WHOLE, reason=_EMPTY, remedy=_header_remedy(columns))])
    header, *body = sheet.rows
    places = _places(sheet.name, header.line, header.cells, columns)
    rows = [
        TableRow(
            line=row.line,
            values={name: row.cells[place] for name, place in places.items() if place < len(row.cells)},
        )
        for row in body
    ]
    faults = [
        row.fault(column, _MISSING, Text(zh="请填写，或删去整行。", en="Fill it in, or delete the row."))
        for row in rows
        for column in columns
        if column.is_required and not row.of(column)
    ]
    raise_if_any(sheet.name, faults)
    return rows


def raise_if_any(file: str, faults: Sequence[Fault]) -> None:
    """Refuse the table if it has faults, in the order of their lines.

    Raises:
        BadTable: it has.

    """
    if faults:
        raise BadTable(file, sorted(faults, key=lambda fault: fault.line)[:FAULTS_MAX])


def _places(file: str, line: int, cells: Sequence[str], columns: Sequence[TableColumn]) -> dict[str, int]:
    known = {_plain(name): column for column in columns for name in column.names}
    places: dict[str, int] = {}
    for place, cell in enumerate(cells):
        column = known.get(_plain(cell))
        if column is None:
            continue
        if column.name.en in places:
            twice = Text(zh="此列出现两次", en="this column stands twice")
            remedy = Text(zh="请只保留一列。", en="Keep one of them.")
            raise BadTable(file, [Fault(line=line, column=column.name, reason=twice, remedy=remedy)])
        places[column.name.en] = place
    missing = [column for column in columns if column.is_required and column.name.en not in places]
    if missing:
        reason = Text(zh=f"表头中没有“{missing[0].name.zh}”列", en=f"the header has no column {missing[0].name.en}")
        remedy = _header_remedy(columns)
        raise BadTable(file, [Fault(line=line, column=missing[0].name, reason=reason, remedy=remedy)])
    return places


def _plain(name: str) -> str:
    return "".join(name.split()).casefold()


_EMPTY: Final = Text(zh="表是空的", en="the table is empty")
_MISSING: Final = Text(zh="不能为空", en="must not be empty")


def _header_remedy(columns: Sequence[TableColumn]) -> Text:
    return Text(
        zh=f"第一行应为表头：{'，'.join(column.name.zh for column in columns)}。",
        en=f"The first row is the header: {', '.join(column.name.en for column in columns)}.",
    )
