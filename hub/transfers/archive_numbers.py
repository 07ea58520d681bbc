"""How the archive numbers what it takes 馆编档号: a pattern, and for each item the next number of its series. Pure.

A pattern is a code with names in braces, as ``{fonds}-{catalogue}-{volume:3}-{item:4}`` or
``{fonds}-WS·{year}·{retention}-{item:4}``; a number behind a colon is how many digits it has at least. Items 件号 are
numbered within everything that stands before ``{item}``: a volume, a year and a term, a catalogue. Volumes 案卷号 are
numbered within what stands before ``{volume}``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec

from protocol.errors import BadValue
from protocol.reference_codes import fold_code
from protocol.wording import Text

PATTERN_CHARS_MAX: Final = 120
"""Characters of a pattern."""

DIGITS_MAX: Final = 9
"""Digits that a number may be asked to have."""

NUMBERED: Final = ("volume", "item")
"""Names that are counted; all others are filled with what the record says."""

SAID: Final = ("fonds", "catalogue", "category", "year", "retention", "org")

VOLUMES: Final = "#"
"""What a series of volumes ends in, which tells it from a series of items that begins alike."""

_NAMES: Final = re.compile(r"\{([a-z]*)(?::([0-9]+))?\}")

Next = Callable[[str], int]
"""Returns the number behind the last one that was ever given in a series."""

VolumeOf = Callable[[str, str], int | None]
"""Returns the number that a volume has in a series; None if it has none yet."""


class CodedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item that is to be given a code."""

    record_id: UUID
    office_code: str
    values: Mapping[str, str]
    """What fills the names of ``SAID``."""
    volume: str = ""
    """The office's volume in which it lies; empty if it lies in none and so makes one of its own."""


class GivenCode(msgspec.Struct, frozen=True, kw_only=True):
    """The archive's code for one item."""

    record_id: UUID
    office_code: str
    code: str
    series: str = ""
    number: int = 0
    volume_series: str = ""
    volume: str = ""
    volume_number: int = 0


def check_pattern(pattern: str) -> str:
    """Return a pattern that can be used.

    Raises:
        BadValue: a name that there is none of, or no ``{item}`` at its end.

    """
    names = [found[1] for found in _NAMES.finditer(pattern)]
    widths = [int(found[2]) for found in _NAMES.finditer(pattern) if found[2]]
    unknown = set(names) - {*SAID, *NUMBERED} or set("{}") & set(_NAMES.sub("", pattern))
    if unknown or len(pattern) > PATTERN_CHARS_MAX or max(widths, default=0) > DIGITS_MAX:
        known = "、".join(f"{{{name}}}" for name in (*SAID, *NUMBERED))
        raise BadValue(
            Text(zh=f"档号规则读不出：{pattern}", en=f"this is no pattern of codes: {pattern}"),
            Text(zh=f"可用：{known}；{{item:4}} 为四位。", en=f"There are {known}; {{item:4}} has four digits."),
        )
    if names.count("item") != 1 or names[-1] != "item" or names.count("volume") > 1:
        raise BadValue(
            Text(zh="档号规则须以 {item}（件号）结尾，且只写一次。", en="a pattern ends in {item}, which stands once"),
            Text(zh="例如 {fonds}-{catalogue}-{volume:3}-{item:4}", en="As {fonds}-{catalogue}-{volume:3}-{item:4}."),
        )
    return pattern


def codes_for(
    pattern: str,
    items: Sequence[CodedItem],
    next_of: Next,
    volume_of: VolumeOf,
    is_taken: Callable[[str], bool] = lambda _code: False,
) -> list[GivenCode]:
    """Return a code for every item, in their order; nothing is remembered.

    Numbers whose code ``is_taken``, because a person gave it to something else in a list, are passed over.

    Raises:
        BadValue: a record does not say what the pattern needs.

    """
    count = _Count(next_of, volume_of, is_taken)
    return [_code_of(pattern, item, count) for item in items]


class _Count:
    """The numbers that are given out in one go."""

    def __init__(self, next_of: Next, volume_of: VolumeOf, is_taken: Callable[[str], bool]) -> None:
        self.is_taken = is_taken
        self._next_of = next_of
        self._volume_of = volume_of
        self._last: dict[str, int] = {}
        self._volumes: dict[tuple[str, str], int] = {}

    def number(self, series: str) -> int:
        self._last[series] = self._last[series] + 1 if series in self._last else self._next_of(series)
        return self._last[series]

    def volume(self, series: str, volume: str) -> int:
        key = series, volume
        if key not in self._volumes:
            known = self._volume_of(series, volume)
            self._volumes[key] = self.number(series) if known is None else known
        return self._volumes[key]


def _code_of(pattern: str, item: CodedItem, count: _Count) -> GivenCode:
    volume_series, volume, volume_number = "", "", 0
    if "{volume" in pattern:
        volume_series = fold_code(_filled(pattern[: pattern.index("{volume")], item, {})) + VOLUMES
        volume = item.volume or str(item.record_id)
        volume_number = count.volume(volume_series, volume)
    numbers = {"volume": volume_number}
    series = fold_code(_filled(pattern[: pattern.index("{item")], item, numbers))
    number = count.number(series)
    while count.is_taken(code := fold_code(_filled(pattern, item, {**numbers, "item": number}))):
        number = count.number(series)
    return GivenCode(
        record_id=item.record_id,
        office_code=item.office_code,
        code=code,
        series=series,
        number=number,
        volume_series=volume_series,
        volume=volume,
        volume_number=volume_number,
    )


def _filled(pattern: str, item: CodedItem, numbers: Mapping[str, int]) -> str:
    def value(found: re.Match[str]) -> str:
        name, width = found[1], int(found[2] or 0)
        if name in numbers:
            return str(numbers[name]).zfill(width)
        said = item.values.get(name, "")
        if not said:
            word = _WORDS[name]
            raise BadValue(
                Text(
                    zh=f"{item.office_code} 没有写{word.zh}，不能按规则编号。",
                    en=f"{item.office_code} does not say its {word.en}: it cannot be numbered by the rule",
                ),
                Text(zh="请退回补全，或换一条规则。", en="Return it to be completed, or use another rule."),
            )
        return said.zfill(width)

    return _NAMES.sub(value, pattern)


_WORDS: Final = {
    "fonds": Text(zh="全宗号", en="fonds number"),
    "catalogue": Text(zh="目录号", en="catalogue number"),
    "category": Text(zh="门类", en="category"),
    "year": Text(zh="年度", en="filing year"),
    "retention": Text(zh="保管期限", en="retention period"),
    "org": Text(zh="机构（问题）", en="office or subject"),
}
