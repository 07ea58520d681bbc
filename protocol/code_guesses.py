"""What a reference code seems to say where no profile fits it: the part before its last hyphen, segment by segment.

The test of a segment: four digits 18xx to 20xx are the year, Y, C, D and D30 the retention period, two to four capital
letters behind the fonds the category, what follows the period and is no number the organ; trailing numbers are volume
and item. Whatever the look of a code leaves open is guessed and reported as ``profile_unknown``.
"""

import functools
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from protocol.retention import parse_retention

HEAD_CACHE_ENTRIES: Final = 4_096
"""Entries kept of heads already guessed: the items of one year and organ, or of one volume, share theirs."""

SERIAL_WIDTH_USUAL_DIGITS: Final = (3, 5)
"""Digits of the narrowest and the widest serial number that is usual in the newer dialects."""


class Dialect(StrEnum):
    """The rules that a code seems to follow."""

    DAT13_1994 = "dat13-1994"
    DAT22_2015 = "dat22-2015"
    DAT13_2022 = "dat13-2022"
    UNKNOWN = "unknown"


class CodeHead(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a code before its last hyphen, taken apart."""

    dialect: Dialect = Dialect.UNKNOWN
    fonds_no: str = ""
    category_code: str = ""
    sub_codes: tuple[str, ...] = ()
    filing_year: int | None = None
    retention_code: str = ""
    org_or_subject: str = ""
    catalogue_no: str = ""
    project_no: str = ""
    volume_no: str = ""
    group_no: str = ""
    tail_is_volume: bool = False
    """The number after the last hyphen is the volume's: there is none for an item."""
    findings: tuple[str, ...] = ()


UNKNOWN_HEAD: Final = CodeHead(findings=("profile_unknown",))

_YEAR: Final = re.compile("(?:1[89]|20)[0-9]{2}")
_RETENTION: Final = re.compile("Y|C|D[0-9]{0,3}")
_RETENTION_WORDS: Final = re.compile("(?:定期)?[0-9]{1,3}年|永久|长期|短期")
_CATEGORY: Final = re.compile("[A-Z]{2,4}")
_GLUED: Final = re.compile("([A-Z]{2})?((?:1[89]|20)[0-9]{2})(Y|C|D[0-9]{0,3})?")
_OLD_HEAD: Final = re.compile("[A-Z]{0,2}[0-9]{1,5}(?:-[0-9]{1,5}){0,2}")
_SEGMENT: Final = re.compile("([-·]?)([^-·]+)")
_AUDIOVISUAL: Final = frozenset(("ZP", "LY", "LX"))
_BY_PROJECT: Final = "KJ"
_BY_ITEM: Final = "WS"


class _Segments:
    """The segments of a head on their way into a `CodeHead`; lives for one call."""

    def __init__(self) -> None:
        self.fonds_no = self.category = self.retention = self.org = self.project = ""
        self.year: int | None = None
        self.subs: list[str] = []
        self.numbers: list[str] = []
        self.findings: list[str] = []
        self.dotted: bool | None = None

    def notice(self, code: str) -> None:
        if code not in self.findings:
            self.findings.append(code)

    def take(self, separator: str, text: str) -> None:
        """Put the next segment behind the category where it belongs."""
        if self.year is None and not self.retention and _YEAR.fullmatch(text):
            self.year = int(text)
        elif not self.retention and _RETENTION.fullmatch(text):
            self._take_retention(separator, text)
        elif not self.retention and _RETENTION_WORDS.fullmatch(text):
            self._take_retention(separator, parse_retention(text).code())
            self.notice("code_retention_in_words")
        elif text.isdigit() and (separator == "-" or self.numbers):
            self.numbers.append(text)
        elif self.year is None and not self.retention and not text.isdigit():
            self.subs.append(text)
        elif self.year is None and not self.retention:
            self._take_class_number(text)
        elif not self.org and not self.numbers:
            self._take_org(separator, text)
        else:
            self.notice("profile_unknown")

    def _take_retention(self, separator: str, code: str) -> None:
        self.retention, self.dotted = code, separator == "·"
        if self.year is None and self.subs and re.fullmatch("[0-9]{2}", self.subs[-1]):
            self.subs.pop()
            self.notice("code_year_short")

    def _take_class_number(self, text: str) -> None:
        if self.category == _BY_PROJECT:
            self.project = text
        else:
            self.subs.append(text)

    def _take_org(self, separator: str, text: str) -> None:
        self.org = text
        if self.dotted is None:
            self.dotted = separator == "·"
        if text.isdigit() and not self.retention:
            # An organ's number, or the digits that some rooms write for the retention period.
            self.notice("profile_unknown")


@functools.lru_cache(maxsize=HEAD_CACHE_ENTRIES)
def guessed_head(head: str) -> CodeHead:
    """Take apart what stands before the last hyphen of a folded code; never raises."""
    if _OLD_HEAD.fullmatch(head):
        return _old_head(head.split("-"))
    found = _Segments()
    rest = _separated(head, found)
    first, second = rest[0][1] if rest else "", rest[1][1] if len(rest) > 1 else ""
    if _CATEGORY.fullmatch(first) and not _CATEGORY.fullmatch(second):
        found.notice("fonds_missing_in_code")
        found.category, rest = first, rest[1:]
    elif len(rest) > 1 and rest[1][0] == "-" and _CATEGORY.fullmatch(second):
        found.fonds_no, found.category, rest = first, second, rest[2:]
    else:
        return UNKNOWN_HEAD
    for separator, text in rest:
        found.take(separator, text)
    return _new_head(found)


def _separated(head: str, found: _Segments) -> list[tuple[str, str]]:
    """The segments with the separator before each; a forgotten separator (``WS2017``, ``2017D10``) is put in."""
    segments: list[tuple[str, str]] = []
    for separator, text in _SEGMENT.findall(head):
        glued = _GLUED.fullmatch(text)
        if glued is None or (glued[1] is None and glued[3] is None):
            segments.append((separator, text))
            continue
        found.notice("profile_unknown")
        parts = [(separator, glued[1]), ("·" if glued[1] else separator, glued[2]), ("-", glued[3])]
        segments += [(before, part) for before, part in parts if part]
    return segments


def _old_head(levels: Sequence[str]) -> CodeHead:
    """DA/T 13-94 shape 1: fonds, catalogue, volume, item; without the item it names a volume."""
    if len(levels) == 1:
        return CodeHead(dialect=Dialect.DAT13_1994, fonds_no=levels[0], findings=("profile_unknown",))
    if len(levels) == 2:
        return CodeHead(dialect=Dialect.DAT13_1994, fonds_no=levels[0], catalogue_no=levels[1], tail_is_volume=True)
    return CodeHead(dialect=Dialect.DAT13_1994, fonds_no=levels[0], catalogue_no=levels[1], volume_no=levels[2])


def _new_head(found: _Segments) -> CodeHead:
    """Name the trailing numbers: with the item's, which is not here, there are one more than ``numbers``."""
    numbers, by_hyphen = found.numbers, found.dotted is False
    volume = group = ""
    by_project = found.category == _BY_PROJECT
    if len(numbers) == 1 and by_hyphen and not found.org and found.category == _BY_ITEM:
        found.org = numbers[0]
        found.notice("profile_unknown")
    elif len(numbers) == 1 and found.category in _AUDIOVISUAL:
        group = numbers[0]
    elif len(numbers) == 1:
        volume = numbers[0]
        if by_project or (by_hyphen and not found.org):
            found.notice("profile_unknown")
    elif len(numbers) == 2:
        found.project, volume = found.project or numbers[0], numbers[1]
        found.notice("profile_unknown")
    elif numbers:
        found.notice("profile_unknown")
    if any(len(number) > SERIAL_WIDTH_USUAL_DIGITS[1] for number in numbers):
        found.notice("width_unusual")
    if found.category == _BY_ITEM and found.year is None and "code_year_short" not in found.findings:
        found.notice("profile_unknown")
    return CodeHead(
        dialect=Dialect.DAT22_2015 if by_hyphen else Dialect.DAT13_2022,
        fonds_no=found.fonds_no,
        category_code=found.category,
        sub_codes=tuple(found.subs),
        filing_year=found.year,
        retention_code=found.retention,
        org_or_subject=found.org,
        project_no=found.project,
        volume_no=volume,
        group_no=group,
        tail_is_volume=by_project and not numbers,
        findings=tuple(found.findings),
    )
