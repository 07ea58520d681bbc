"""Office time: how many seconds of a site's office hours lie between two moments, by the hub's clock and calendar.

A silence is measured in this time, so that nights, weekends and holidays raise no alarm. The hours are the site's own
promise (``protocol.rhythms``), in its own time zone; the moments are the hub's, because the clocks of village PCs are
wrong by days.
"""

import datetime
import zoneinfo
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from protocol.rhythms import DAYS_A_WEEK, TIME_ZONE, Rhythm

DAYS_COUNTED_MAX = 400
"""Days that are walked through at most: whoever was silent for longer has been silent long enough."""

ZONES_KEPT_MAX = 256
"""Time zones kept ready: names come from nodes."""

_UTC_PLUS_8 = datetime.timezone(datetime.timedelta(hours=8))
_DAY = datetime.timedelta(days=1)


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a day other than its weekday: public holidays, and weekends that are worked for them (调休)."""

    holidays: frozenset[datetime.date] = frozenset()
    workdays: frozenset[datetime.date] = frozenset()


@lru_cache(maxsize=ZONES_KEPT_MAX)
def zone_of(name: str) -> datetime.tzinfo:
    """Return a time zone; one that this machine does not know counts as China's."""
    for wanted in (name, TIME_ZONE):
        try:
            return zoneinfo.ZoneInfo(wanted)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            continue
    # A machine without any time zones; China has had one offset and no summer time since 1991.
    return _UTC_PLUS_8


def open_s(rhythm: Rhythm, calendar: Calendar, from_ms: int, to_ms: int, enough_s: float = float("inf")) -> float:
    """Return the seconds of office time between two moments; counting stops once there are ``enough_s``."""
    zone = zone_of(rhythm.time_zone)
    first = max(_local(from_ms, zone), _local(to_ms, zone) - DAYS_COUNTED_MAX * _DAY).date()
    last = _local(to_ms, zone).date()
    counted_ms = 0
    while first <= last and counted_ms < enough_s * 1000:
        for opens_ms, closes_ms in _spans(rhythm, calendar, zone, first):
            counted_ms += max(0, min(closes_ms, to_ms) - max(opens_ms, from_ms))
        first += _DAY
    return counted_ms / 1000


def is_open(rhythm: Rhythm, calendar: Calendar, at_ms: int) -> bool:
    """Tell whether a moment lies in the site's office hours."""
    zone = zone_of(rhythm.time_zone)
    day = _local(at_ms, zone).date()
    return any(opens_ms <= at_ms < closes_ms for opens_ms, closes_ms in _spans(rhythm, calendar, zone, day))


def _local(at_ms: int, zone: datetime.tzinfo) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at_ms / 1000, zone)


def _spans(rhythm: Rhythm, calendar: Calendar, zone: datetime.tzinfo, day: datetime.date) -> Iterator[tuple[int, int]]:
    """Return the spans of one day, one after the other: spans that overlap are counted once."""
    if not rhythm.hours:
        yield _moment_ms(day, 0, zone), _moment_ms(day + _DAY, 0, zone)
        return
    if day in calendar.holidays:
        return
    weekday = day.isoweekday()
    if day in calendar.workdays:
        # A weekend day that is worked has the hours of the first day on which the site works at all.
        weekday = min((one for hours in rhythm.hours for one in hours.days), default=weekday)
    until = 0
    for hours in sorted(rhythm.hours, key=lambda one: one.opens):
        if weekday in hours.days and 1 <= weekday <= DAYS_A_WEEK and hours.closes > until:
            yield _moment_ms(day, max(hours.opens, until), zone), _moment_ms(day, hours.closes, zone)
            until = hours.closes


def _moment_ms(day: datetime.date, minutes: int, zone: datetime.tzinfo) -> int:
    whole_days, rest = divmod(minutes, 24 * 60)
    clock = datetime.time(rest // 60, rest % 60)
    return int(datetime.datetime.combine(day + whole_days * _DAY, clock, zone).timestamp() * 1000)
