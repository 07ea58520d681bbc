"""A day, written as people write it in catalogues: every form that DA/T 18 knows and those it does not.

`DATINGS` is ordered and complete, so that going round it plants every form; `FITTING` says in which years a form makes
sense. A cell is what the spreadsheet holds: text, a number (Excel's own count of days among them), or a real date.
"""

import datetime
from collections.abc import Callable, Mapping

from deploy.demo.cells import Cell

_NUMERALS = "〇一二三四五六七八九"
_SEASONS = "春春春夏夏夏秋秋秋冬冬冬"
_DECADES = {5: "五十", 6: "六十", 7: "七十", 8: "八十", 9: "九十"}
_EXCEL_DAY_ZERO = datetime.date(1899, 12, 30)
_ROC_BEFORE_FIRST = 1911
_CENTURY = range(1900, 2100)


def _counted(number: int) -> str:
    """Return 1 to 99 as Chinese counts: 十, 十一, 三十六."""
    tens, ones = divmod(number, 10)
    words = ("" if tens == 1 else _NUMERALS[tens]) + "十" if tens else ""
    return words + (_NUMERALS[ones] if ones else "")


def _spelled(year: int) -> str:
    return "".join(_NUMERALS[int(digit)] for digit in str(year))


def _roc(day: datetime.date) -> str:
    return f"民国{_counted(day.year - _ROC_BEFORE_FIRST)}年"


def _wide(text: str) -> str:
    return text.translate({ord(narrow): ord(narrow) + 0xFEE0 for narrow in "0123456789."})


DATINGS: Mapping[str, Callable[[datetime.date], Cell]] = {
    "compact": lambda day: f"{day:%Y%m%d}",
    "compact_number": lambda day: int(f"{day:%Y%m%d}"),
    "iso": lambda day: f"{day:%Y-%m-%d}",
    "slashes": lambda day: f"{day.year}/{day.month}/{day.day}",
    "dots": lambda day: f"{day.year}.{day.month}.{day.day}",
    "wide_dots": lambda day: _wide(f"{day.year}.{day.month}.{day.day}"),
    "words": lambda day: f"{day.year}年{day.month}月{day.day}日",
    "words_without_end": lambda day: f"{day.year}年{day.month:02}月{day.day:02}",
    "spelled": lambda day: f"{_spelled(day.year)}年{_counted(day.month)}月{_counted(day.day)}日",
    "spaced": lambda day: f" {day.year} 年 {day.month} 月 {day.day} 日 ",
    "year_number": lambda day: day.year,
    "year_words": lambda day: f"{day.year}年",
    "month": lambda day: f"{day:%Y-%m}",
    "month_dots": lambda day: f"{day.year}.{day.month}",
    "day_zero": lambda day: f"{day:%Y%m}00",
    "month_zero": lambda day: f"{day.year}0000",
    "range_compact": lambda day: f"{day.year}0101-{day.year}1231",
    "range_dots": lambda day: f"{day.year}.1-{day.year}.12",
    "season": lambda day: f"{day.year}年{_SEASONS[day.month - 1]}",
    "decade": lambda day: f"{_DECADES[day.year % 100 // 10]}年代",
    "roc": _roc,
    "roc_short": lambda day: _roc(day).replace("三十", "卅").replace("二十", "廿"),
    "excel_serial": lambda day: (day - _EXCEL_DAY_ZERO).days,
    "excel_date": lambda day: day,
    "researched": lambda day: f"[{day:%Y%m%d}]",
    "none": lambda _day: "无日期",
    "impossible": lambda day: f"{day.year}-02-30",
}
"""Name of the form, and the function that writes a day so."""

FITTING: Mapping[str, range] = {
    "decade": range(1950, 2000),
    "roc": range(1912, 1950),
    "roc_short": range(1931, 1950),
    "season": range(1930, 1980),
    "spelled": range(1900, 2020),
    "excel_serial": range(1980, 2030),
    "excel_date": range(1980, 2030),
}
"""Years in which a form is found; any year where the form is not listed."""


def dating(form: str, day: datetime.date) -> Cell:
    """Return `day` in this form, or as eight digits where the form does not fit the year."""
    return DATINGS[form](day) if day.year in FITTING.get(form, _CENTURY) else DATINGS["compact"](day)


def fits(form: str, year: int) -> bool:
    """Tell whether the form is found in that year."""
    return year in FITTING.get(form, _CENTURY)
