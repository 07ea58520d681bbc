"""Spans of days with their EDTF expression (ISO 8601-2, levels 0 and 1): the building blocks of a read date."""

import calendar
import datetime
from typing import Final, NamedTuple

YEAR_MIN: Final = 1000
"""Earliest year read as a Gregorian year; earlier documents carry reign years."""

YEAR_MAX: Final = 2100
"""Latest year read: anything later is a slip of the pen."""

SERIAL_MIN_DAYS: Final = 10_000
"""Smallest number read as a spreadsheet's count of days: 1927-05-18."""

SERIAL_MAX_DAYS: Final = 60_000
"""Largest number read as a spreadsheet's count of days: 2064-04-08."""

_SERIAL_START: Final = datetime.date(1899, 12, 30)
_SEASONS: Final = {
    # EDTF number, first month, last month. Months and solar terms disagree about seasons, so each covers both.
    "春": (21, 2, 5),
    "夏": (22, 5, 8),
    "秋": (23, 8, 11),
    "冬": (24, 11, 2),
}


class Span(NamedTuple):
    """A stretch of days; ``year``, ``month`` and ``day`` say how exactly it was given, ``era`` in which calendar."""

    edtf: str
    earliest: datetime.date | None
    latest: datetime.date | None
    findings: tuple[str, ...] = ()
    year: int | None = None
    month: int | None = None
    day: int | None = None
    era: str = ""


def month_end(year: int, month: int) -> datetime.date:
    """Return the last day of a month."""
    return datetime.date(year, month, calendar.monthrange(year, month)[1])


def is_plausible_year(year: int) -> bool:
    """True for a year that a catalogue may name."""
    return YEAR_MIN <= year <= YEAR_MAX


def years_span(first: int, last: int, edtf: str, findings: tuple[str, ...] = ()) -> Span:
    """Return the span of whole years."""
    return Span(edtf, datetime.date(first, 1, 1), datetime.date(last, 12, 31), findings)


def calendar_span(year: int, month: int = 0, day: int = 0, *, era: str = "") -> Span:
    """Return the span of a year, a month or a day; 0 means not known (20140300).

    A month or day that no calendar has leaves the credible part, with ``date_impossible``.
    """
    impossible = False
    if not 1 <= month <= 12:
        impossible = month != 0 or day != 0
        month = day = 0
    elif day and not 1 <= day <= calendar.monthrange(year, month)[1]:
        impossible, day = True, 0
    findings = ("date_impossible",) if impossible else ()
    if day:
        exact = datetime.date(year, month, day)
        return Span(f"{year}-{month:02}-{day:02}", exact, exact, findings, year, month, day, era)
    if month:
        first, last = datetime.date(year, month, 1), month_end(year, month)
        return Span(f"{year}-{month:02}", first, last, findings, year, month, None, era)
    return years_span(year, year, f"{year}", findings)._replace(year=year, era=era)


def part_of_month(year: int, month: int, part: str) -> Span:
    """Return ten days of a month (上旬, 中旬, 下旬), or the whole month as approximate (初, 中, 底)."""
    whole = calendar_span(year, month)
    if not part.endswith("旬") or not whole.month:
        return whole._replace(edtf=f"{whole.edtf}~")
    first = {"上旬": 1, "中旬": 11, "下旬": 21}[part]
    earliest = datetime.date(year, month, first)
    latest = month_end(year, month) if part == "下旬" else datetime.date(year, month, first + 9)
    return Span(f"{earliest}/{latest}", earliest, latest, whole.findings, year, month)


def season_span(year: int, season: str) -> Span:
    """Return a season; winter ends in the next year."""
    number, first, last = _SEASONS[season]
    end = month_end(year + (last < first), last)
    return Span(f"{year}-{number}", datetime.date(year, first, 1), end, (), year)


def months_span(year: int, first: int, last: int) -> Span:
    """Return several months of one year, such as a quarter."""
    earliest, latest = datetime.date(year, first, 1), month_end(year, last)
    return Span(f"{year}-{first:02}/{year}-{last:02}", earliest, latest, (), year)


def lunar_span(year: int, findings: tuple[str, ...] = (), *, era: str = "") -> Span:
    """Return the widest span of the lunar year that begins in ``year``."""
    return lunar_years_span(year, year, f"{year}~", findings)._replace(year=year, era=era)


def lunar_years_span(first: int, last: int, edtf: str, findings: tuple[str, ...] = ()) -> Span:
    """Return the widest span of whole lunar years: the new year falls between 20 January and 20 February."""
    return Span(edtf, datetime.date(first, 1, 20), datetime.date(last + 1, 2, 20), findings)


def serial_span(days: int) -> Span | None:
    """Return the day that a spreadsheet stores as this number, or None if it is no plausible one."""
    if not SERIAL_MIN_DAYS <= days <= SERIAL_MAX_DAYS:
        return None
    day = _SERIAL_START + datetime.timedelta(days=days)
    return Span(day.isoformat(), day, day, (), day.year, day.month, day.day)


def joined(first: Span, last: Span) -> Span:
    """Return the range from one span to another; reversed ends are swapped and reported."""
    findings = first.findings + tuple(code for code in last.findings if code not in first.findings)
    if first.earliest and last.latest and last.latest < first.earliest:
        first, last = last, first
        findings = (*findings, "date_range_reversed")
    # An end that is a range itself (a decade, ten days) gives its outer end.
    edtf = f"{first.edtf.split('/')[0]}/{last.edtf.split('/')[-1]}"
    return Span(edtf, first.earliest, last.latest, findings, first.year)
