"""Finding the header of a sheet: below title lines, in one row or several, merged or not.

Every row near the top is tried as a header, alone and together with the one or two rows below it. The candidate that
names the most fields wins; of equals the upper one, and of those that share rows the one of fewer rows. Rows are joined
only where the lower row fills what a wide upper cell left open, because otherwise the first record would be read as a
header.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from node.catalogues.columns import Columns, choose, columns_of, is_catalogue, missing_headers
from node.catalogues.fields import Field, meaning_of
from node.catalogues.refusals import UnreadableFile
from node.catalogues.workbooks import MergedRange, Row
from protocol.wording import Text

HEADER_SCAN_ROWS: Final = 40
"""Rows from the top of a sheet among which the header is looked for."""

HEADER_ROWS_MAX: Final = 3
"""Rows that one header may have."""

PREAMBLE_FIELDS: Final = (
    Field.FONDS_NO,
    Field.CATALOGUE_NO,
    Field.VOLUME_NO,
    Field.FILING_YEAR,
    Field.RETENTION,
    Field.ORG_OR_SUBJECT,
)
"""Fields that a printed list states once above its header."""

_STATED: Final = re.compile(r"([^\s:：,，;；]{2,10})\s*[:：]\s*([^\s:：,，;；]+)")
_ENDS: Final = {
    **dict.fromkeys(("起", "始", "自", "从", "开始", "from", "start", "begin"), Field.DATE_FROM.value),
    **dict.fromkeys(("止", "至", "终", "到", "结束", "to", "end"), Field.DATE_TO.value),
}


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Where the header of a sheet stands, and what it means."""

    first_line: int
    last_line: int
    columns: Columns
    stated: dict[Field, str]
    """Values stated above the header, for `Columns.preamble`."""
    above: frozenset[str]
    """Texts of the title lines, which a printed list repeats on each page."""


def find_header(rows: Sequence[Row], merged: Sequence[MergedRange], mapping: Mapping[Field, str]) -> Header:
    """Find the header among the first rows of a sheet.

    Raises:
        UnreadableFile: no row is a header, or it lacks a column that ``mapping`` names.

    """
    candidates: list[_Candidate] = []
    for top in range(len(rows)):
        for depth in range(1, HEADER_ROWS_MAX + 1):
            block = _block(rows[top : top + depth], merged)
            if len(block) < depth or not _belongs_together(block):
                break
            chosen = choose(_readings(block), mapping)
            if is_catalogue(chosen.values()):
                candidates.append(_Candidate(len(chosen), top, depth))
    if not candidates:
        raise UnreadableFile("header_not_found")
    best = _best(candidates)
    return _header(rows, merged, mapping, top=best.top, depth=best.depth)


class _Candidate(NamedTuple):
    fields: int
    top: int
    depth: int


def _best(candidates: Sequence[_Candidate]) -> _Candidate:
    """Return the candidate of most fields; of equals that share rows the shortest, else the upper.

    A header that is repeated further down is the same header again: what stands between the two are records.
    """
    most = max(candidate.fields for candidate in candidates)
    equals = [candidate for candidate in candidates if candidate.fields == most]
    first = min(equals, key=lambda candidate: (candidate.top, candidate.depth))
    reached = max(candidate.top + candidate.depth for candidate in equals if candidate.top == first.top)
    sharing = [candidate for candidate in equals if candidate.top < reached]
    return min(sharing, key=lambda candidate: (candidate.depth, candidate.top))


def stated_values(cells: Sequence[str]) -> dict[Field, str]:
    """Read what a line above a header states, such as ``全宗号：Z109  年度：2011``."""
    stated: dict[Field, str] = {}
    for label, value in _STATED.findall("  ".join(cells)):
        meaning = meaning_of(label)
        if meaning is not None and meaning.field in PREAMBLE_FIELDS:
            stated[meaning.field] = value
    return stated


def _header(
    rows: Sequence[Row], merged: Sequence[MergedRange], mapping: Mapping[Field, str], *, top: int, depth: int
) -> Header:
    block = _block(rows[top : top + depth], merged)
    readings = _readings(block)
    missing = missing_headers(readings, mapping)
    if missing:
        named = "、".join(missing)
        raise UnreadableFile(
            "header_not_found",
            Text(zh=f"节点配置写明的列不在表头中：{named}。", en=f"It lacks columns that the settings name: {named}."),
        )
    stated: dict[Field, str] = {}
    for _, cells in rows[:top]:
        stated.update(stated_values(cells))
    stacked = zip(*(row.texts for row in block), strict=True)
    headers = tuple(" ".join(dict.fromkeys(filter(None, texts))) for texts in stacked)
    return Header(
        first_line=rows[top][0],
        last_line=rows[top + depth - 1][0],
        columns=columns_of(headers, readings, mapping, stated),
        stated=stated,
        above=frozenset(cell.strip() for _, cells in rows[:top] for cell in cells if cell.strip()),
    )


class _HeaderRow(msgspec.Struct, frozen=True):
    """One row of a candidate: its texts, wide cells repeated, and the columns that the next row may complete."""

    texts: tuple[str, ...]
    open_columns: frozenset[int]


def _block(rows: Sequence[Row], merged: Sequence[MergedRange]) -> list[_HeaderRow]:
    width = max((len(cells) for _, cells in rows), default=0)
    padded = [(line, [" ".join(cell.split()) for cell in cells] + [""] * (width - len(cells))) for line, cells in rows]
    return [
        *(_upper_row(line, texts, merged) for line, texts in padded[:-1]),
        *(_HeaderRow(tuple(texts), frozenset()) for _, texts in padded[-1:]),
    ]


def _upper_row(line: int, texts: list[str], merged: Sequence[MergedRange]) -> _HeaderRow:
    wide = [area for area in merged if area.first_line == line and area.last_column > area.first_column]
    open_columns = {column for area in wide for column in range(area.first_column, area.last_column + 1)}
    for area in wide:
        for column in range(area.first_column, min(area.last_column + 1, len(texts))):
            texts[column] = texts[area.first_column]
    if not merged:
        # A text file has lost its merged cells: a blank belongs to the text on its left.
        for column in range(1, len(texts)):
            if not texts[column] and texts[column - 1]:
                texts[column] = texts[column - 1]
                open_columns |= {column - 1, column}
    return _HeaderRow(tuple(texts), frozenset(open_columns))


def _belongs_together(block: Sequence[_HeaderRow]) -> bool:
    """Tell whether each row only fills what the row above it left open."""
    return all(
        0 < sum(map(bool, lower.texts)) < len(lower.texts)
        and all(column in upper.open_columns for column, text in enumerate(lower.texts) if text)
        for upper, lower in itertools.pairwise(block)
    )


def _readings(block: Sequence[_HeaderRow]) -> list[tuple[str, ...]]:
    """Return the texts to try for each column, the most telling first."""
    return [_tried(texts) for texts in zip(*(row.texts for row in block), strict=True)]


def _tried(texts: tuple[str, ...]) -> tuple[str, ...]:
    *uppers, lowest = dict.fromkeys(filter(None, texts)) or ("",)
    if not uppers:
        return (lowest,)
    about = meaning_of(uppers[-1])
    if about is not None and about.field is Field.DATE and lowest in _ENDS:
        return (_ENDS[lowest],)
    return (uppers[-1] + lowest, lowest)
