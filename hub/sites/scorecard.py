"""How good a site's catalogue is, and what would mend most of it: from its own findings, without any row's content.

Pure: counts in, marks and fixes out. There is no invented number in it: every mark is a share of rows, and every fix
says how many rows it would mend.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from protocol.calls import FileLine, FileLines
from protocol.findings import RULES, Severity, rule
from protocol.wording import Text

FIXES_SHOWN_MAX = 5
"""Fixes that are named: what a keeper can do in a week."""

FILES_NAMED_MAX = 3
"""Files that are named with a fix, those with most of such rows."""

REJECTED_WEIGHT = 10
"""A row that is not in the catalogue at all counts as many with a remark."""


class Aspect(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a row says, and the findings that are about it."""

    words: Text
    codes: frozenset[str]


_HARMLESS: Final = frozenset(("row_held_elsewhere", "id_number_masked", "doc_no_irregular", "page_count_is_range"))
"""What was put right by itself, or is no fault of the row."""

ASPECTS: Final = (
    Aspect(
        words=Text(zh="档号", en="reference codes"),
        codes=frozenset(
            (
                *("ref_code_missing", "ref_code_damaged_by_spreadsheet", "ref_code_duplicate", "fonds_missing_in_code"),
                *("profile_unknown", "width_unusual", "code_year_short", "code_retention_in_words", "numbering_gap"),
            )
        ),
    ),
    Aspect(
        words=Text(zh="题名与责任者", en="titles and makers"),
        codes=frozenset(("title_missing", "ditto_without_previous", "responsible_missing", "responsible_unresolved")),
    ),
    Aspect(words=Text(zh="日期", en="dates"), codes=frozenset(code for code in RULES if code.startswith("date_"))),
    Aspect(
        words=Text(zh="期限、密级与开放", en="retention, secrecy, access"),
        codes=frozenset(
            (
                *("retention_missing", "retention_unreadable", "secrecy_unreadable", "access_status_unreadable"),
                "disclosure_unreadable",
            )
        ),
    ),
    Aspect(
        words=Text(zh="文字与数字", en="characters and numbers"),
        codes=frozenset(
            (
                *("control_characters", "text_garbled", "private_use_characters", "number_precision_lost"),
                *("cell_formula_error", "value_too_long", "id_number_truncated", "page_count_not_number"),
            )
        ),
    ),
)
"""What the marks are about."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the rows are in order in one respect."""

    words: Text
    good: int
    of: int

    @property
    def percent(self) -> int:
        """Return the share in whole percent; 100 only if every row is in order."""
        return 100 if self.good >= self.of else min(99, self.good * 100 // self.of)


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that would mend rows, or a whole file."""

    reason: Text
    remedy: Text
    rows: int
    """0 for a file that cannot be read: nobody knows how many it has."""
    is_rejected: bool
    """The rows are not in the catalogue till then."""
    files: tuple[str, ...]


class Scorecard(msgspec.Struct, frozen=True, kw_only=True):
    """The quality of a site's catalogue."""

    rows: int
    in_order: Mark
    """Rows that were taken without any remark."""
    marks: tuple[Mark, ...]
    fixes: tuple[Fix, ...]


def scorecard(files: FileLines) -> Scorecard:
    """Judge a catalogue by what its site says of its files."""
    rows = files.accepted + files.rejected
    counts = MappingProxyType({one.code: one.rows for one in files.findings})
    return Scorecard(
        rows=rows,
        in_order=Mark(
            words=Text(zh="没有疑点", en="without any remark"), good=max(0, files.accepted - files.warned), of=rows
        ),
        marks=tuple(_mark(aspect, counts, rows) for aspect in ASPECTS),
        fixes=tuple(_fixes(files)[:FIXES_SHOWN_MAX]),
    )


def _mark(aspect: Aspect, counts: Mapping[str, int], rows: int) -> Mark:
    # A row may have two remarks of one aspect: then it is counted twice, and the mark is rather too low than too high.
    wrong = sum(counts.get(code, 0) for code in aspect.codes)
    return Mark(words=aspect.words, good=max(0, rows - wrong), of=rows)


def _fixes(files: FileLines) -> list[Fix]:
    whole = [_whole_file(one) for one in files.lines if one.state == "refused" and one.reason is not None]
    counted = [
        (one, rule(one.code).severity is Severity.REJECT)
        for one in files.findings
        if one.rows > 0 and one.code not in _HARMLESS
    ]
    counted.sort(key=lambda one: (-one[0].rows * (REJECTED_WEIGHT if one[1] else 1), one[0].code))
    return whole + [
        Fix(
            reason=rule(one.code).reason,
            remedy=rule(one.code).remedy,
            rows=one.rows,
            is_rejected=is_rejected,
            files=_named(files.lines, one.code),
        )
        for one, is_rejected in counted
    ]


def _whole_file(one: FileLine) -> Fix:
    nothing = Text(zh="", en="")
    return Fix(reason=one.reason or nothing, remedy=one.hint or nothing, rows=0, is_rejected=True, files=(one.name,))


def _named(lines: Sequence[FileLine], code: str) -> tuple[str, ...]:
    rows = {line.name: found.rows for line in lines for found in line.findings if found.code == code}
    return tuple(sorted(rows, key=lambda name: (-rows[name], name))[:FILES_NAMED_MAX])
