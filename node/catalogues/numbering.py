"""The reference codes of one file taken together: which numbers of a series are missing."""

import itertools
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec

GAP_NUMBERS_MAX: Final = 1_000
"""Missing numbers in a row that are reported as one gap; more is a second series."""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers that no record of a series has: ``before`` is what their codes share."""

    before: str
    first: int
    last: int


def numbering_gaps(ref_codes: Iterable[str]) -> list[Gap]:
    """Return the gaps between the last numbers of folded codes, series by series."""
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
