"""Retention periods 保管期限: permanent, any number of years, the old long and short terms, or a rule in words.

A period is data, not a choice of three: accounting records have 3 to 30 years (财政部、国家档案局令第79号), marriage
registers 100, and some run from an event ("5 years after disposal"). A period never permits destruction by itself.
"""

import functools
import re
from enum import StrEnum
from typing import Final

import msgspec

from protocol.chinese_numerals import read_number
from protocol.wording import Count, Text

RETENTION_CACHE_ENTRIES: Final = 512
"""Entries kept of texts already read: a county uses a few dozen spellings."""

RETENTION_YEARS_MAX: Final = 999
"""Years of the longest period that is a number; DA/T 13-2022 writes D and up to three digits."""

RETENTION_CHARS_MAX: Final = 200
"""Characters of a period that is a rule in words."""


class RetentionKind(StrEnum):
    """How a period is expressed."""

    PERMANENT = "permanent"
    YEARS = "years"
    LEGACY = "legacy"
    """长期 or 短期, the terms used before 2006."""
    RULE = "rule"
    """A period that runs from an event, kept in words."""
    UNKNOWN = "unknown"
    """The text cannot be read, or there is none."""


class Retention(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One retention period; ``text`` is the Chinese wording that is shown, or the text as given if unknown."""

    kind: RetentionKind = RetentionKind.UNKNOWN
    years: int | None = None
    text: str = ""

    def code(self) -> str:
        """Return the code used inside reference codes: Y, D30, legacy C or D; empty for rules and unknown periods."""
        if self.kind is RetentionKind.YEARS:
            return f"D{self.years}"
        return _CODES.get((self.kind, self.text), "")

    def label(self) -> Text:
        """Return the period in words for a screen or a printed list."""
        if self.kind is RetentionKind.YEARS and self.years is not None:
            return Text(zh=f"{self.years}年", en=f"{Count(self.years):year|years}")
        return _LABELS.get((self.kind, self.text)) or Text(zh=self.text or "未注明", en=self.text or "not stated")


PERMANENT: Final = Retention(kind=RetentionKind.PERMANENT, text="永久")
LONG: Final = Retention(kind=RetentionKind.LEGACY, text="长期")
SHORT: Final = Retention(kind=RetentionKind.LEGACY, text="短期")

_CODES: Final = {
    (RetentionKind.PERMANENT, "永久"): "Y",
    (RetentionKind.LEGACY, "长期"): "C",
    (RetentionKind.LEGACY, "短期"): "D",
}
_LABELS: Final = {
    (RetentionKind.PERMANENT, "永久"): Text(zh="永久", en="permanent"),
    (RetentionKind.LEGACY, "长期"): Text(zh="长期", en="long term (legacy)"),
    (RetentionKind.LEGACY, "短期"): Text(zh="短期", en="short term (legacy)"),
}
_WORDS: Final = {
    **dict.fromkeys(("永久", "永久保管", "永久保存", "永", "Y", "PERMANENT"), PERMANENT),
    **dict.fromkeys(("长期", "长期保管", "长期保存", "C", "LONG-TERM"), LONG),
    **dict.fromkeys(("短期", "短期保管", "短期保存", "D", "SHORT-TERM"), SHORT),
}
_HALF_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {ord("長"): "长"}
_YEARS: Final = re.compile(r"(?:定期)?\(?(?:D?([0-9]{1,3}|[一二三四五六七八九十百廿卅]{1,5})(?:\.0)?)(?:年|YEARS?)?\)?")
_RULE: Final = re.compile(r"后|起|止|直到|期满|\bAFTER\b|\bUNTIL\b|\bFROM\b")


@functools.lru_cache(maxsize=RETENTION_CACHE_ENTRIES)
def parse_retention(raw: str) -> Retention:
    """Read a period in any of its spellings (永久, Y, 30年, D30, 30, 长期, 处置后5年); never raises.

    What cannot be read is ``UNKNOWN`` with the text as given; the caller reports ``retention_unreadable``, or
    ``retention_missing`` where the text is empty.
    """
    given = raw.strip()
    spelled = given.translate(_HALF_WIDTH).upper()
    text = "".join(spelled.split())
    if known := _WORDS.get(text):
        return known
    if (match := _YEARS.fullmatch(text)) and (years := read_number(match[1])) and years <= RETENTION_YEARS_MAX:
        return Retention(kind=RetentionKind.YEARS, years=years, text=f"{years}年")
    if len(given) <= RETENTION_CHARS_MAX and _RULE.search(spelled):
        return Retention(kind=RetentionKind.RULE, text=given)
    return Retention(kind=RetentionKind.UNKNOWN, text=given[:RETENTION_CHARS_MAX])
