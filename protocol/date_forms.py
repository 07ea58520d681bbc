"""The forms in which one date is written, each read into a `Span`: compact digits, separators, Chinese words, reigns.

Everything here takes folded text (half width, simplified characters, no blanks) and returns None where its form does
not fit. Calendars: Gregorian unless a reign or a word such as 农历 says otherwise; lunar days are not converted.
"""

import re
from typing import Final

from protocol.calendar_spans import (
    Span,
    calendar_span,
    is_plausible_year,
    lunar_span,
    lunar_years_span,
    months_span,
    part_of_month,
    season_span,
    serial_span,
    years_span,
)
from protocol.chinese_numerals import NUMERALS, read_number
from protocol.eras import CYCLE_CLASS, ERA_NAMES, ERAS, Era, year_of_era, years_of_cycle

TWO_DIGIT_YEAR_PIVOT: Final = 30
"""Two-digit years up to this one are read as 20xx, later ones as 19xx."""

DECADE_CENTURY: Final = 1900
"""Century of a decade written without one (五十年代)."""

_NUMBER: Final = f"[{NUMERALS}]"
_LUNAR: Final = "农历|阴历|夏历|旧历"
_DYNASTY: Final = "(?:大?清朝?|大?明朝?|中华|伪满?洲?国?)?"
_COMPACT: Final = re.compile(r"([0-9]{4,8})(?:\.0+)?")
_YEAR: Final = re.compile(
    rf"(?:公元|西元|公历|阳历)?(?P<lunar>{_LUNAR})?{_DYNASTY}(?P<era>{ERA_NAMES})?"
    rf"(?:(?P<year>{_NUMBER}{{1,5}})|(?P<cycle>{CYCLE_CLASS}))(?:年度?|(?=[-./春夏秋冬])|$)(?P<rest>.*)"
)
_REST: Final = re.compile(
    rf"(?P<lunar>{_LUNAR})?[-./]?(?P<leap>闰)?(?P<month>{_NUMBER}{{1,2}}|[正冬腊])"
    rf"(?:月份?(?:(?P<part>[上中下]旬|[初中底末])|(?P<early>初)?(?P<day>{_NUMBER}{{1,3}})[日号]?)?"
    rf"|[-./](?P<plain_day>{_NUMBER}{{1,2}})[日号]?)?"
)
_YEAR_PART: Final = re.compile(
    rf"(?P<season>[春夏秋冬])[季天]?|第?(?P<quarter>{_NUMBER})季度?|(?P<half>[上下])半年|年?[初中底末]"
)
_LUNAR_MONTHS: Final = {"正": 1, "冬": 11, "腊": 12}
_DECADE: Final = re.compile(
    rf"(?:(?P<century>{_NUMBER}{{1,3}})世纪|(?P<last>上世纪))?(?P<decade>{_NUMBER}{{2,4}})年代"
    "(?P<part>初期?|早期|前期|中期?|中叶|后期|末期?|晚期)?"
)
_CENTURY: Final = re.compile(rf"({_NUMBER}{{1,3}})世纪")
_REIGN: Final = re.compile(rf"{_DYNASTY}({ERA_NAMES})(?:年间|时期|朝|间)?")
_DYNASTIES: Final = {"清代": (1644, 1911), "清朝": (1644, 1911), "明代": (1368, 1644), "明朝": (1368, 1644)}
_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})([-./])([0-9]{1,2})\2([0-9]{4})")


def single_date(text: str) -> Span | None:
    """Read one date in any form, or return None."""
    if match := _COMPACT.fullmatch(text):
        return compact_date(match[1])
    if match := _YEAR.fullmatch(text):
        span = _year_and_rest(match)
        if span is not None:
            return span
    if match := _DAY_FIRST.fullmatch(text):
        return _day_or_month_first(int(match[1]), int(match[3]), int(match[4]))
    return _decade(text) or _century(text) or _reign(text)


