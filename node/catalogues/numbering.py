"""The reference codes of one file taken together: no code twice, and which numbers are missing."""

import itertools
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec

from node.catalogues.description import DescribedRow, RejectedRow
from protocol.findings import finding
from protocol.vocabularies import Level

GAP_NUMBERS_MAX: Final = 1_000
"""Missing numbers in a row that are reported as one gap; more is a second series."""


class DuplicateGuard:
    """Knows the codes of a file; the first row to claim a code has it.

    A volume and its item may share a code, and the rows of an index of persons all carry their volume's. A caller that
    recognises an unchanged row without describing it claims that row's code too.
    """

    def __init__(self) -> None:
        self._lines: dict[tuple[str, Level], str] = {}

    def claim(self, ref_code: str, level: Level, place: str) -> str | None:
        """Claim a folded code for the row at ``place``; return the place of the row that already has it, if any."""
        if not ref_code or level is Level.PERSON_INDEX_ROW:
            return None
        holder = self._lines.setdefault((ref_code, level), place)
        return None if holder == place else holder

    def checked(self, row: DescribedRow, cells: tuple[str, ...], place: str) -> DescribedRow | RejectedRow:
        """Return ``row``, or its rejection if another row has its code."""
        holder = self.claim(row.record.ref_code, row.record.level, place)
        if holder is None:
            return row
        duplicate = finding("ref_code_duplicate", field="ref_code", value=row.record.ref_code_as_given)
        return RejectedRow(line=row.line, findings=(duplicate, *row.findings), cells=cells)


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers that no record of a series has: ``before`` is what their codes share."""

    before: str
    first: int
    last: int


def numbering_gaps(ref_codes: Iterable[str]) -> list[Gap]:
    """Return the gaps in the last numbers of folded codes, series by series."""
    series: dict[str, set[int]] = defaultdict(set)
    for code in ref_codes:
        before, _, number = code.rpartition("-")
        if before and number.isascii() and number.isdigit():
            series[before].add(int(number))
    gaps = []
    for before, numbers in series.items():
        gaps += [
            Gap(before=before, first=lower + 1, last=upper - 1)
            for lower, upper in itertools.pairwise(sorted(numbers))
            if 1 < upper - lower <= GAP_NUMBERS_MAX
        ]
    return gaps
