"""Working days 工作日 in China: weekends, official holidays, and weekends that are worked for them 调休.

The State Council publishes each year's holidays in the November before; ``chinesecalendar`` has them from 2004 to the
last year published when it was released. A library that computes a later year from the lunar calendar cannot know which
weekends will be worked, so beyond that year only weekends count, and whoever reckons says so (``warning_of``). The
county's own days, from ``[alarms] holidays`` and ``workdays``, go before both and make their year a known one.
"""

import datetime
from typing import Final

import chinese_calendar
import msgspec

from hub.alarm.office_hours import Calendar
from protocol.wording import Text

TERM_DAYS_MAX: Final = 400
"""Working days of a term at most, extensions included: more than a year and a half."""

UNPUBLISHED: Final = "calendar_unpublished"
"""Name of the warning that a term reaches into a year whose holidays are not known here."""

_DAY: Final = datetime.timedelta(days=1)
_SATURDAY: Final = 6


class WorkCalendar(msgspec.Struct, frozen=True, kw_only=True):
    """Which days are worked."""

    holidays: frozenset[datetime.date] = frozenset()
    """Days off that are no weekend, or are part of a holiday."""
    workdays: frozenset[datetime.date] = frozenset()
    """Weekend days that are worked."""
    years: frozenset[int] = frozenset()
    """Years whose holidays are known; in others only weekends count."""

    def is_worked(self, day: datetime.date) -> bool:
        """Tell whether a day is a working day."""
        return day in self.workdays or (day.isoweekday() < _SATURDAY and day not in self.holidays)


class Warned(msgspec.Struct, frozen=True, kw_only=True):
    """Something that makes a reckoning uncertain."""

    name: str
    words: Text
    ask: Text
    """Whom a clerk asks."""
    remedy: Text
    """What the administrator does."""


def official(county: Calendar) -> WorkCalendar:
    """Return the calendar of the State Council's notices with the county's own days before them."""
    days_off = frozenset(chinese_calendar.holidays)
    worked = frozenset(day for day in chinese_calendar.workdays if day.isoweekday() >= _SATURDAY)
    return WorkCalendar(
        holidays=(days_off - county.workdays) | county.holidays,
        workdays=(worked - county.holidays) | county.workdays,
        years=frozenset(day.year for day in days_off) | {day.year for day in county.holidays},
    )


def after(calendar: WorkCalendar, day: datetime.date, count: int) -> datetime.date:
    """Return the ``count``-th working day after a day: the day on which a term begins does not count."""
    left = min(count, TERM_DAYS_MAX)
    while left > 0:
        day += _DAY
        left -= calendar.is_worked(day)
    return day


def between(calendar: WorkCalendar, behind: datetime.date, until: datetime.date) -> int:
    """Return how many working days come after ``behind`` up to ``until``, counted to ``TERM_DAYS_MAX``; 0 if none."""
    count, day = 0, behind
    while day < until and count < TERM_DAYS_MAX:
        day += _DAY
        count += calendar.is_worked(day)
    return count


def warning_of(calendar: WorkCalendar, first: datetime.date, last: datetime.date) -> Warned | None:
    """Return what is uncertain in a reckoning from one day to another; None if its years are all known."""
    unknown = [year for year in range(first.year, last.year + 1) if year not in calendar.years]
    if not unknown:
        return None
    named = "、".join(str(year) for year in unknown)
    return Warned(
        name=UNPUBLISHED,
        words=Text(
            zh=f"{named} 年的放假调休安排尚未录入，这些年份只按周末计算，到期日可能有出入。",
            en=f"the holidays and make-up days of {', '.join(str(year) for year in unknown)} are not known here: only"
            " weekends count there, and the day may be off.",
        ),
        ask=Text(
            zh="国务院办公厅公布后，请告知系统管理员录入。",
            en="Once they are published, have the administrator enter them.",
        ),
        remedy=Text(
            zh="公布后请升级，或写入 hub.toml 的 [alarms] holidays 与 workdays。",
            en="Once they are published, upgrade, or put them into [alarms] holidays and workdays of hub.toml.",
        ),
    )
