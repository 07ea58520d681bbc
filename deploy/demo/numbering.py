"""How a site numbers its records: one of the three dialects of reference codes, and what goes wrong with them.

    DA/T 22-2015   Z109-WS·2011-Y-BGS-0001      organ in pinyin initials, hyphens between year, period and organ
    DA/T 13-2022   Z109-WS·2011·Y·办公室-0001    one class code, its members joined by dots
    DA/T 13-94     001-2-15-3                   fonds, catalogue, volume, item

Villages were never given fonds numbers by the county, so most call theirs `001`: the same codes come from many sites.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from random import Random

import msgspec

from protocol.sites import SiteRank

_ORGANS = {
    "办公室": "BGS",
    "党建": "DJ",
    "村务": "CW",
    "财务": "CWS",
    "民政": "MZ",
    "林业": "LY",
    "土管": "TG",
    "妇联": "FL",
}
ORGANS = tuple(_ORGANS)
"""Organs or subjects under which a small office files."""

_VILLAGE_FONDS = ("001", "001", "001", "001", "0001", "1", "A001", "X013")
LOOK_ALIKE_DASHES = ("—", "–", "－", "−", "一")
LOOK_ALIKE_DOTS = ("・", "•", "‧", "⋅", ".", "．")


class Dialect(StrEnum):
    """The standard that a site follows, as far as it follows one."""

    ITEMS_2015 = "DA/T 22-2015"
    CLASSES_2022 = "DA/T 13-2022"
    CATALOGUES_1994 = "DA/T 13-94"


class Numbering(msgspec.Struct, frozen=True, kw_only=True):
    """One site's way of numbering."""

    dialect: Dialect
    fonds_no: str

    def item(self, series: "Series", number: int) -> str:
        """Return the code of one item."""
        if self.dialect is Dialect.CATALOGUES_1994:
            return f"{self.fonds_no}-{series.catalogue_no}-{series.volume_no}-{number}"
        return f"{self._class_code(series)}-{number:04}"

    def item_in_volume(self, series: "Series", number: int) -> str:
        """Return the code of an item in a volume."""
        if self.dialect is Dialect.CATALOGUES_1994:
            return self.item(series, number)
        return f"{self._class_code(series)}-{series.volume_no:03}-{number:03}"

    def volume(self, series: "Series", number: int) -> str:
        """Return the code of a volume."""
        if self.dialect is Dialect.CATALOGUES_1994:
            return f"{self.fonds_no}-{series.catalogue_no}-{number}"
        return f"{self._class_code(series)}-{number:03}"

    def _class_code(self, series: "Series") -> str:
        if self.dialect is Dialect.ITEMS_2015:
            organ = f"-{_ORGANS[series.organ]}" if series.organ else ""
            return f"{self.fonds_no}-{series.category}·{series.year}-{series.period}{organ}"
        organ = f"·{series.organ}" if series.organ else ""
        return f"{self.fonds_no}-{series.category}·{series.year}·{series.period}{organ}"


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """The records of one category, year, retention period and organ: they are numbered together."""

    category: str
    year: int
    period: str
    """`Y`, `D30`, `D10`, `D100`; what the retention column says is another matter."""
    organ: str = ""
    catalogue_no: int = 1
    volume_no: int = 1


def numbering_of(rank: SiteRank, position: int, chance: Random) -> Numbering:
    """Choose a site's way of numbering; `position` in the county's table makes every dialect occur early."""
    dialect = tuple(Dialect)[position % len(Dialect)]
    if rank is SiteRank.VILLAGE:
        return Numbering(dialect=dialect, fonds_no=chance.choice(_VILLAGE_FONDS))
    letter = {SiteRank.COUNTY: "A", SiteRank.TOWNSHIP: "J", SiteRank.UNIT: "W"}[rank]
    return Numbering(dialect=dialect, fonds_no=f"{letter}{chance.randint(1, 120):03}")


def _with_look_alikes(dash: str, dot: str) -> Callable[[str, Random], str]:
    return lambda code, _chance: code.replace("-", dash).replace("·", dot)


def _unpadded(code: str, _chance: Random) -> str:
    head, _, last = code.rpartition("-")
    return f"{head}-{int(last)}"


def _short_year(code: str, _chance: Random) -> str:
    return code.replace("·20", "·", 1) if "·20" in code else code.replace("·19", "·", 1)


def _period_in_words(code: str, _chance: Random) -> str:
    return code.replace("D30", "30年", 1).replace("·Y", "·永久", 1).replace("-Y-", "-永久-", 1)


def _without_fonds(code: str, _chance: Random) -> str:
    return code.partition("-")[2]


DAMAGES: Mapping[str, Callable[[str, Random], str]] = {
    **{
        f"code_look_alikes_{number}": _with_look_alikes(dash, dot)
        for number, (dash, dot) in enumerate(zip((*LOOK_ALIKE_DASHES, "—"), LOOK_ALIKE_DOTS, strict=True), 1)
    },
    "code_unpadded": _unpadded,
    "code_trailing_blank": lambda code, _chance: f"{code} ",
    "code_inner_blank": lambda code, _chance: code.replace("-", " - ", 1),
    "code_short_year": _short_year,
    "code_period_in_words": _period_in_words,
    "code_without_fonds": _without_fonds,
}
"""Ways in which a code is written wrong and can still be read, some of them with a warning."""


def excel_damaged(number: int) -> str:
    """Return what is left of `3-5` after Excel has read it as a date."""
    return f"{number % 12 + 1}月{number % 28 + 1}日"
