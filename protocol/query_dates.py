"""The dates that a query may name: a word that is a date, a period behind 日期:, and how both meet a record's dates.

A word that looks like a year means "dated in it, or written so", because a clerk who types 1986 may mean either. What
stands behind 日期: or a sign such as > is about dates only.
"""

import datetime
import re
from typing import Final

import msgspec

from protocol.calendar_spans import YEAR_MAX, YEAR_MIN
from protocol.chinese_numerals import read_number
from protocol.dates import DATE_CHARS_MAX, parse_date
from protocol.eras import CYCLE_CLASS, ERA_NAMES, simplified
from protocol.named_periods import named_period
from protocol.wording import Text

YEARS_OF_A_WORD_MAX: Final = 30
"""Years up to which a word without a hyphen is read as a date: decades and reigns' years, but no century."""

SHORT_YEAR_PIVOT: Final = 30
"""Years of two digits below it are of this century; who asks an archive for 30年 means 1930."""


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of days; without a first or a last day it is open on that side."""

    first: datetime.date | None = None
    last: datetime.date | None = None

    @property
    def is_whole_years(self) -> bool:
        """True if it begins with a year and ends with one."""
        return (self.first is None or (self.first.month, self.first.day) == (1, 1)) and (
            self.last is None or (self.last.month, self.last.day) == (12, 31)
        )

    @property
    def years(self) -> tuple[int, int]:
        """The first and the last year that it touches."""
        return self.first.year if self.first else YEAR_MIN, self.last.year if self.last else YEAR_MAX

    def touches(self, earliest: datetime.date | None, latest: datetime.date | None) -> bool:
        """Tell whether a record of these dates is of the period; an undated one is of none."""
        earliest, latest = earliest or latest, latest or earliest
        if earliest is None or latest is None:
            return False
        return (self.last is None or earliest <= self.last) and (self.first is None or latest >= self.first)


class BadDate(msgspec.Struct, frozen=True, kw_only=True):
    """Why a text is no period."""

    reason: Text
    hint: Text


FORMS: Final = Text(
    zh="可写：1986、1986年3月、1986-03-05、1980-1989、五十年代、民国三十六年、光绪二十三年、>1986。",
    en="Write 1986, 1986-03, 1986-03-05, 1980-1989, 民国三十六年 or >1986.",
)

_NUMBER: Final = "[0-9０-９〇○零一二三四五六七八九十廿卅元]"
_FULL_YEAR: Final = "(?:[0-9０-９]{4}|[一二三四五六七八九〇○零]{4})"
_TO: Final = "[~〜～至到—–－-]"
"""Between the ends of a range; what stands behind it is read as a date, or the word is none."""
_DATE_LIKE: Final = re.compile(
    rf"{_FULL_YEAR}(?:[年./-].*|[0-9０-９]{{4}}|[~〜～至到.—–－-].*)?"
    rf"|(?:大?清|大?明|中华)?(?:{ERA_NAMES})(?:{_NUMBER}{{1,3}}年?(?:{_NUMBER}{{1,2}}月.*)?|{CYCLE_CLASS}年?)(?:{_TO}.*)?"
    rf"|(?:上世纪|{_NUMBER}{{1,3}}世纪)?{_NUMBER}{{2,4}}年代(?:初期?|早期|前期|中期?|中叶|后期|末期?|晚期)?(?:{_TO}.*)?"
)
_SHORT_YEAR: Final = "(?:[0-9]{2}|[一二三四五六七八九〇零○]{2})"
_SHORT: Final = re.compile(f"(?:^|(?<={_TO}))({_SHORT_YEAR})(?=年(?!代))")
_SHORT_RANGE: Final = re.compile(f"([3-9][0-9]){_TO}([3-9][0-9])年?")
_ERA_RANGE: Final = re.compile(f"((?:大?清|中华)?(?:{ERA_NAMES}))([0-9]{{1,2}}){_TO}([0-9]{{1,2}})年?")
_HALF_WIDTH: Final = str.maketrans("０１２３４５６７８９", "0123456789")
_BEFORE_CHRIST_IS_NO_YEAR: Final = re.compile(r"公[元历](?!前)(?=.*年)")
_REPUBLIC: Final = re.compile(f"民(?={_NUMBER}{{1,3}}年)")
_SPACED: Final = re.compile(
    rf"(?:(?:大?清|中华)?(?:{ERA_NAMES}|公元)?\s*{_NUMBER}{{1,4}})\s*年(?:\s*{_NUMBER}{{1,2}}\s*月(?:\s*{_NUMBER}{{1,3}}\s*[日号])?)?(?=\s|$)"
)
_GLUED_BEFORE: Final = re.compile(
    rf"(?P<date>(?:{_FULL_YEAR}|{_SHORT_YEAR}|(?:大?清|中华)?(?:{ERA_NAMES}){_NUMBER}{{1,3}})"
    rf"年(?:{_NUMBER}{{1,2}}月(?:{_NUMBER}{{1,3}}[日号])?)?)度?(?P<rest>[\u3400-\u9fff].+)"
)
_GLUED_BEHIND: Final = re.compile(
    rf"(?P<rest>.*?[^{_NUMBER[1:-1]}年月日第])(?P<date>{_FULL_YEAR}年(?:{_NUMBER}{{1,2}}月(?:{_NUMBER}{{1,3}}[日号])?)?)"
)
_IN_WORDS: Final = re.compile(rf"{_FULL_YEAR}年{_NUMBER}{{1,3}}月.{{0,4}}")
_COMPARED: Final = re.compile(r"(?P<sign>[<>＜＞]=?|[<>＜＞]＝|[≤≥≦≧])(?P<date>.+)")
_SIDED: Final = re.compile("(?P<date>.+?)(?:年)?(?P<side>以前|之前|以后|之后|以来)")
_RANGE_SIGNS: Final = re.compile(r"\.{2,3}|…+")
_GUESSED: Final = frozenset(("date_two_digit_year", "date_order_unclear", "date_cycle_ambiguous"))


def period_of(text: str) -> Period | BadDate:
    """Read what stands behind 日期: or a sign of comparison."""
    plain = _written_out(text.strip())
    if (days := named_period(simplified(plain))) is not None:
        return Period(first=days.first, last=days.last)
    if compared := _COMPARED.fullmatch(plain):
        return _compared(compared["sign"], period_of(compared["date"]))
    if sided := _SIDED.fullmatch(plain):
        sign = "<" if sided["side"] in {"以前", "之前"} else ">=" if sided["side"] == "以来" else ">"
        return _compared(sign, period_of(sided["date"]))
    span = parse_date(_RANGE_SIGNS.sub("~", plain))
    if "date_impossible" in span.findings:
        return BadDate(reason=Text(zh=f"没有“{plain}”这个日期", en=f"there is no such date: {plain}"), hint=FORMS)
    if span.earliest is None and span.latest is None:
        return BadDate(reason=Text(zh=f"看不懂日期“{plain}”", en=f"this is no date: {plain}"), hint=FORMS)
    if not _GUESSED.isdisjoint(span.findings):
        return BadDate(
            reason=Text(zh=f"日期“{plain}”可以有几种读法", en=f"the date {plain} can be read in more than one way"),
            hint=Text(zh="年份请写四位数字，如 1986-03-05。", en="Write the year with four digits: 1986-03-05."),
        )
    return Period(first=span.earliest, last=span.latest)


def _compared(sign: str, period: Period | BadDate) -> Period | BadDate:
    if isinstance(period, BadDate):
        return period
    is_before, is_inclusive = sign[0] in "<＜≤≦", len(sign) > 1 or sign in "≤≥≦≧"
    day = datetime.timedelta(days=1)
    if is_before:
        edge = period.last if is_inclusive else period.first and period.first - day
        return Period(last=edge)
    edge = period.first if is_inclusive else period.last and period.last + day
    return Period(first=edge)


def is_compared(text: str) -> bool:
    """Tell whether a word begins with a sign of comparison and a digit or an era follows."""
    compared = _COMPARED.fullmatch(text)
    return compared is not None and _DATE_LIKE.match(simplified(compared["date"])) is not None


def dated_word(text: str) -> Period | BadDate | None:
    """Read a word of a query as a date; None for a word that is none, BadDate for a date that cannot be.

    Only what nobody can take for anything else is a date: four-digit years, numbered years of a reign, decades. Neither
    the name of a reign alone (同治 is a street, 永乐 a village) nor a number of five or six digits is.
    """
    if len(text) > DATE_CHARS_MAX:
        return None
    if (days := named_period(simplified(text))) is not None:
        return Period(first=days.first, last=days.last)
    text = _written_out(text)
    sided = _SIDED.fullmatch(text)
    if _DATE_LIKE.fullmatch(simplified(sided["date"] if sided else text)) is None:
        return None
    found = period_of(text)
    if isinstance(found, BadDate):
        # A code may look like a date with separators that cannot be; the words 年 and 月 leave no doubt.
        return found if _IN_WORDS.fullmatch(text) and "date_impossible" in parse_date(text).findings else None
    first, last = found.years
    is_wide = last - first >= YEARS_OF_A_WORD_MAX
    return None if is_wide and not sided and not re.match(_FULL_YEAR, text) else found


def _written_out(text: str) -> str:
    """Return a date with the years in full that people shorten: 86年, 86-90, 民三十六年, 公元1986年."""
    text = _REPUBLIC.sub("民国", _BEFORE_CHRIST_IS_NO_YEAR.sub("", text.translate(_HALF_WIDTH)))
    if (match := _SHORT_RANGE.fullmatch(text)) and match[1] < match[2]:
        return f"19{match[1]}-19{match[2]}"
    if match := _ERA_RANGE.fullmatch(simplified(text)):
        return f"{match[1]}{match[2]}年至{match[1]}{match[3]}年"
    return _SHORT.sub(_in_full, text)


def _in_full(match: re.Match[str]) -> str:
    year = match[1]
    is_recent = (read_number(year) or 0) < SHORT_YEAR_PIVOT
    if year.isascii():
        return f"{'20' if is_recent else '19'}{year}"
    return f"{'二〇' if is_recent else '一九'}{year}"


def spaced_date_at(text: str, at: int, end: int) -> int:
    """Return where a date ends that has blanks between its parts (1986 年 5 月), ``at`` if none begins here."""
    match = _SPACED.match(text, at, end)
    return match.end() if match and any(sign.isspace() for sign in match[0]) else at


def glued_date(text: str) -> tuple[str, str] | None:
    """Return the date and the rest of a word that are written together (1986年林权, 林权1986年); None if none are."""
    if len(text) > DATE_CHARS_MAX:
        return None
    match = _GLUED_BEFORE.fullmatch(text) or _GLUED_BEHIND.fullmatch(text)
    return (match["date"], match["rest"]) if match else None