def compact_date(digits: str) -> Span | None:
    """Read 8, 6, 5 or 4 digits: a day, a month, a spreadsheet's day number, a year; 00 means not known."""
    year = int(digits[:4])
    if len(digits) == 8 and is_plausible_year(year):
        return calendar_span(year, int(digits[4:6]), int(digits[6:]))
    if len(digits) == 6 and is_plausible_year(year) and int(digits[4:]) <= 12:
        return calendar_span(year, int(digits[4:]))
    if len(digits) == 6:
        return _two_digit_year(int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    if len(digits) == 5:
        return serial_span(int(digits))
    if len(digits) == 4 and is_plausible_year(year):
        return calendar_span(year)
    return None


def _two_digit_year(short: int, month: int, day: int) -> Span | None:
    span = calendar_span(short + (2000 if short <= TWO_DIGIT_YEAR_PIVOT else 1900), month, day)
    return span._replace(edtf=f"{span.edtf}?", findings=("date_two_digit_year", *span.findings))


def _year_and_rest(match: re.Match[str]) -> Span | None:
    era = ERAS.get(match["era"] or "")
    number = read_number(match["year"] or "")
    rest, is_lunar = match["rest"], bool(match["lunar"])
    if match["cycle"]:
        return _cycle(era, match["cycle"], rest)
    if number is None:
        return None
    if era is not None:
        year = year_of_era(era, number)
        return None if year is None else _within(year, rest, era=match["era"], is_lunar=era.is_lunar or is_lunar)
    if is_plausible_year(number):
        return _within(number, rest, era="", is_lunar=is_lunar)
    if number > 99 or len(match["year"]) != 2 or not rest:
        return None
    # 86年, 86.3.5: the century has to be guessed; 86 alone could be anything.
    guessed = _within(number + (2000 if number <= TWO_DIGIT_YEAR_PIVOT else 1900), rest, era="", is_lunar=is_lunar)
    return guessed and guessed._replace(edtf=f"{guessed.edtf}?", findings=("date_two_digit_year", *guessed.findings))


def _within(year: int, rest: str, *, era: str, is_lunar: bool) -> Span | None:
    """Read what follows a year: nothing, a part of the year, a month with or without its day."""
    if not rest:
        return lunar_span(year, era=era) if is_lunar else calendar_span(year, era=era)
    if not is_lunar and (match := _YEAR_PART.fullmatch(rest)):
        return _part_of_year(year, match)
    match = _REST.fullmatch(rest)
    if match is None or len(set(re.findall(r"[-./]", rest))) > 1:
        return None
    if is_lunar or match["lunar"] or match["leap"] or match["early"] or match["month"] in _LUNAR_MONTHS:
        return lunar_span(year, ("date_lunar_calendar",), era=era)
    month = read_number(match["month"])
    given_day = match["day"] or match["plain_day"]
    day = read_number(given_day) if given_day else 0
    if month is None or day is None:
        return None
    if match["part"]:
        return part_of_month(year, month, match["part"])
    return calendar_span(year, month, day, era=era)


def _part_of_year(year: int, match: re.Match[str]) -> Span | None:
    if match["season"]:
        return season_span(year, match["season"])
    if match["quarter"]:
        quarter = read_number(match["quarter"])
        return months_span(year, 3 * quarter - 2, 3 * quarter) if quarter in {1, 2, 3, 4} else None
    if match["half"]:
        return months_span(year, *((1, 6) if match["half"] == "上" else (7, 12)))
    return calendar_span(year)._replace(edtf=f"{year}~")


def _cycle(era: Era | None, cycle: str, rest: str) -> Span | None:
    if era is None:
        return Span("", None, None, ("date_cycle_ambiguous",))
    years = years_of_cycle(era, cycle)
    if len(years) == 1:
        return lunar_span(years[0], ("date_lunar_calendar",) if rest else (), era=era.name)
    first, last = (years[0], years[-1]) if years else (era.first, era.first + era.years - 1)
    return lunar_years_span(first, last, f"{first}/{last}", ("date_cycle_ambiguous",))


def _day_or_month_first(first: int, second: int, year: int) -> Span | None:
    if not is_plausible_year(year):
        return None
    if first > 12 >= second:
        return calendar_span(year, second, first)
    if second > 12 >= first:
        return calendar_span(year, first, second)
    return calendar_span(year)._replace(findings=("date_order_unclear",))


def _decade(text: str) -> Span | None:
    match = _DECADE.fullmatch(text)
    decade = read_number(match["decade"]) if match else None
    if match is None or decade is None or decade % 10:
        return None
    if decade < 100:
        century = read_number(match["century"]) if match["century"] else None
        decade += DECADE_CENTURY if century is None else (century - 1) * 100
    if not is_plausible_year(decade):
        return None
    return years_span(decade, decade + 9, f"{decade // 10}X" + ("~" if match["part"] else ""))


def _century(text: str) -> Span | None:
    match = _CENTURY.fullmatch(text)
    century = read_number(match[1]) if match else None
    if century is None or not is_plausible_year((century - 1) * 100):
        return None
    first = (century - 1) * 100
    return years_span(first, first + 99, f"{century - 1}XX")


def _reign(text: str) -> Span | None:
    if match := _REIGN.fullmatch(text):
        era = ERAS[match[1]]
        span = lunar_years_span if era.is_lunar else years_span
        return span(era.first, last := era.first + era.years - 1, f"{era.first}/{last}")
    if text in _DYNASTIES:
        first, last = _DYNASTIES[text]
        return years_span(first, last, f"{first}/{last}")
    return None
