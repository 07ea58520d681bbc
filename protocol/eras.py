"""Chinese reign and republican years: which Gregorian years they mean, by number (光绪二十三年) or cycle (光绪丁酉年).

A reign's year n begins at the lunar new year of the Gregorian year ``first + n - 1`` and ends the day before the next
one, so its interval reaches from the earliest to the latest day that a new year can fall on. The Republic and its
contemporaries use the Gregorian calendar: their year is that of the table exactly.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from protocol.variants import GIVEN, SIMPLIFIED


class Era(msgspec.Struct, frozen=True, kw_only=True):
    """One reign or calendar; ``first`` is the Gregorian year in which most of its first year falls."""

    name: str
    first: int
    years: int
    """How many numbered years it has."""
    is_lunar: bool = True


_LUNAR: Final = (
    # Ming, and the Manchu state before 1644; genealogies and gazetteers still count by them.
    *(("洪武", 1368, 31), ("建文", 1399, 4), ("永乐", 1403, 22), ("洪熙", 1425, 1), ("宣德", 1426, 10)),
    *(("正统", 1436, 14), ("景泰", 1450, 8), ("天顺", 1457, 8), ("成化", 1465, 23), ("弘治", 1488, 18)),
    *(("正德", 1506, 16), ("嘉靖", 1522, 45), ("隆庆", 1567, 6), ("万历", 1573, 48), ("泰昌", 1620, 1)),
    *(("天启", 1621, 7), ("崇祯", 1628, 17), ("弘光", 1645, 1), ("隆武", 1645, 2), ("永历", 1647, 37)),
    *(("天命", 1616, 11), ("天聪", 1627, 10), ("崇德", 1636, 8)),
    # Qing.
    *(("顺治", 1644, 18), ("康熙", 1662, 61), ("雍正", 1723, 13), ("乾隆", 1736, 60), ("嘉庆", 1796, 25)),
    *(("道光", 1821, 30), ("咸丰", 1851, 11), ("同治", 1862, 13), ("光绪", 1875, 34), ("宣统", 1909, 3)),
)
_GREGORIAN: Final = (("民国", 1912, 38), ("洪宪", 1916, 1), ("大同", 1932, 3), ("康德", 1934, 12))

ERA_YEARS_GRACE: Final = 1
"""Years past its last that a reign is still read: far from the court, documents went on for months. 乾隆 went on in the
palace for four."""

_STEMS: Final = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES: Final = "子丑寅卯辰巳午未申酉戌亥"
CYCLE_YEARS: Final = 60
"""Years of the cycle that stems and branches count."""
_CYCLE: Final = {_STEMS[year % 10] + _BRANCHES[year % 12]: year for year in range(CYCLE_YEARS)}
_CYCLE_START: Final = 4
"""A Gregorian year that is 甲子: the remainder by sixty."""

_SIMPLIFY: Final = str.maketrans(GIVEN, SIMPLIFIED)


def _eras() -> Iterator[tuple[str, Era]]:
    for is_lunar, rows in ((True, _LUNAR), (False, _GREGORIAN)):
        for name, first, years in rows:
            # The general table takes 乾 for 干, so the names go through it as the text does.
            yield simplified(name), Era(name=name, first=first, years=years, is_lunar=is_lunar)


def simplified(text: str) -> str:
    """Return ``text`` with traditional characters replaced one by one, as the names of the table are."""
    return text.translate(_SIMPLIFY)


ERAS: Final = dict(_eras())
"""Every era by its name as `simplified` writes it."""

ERA_NAMES: Final = "|".join(ERAS)
"""The names as alternatives of a regular expression."""

CYCLE_CLASS: Final = f"[{_STEMS}][{_BRANCHES}]"
"""A regular expression for a cyclical year."""


def year_of_era(era: Era, number: int) -> int | None:
    """Return the Gregorian year in which most of the era's year ``number`` falls, or None if it had no such year."""
    return era.first + number - 1 if 1 <= number <= era.years + ERA_YEARS_GRACE else None


def years_of_cycle(era: Era, cycle: str) -> tuple[int, ...]:
    """Return every year of the era that ``cycle`` (丁酉) names: none, one, or two in the sixty-one years of 康熙."""
    position = _CYCLE.get(cycle)
    if position is None:
        return ()
    years = range(era.first, era.first + era.years)
    return tuple(year for year in years if (year - _CYCLE_START) % CYCLE_YEARS == position)
