"""Dates of catalogue entries: what is given, and the interval [earliest, latest] of days that it means.

A date in a catalogue may be partial, estimated, a range, a reign year or impossible. It is never forced to a day: a
missing month stays missing, and rules that need one day take the bound that suits them (the opening review takes the
latest). The interval is also written in EDTF (ISO 8601-2, levels 0 and 1): 1986-12, 195X, 1958-21, 1945-08-15?.
"""

import datetime
import functools
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from protocol.calendar_spans import Span, calendar_span, is_plausible_year, joined
from protocol.date_forms import compact_date, single_date
from protocol.variants import GIVEN, SIMPLIFIED

DATE_CACHE_ENTRIES: Final = 16_384
"""Entries kept of texts already read: the working days of sixty years, a few megabytes."""

DATE_CHARS_MAX: Final = 64
"""Characters of a date that is read at all: two full dates in words."""

FILING_YEAR_SLACK_YEARS: Final = 1
"""Years by which a date may miss its filing year: what is finished in January is filed with the year it is about."""


class DateSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A date as given and as understood; an undated or unreadable one has no interval and an empty ``edtf``."""

    raw: str
    edtf: str = ""
    earliest: datetime.date | None = None
    latest: datetime.date | None = None
    findings: tuple[str, ...] = ()
    """Finding codes of the registry: everything here is a warning."""


_DAY: Final = re.compile(
    r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})"
    r"(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_DIGITS: Final = re.compile(r"([0-9]{4}|[0-9]{8})")
_IN_WORDS: Final = re.compile(r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日")
_UNDATED: Final = frozenset(
    (
        *(
            "无",
            "无日期",
            "无年月",
            "无时间",
            "不详",
            "日期不详",
            "时间不详",
            "年代不详",
            "年月不详",
            "未知",
            "未注明",
            "待考",
            "佚",
        ),
        *("-", "--", "—", "——", "/", "n.d.", "nd", "s.d.", "undated", "unknown", "no date"),
    )
)
_FOLDS: Final = {
    **dict(zip(map(ord, GIVEN), SIMPLIFIED, strict=True)),
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys(map(ord, "‐‑‒–—―−－─━"), "-"),
    **dict.fromkeys(map(ord, "。．·・"), "."),
    **dict.fromkeys(map(ord, "〜～∼"), "~"),
    **dict.fromkeys(map(ord, "〔［【"), "["),
    **dict.fromkeys(map(ord, "〕］】"), "]"),
    **dict.fromkeys(map(ord, "OoＯｏ○"), "〇"),
    **dict.fromkeys(map(ord, " \t\r\n\u3000\u00a0\u200b\ufeff'’‘`")),
}
_LABEL: Final = re.compile("(?:成文|发文|形成|发布|印发|登记|签发|生成|文件|起止)?(?:日期|时间):")
_ESTIMATE: Final = re.compile(
    r"(?P<before>约|大约|大概|c(?:a|irc.)?\.?)?(?P<date>.+?)(?P<after>左右|前后|许)?(?P<doubt>\?)?"
)
_BRACKETED: Final = re.compile(r"\[([^\[\]]+)\]|\(([^()]+)\)")
_TO: Final = re.compile("至|到|~")
_SHORT_YEARS: Final = re.compile("([0-9]{2})([0-9]{2})-([0-9]{2})年?")
_OPEN_END: Final = frozenset(("今", "现在", "目前"))


def parse_date(raw: str | float) -> DateSpan:
    """Read a date in any form; never raises.

    Accepts what a spreadsheet reader hands over: text, ISO datetimes, and day numbers (41703 or "41703.0").
    """
    return _read(raw if isinstance(raw, str) else str(raw))


def contradicts_year(span: DateSpan, filing_year: int) -> bool:
    """True if a date lies too far from the filing year in the reference code (``date_contradicts_year``)."""
    if span.earliest is None or span.latest is None:
        return False
    slack = FILING_YEAR_SLACK_YEARS
    return not span.earliest.year - slack <= filing_year <= span.latest.year + slack


@functools.lru_cache(maxsize=DATE_CACHE_ENTRIES)
def _read(raw: str) -> DateSpan:
    text = raw.strip()
    if match := _DAY.fullmatch(text):
        span = _day(match[1], match[3], match[4])
    elif match := _IN_WORDS.fullmatch(text):
        span = _day(match[1], match[2], match[3])
    elif _DIGITS.fullmatch(text):
        span = compact_date(text)
    elif not text:
        return DateSpan(raw=raw, findings=("date_missing",))
    elif text.lower() in _UNDATED:
        return DateSpan(raw=raw)
    else:
        span = _estimated(text.translate(_FOLDS).strip(",;.、")) if len(text) <= DATE_CHARS_MAX else None
    if span is None:
        return DateSpan(raw=raw, findings=("date_unreadable",))
    return DateSpan(raw=raw, edtf=span.edtf, earliest=span.earliest, latest=span.latest, findings=span.findings)


def _day(year: str, month: str, day: str) -> Span | None:
    return calendar_span(int(year), int(month), int(day)) if is_plausible_year(int(year)) else None


def _estimated(text: str) -> Span | None:
    """Read a date that may be marked as researched (in brackets), doubted or approximate."""
    if label := _LABEL.match(text):
        text = text[label.end() :]
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed:
        text = bracketed[1] or bracketed[2]
        if text in _UNDATED:
            return Span("", None, None)
    match = _ESTIMATE.fullmatch(text)
    if match is None:
        return None
    date = match["date"]
    span = _short_years(date) or single_date(date) or _range(date)
    if span is None or not span.edtf:
        return span
    is_doubted = bool(bracketed or match["doubt"])
    is_approximate = bool(match["before"] or match["after"])
    mark = "%" if is_doubted and is_approximate else "?" if is_doubted else "~" if is_approximate else ""
    return span._replace(edtf="/".join(_marked(end, mark) for end in span.edtf.split("/")))


def _marked(edtf: str, mark: str) -> str:
    return edtf if not mark or edtf == ".." else edtf.rstrip("?~%") + mark


def _short_years(text: str) -> Span | None:
    """Read 1986-87, which is no month."""
    match = _SHORT_YEARS.fullmatch(text)
    if match is None or int(match[3]) <= max(12, int(match[2])) or not is_plausible_year(int(match[1] + match[2])):
        return None
    return joined(calendar_span(int(match[1] + match[2])), calendar_span(int(match[1] + match[3])))


def _range(text: str) -> Span | None:
    for before, after in _splits(text):
        first = single_date(before)
        if first is None or first.earliest is None:
            continue
        if after in _OPEN_END:
            return first._replace(edtf=f"{first.edtf}/..", latest=None)
        last = _completed(first, after)
        if last is not None:
            return joined(first, last)
    return None


def _splits(text: str) -> Iterator[tuple[str, str]]:
    """Every way to cut a range in two, the clear separators first: a hyphen also stands inside dates."""
    for match in _TO.finditer(text):
        yield text[: match.start()].rstrip("-"), text[match.end() :].lstrip("-")
    for separator in ("--", "-", "/"):
        at = text.find(separator)
        while at > 0:
            yield text[:at], text[at + len(separator) :]
            at = text.find(separator, at + 1)


def _completed(first: Span, after: str) -> Span | None:
    """Read the end of a range, which leaves out what it shares with the beginning (2014年3月5日至8日)."""
    attempts = []
    if first.day:
        attempts.append(f"{first.year}年{first.month}月{after}")
    if first.month:
        attempts.append(f"{first.year}年{after}")
    if first.day and len(after) == 4:
        attempts.append(f"{first.year}{after}")
    if first.era:
        attempts.append(f"{first.era}{after}")
    for attempt in (*attempts, after):
        span = single_date(attempt)
        if span is not None and span.earliest is not None and "date_impossible" not in span.findings:
            return span
    return None
