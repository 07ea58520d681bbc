"""When a site promises to be heard: its office hours and how often it beats while its computer runs.

A rhythm travels in every sign of life, so that the hub can tell a night from a silence. It says nothing about the
present moment: clocks of village PCs are wrong by days, and whoever judges uses a clock of his own.
"""

import re

import msgspec

from protocol.errors import BadValue
from protocol.limits import HEARTBEAT_S, OFFICE_HOURS_MAX
from protocol.wording import Text

TIME_ZONE = "Asia/Shanghai"
"""The time zone of a site that names none."""

MINUTES_A_DAY = 24 * 60
"""Minutes of a whole day."""

DAYS_A_WEEK = 7
"""Days of a week; the first is Monday."""

_SPAN = re.compile(r"([1-7])(?:-([1-7]))?\s+([0-2]\d):([0-5]\d)-([0-2]\d):([0-5]\d)")
_EXAMPLE = Text(
    zh="例如 1-5 08:30-17:30：周一至周五，八点半到十七点半。", en="For example 1-5 08:30-17:30: Monday to Friday."
)


class OfficeHours(msgspec.Struct, frozen=True, kw_only=True):
    """One span of hours on some days of the week, in the site's local time."""

    days: tuple[int, ...]
    """1 is Monday, 7 is Sunday."""
    opens: int
    """Minutes since midnight."""
    closes: int
    """Minutes since midnight, later than ``opens``; 1440 is midnight."""


class Rhythm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a site can be expected to be heard."""

    hours: tuple[OfficeHours, ...] = ()
    """Empty: round the clock."""
    time_zone: str = TIME_ZONE
    heartbeat_s: float = HEARTBEAT_S
    """Seconds between two signs of life while the node runs."""


def parse_hours(written: str) -> OfficeHours:
    """Read office hours as people write them: ``1-5 08:30-17:30``.

    Raises:
        BadValue: the text is not of that form, or closes before it opens.

    """
    found = _SPAN.fullmatch(written.strip())
    if found is None:
        raise BadValue(Text(zh=f"不是办公时间：{written!r}", en=f"not office hours: {written!r}"), _EXAMPLE)
    first, last = int(found[1]), int(found[2] or found[1])
    opens, closes = int(found[3]) * 60 + int(found[4]), int(found[5]) * 60 + int(found[6])
    hours = OfficeHours(days=tuple(range(first, last + 1)), opens=opens, closes=closes)
    if not is_sound(hours):
        raise BadValue(
            Text(zh=f"办公时间先后颠倒：{written!r}", en=f"office hours that end before they begin: {written!r}"),
            _EXAMPLE,
        )
    return hours


def is_sound(hours: OfficeHours) -> bool:
    """Tell whether office hours mean something: another version of a node may have sent anything."""
    days_are = bool(hours.days) and all(1 <= day <= DAYS_A_WEEK for day in hours.days)
    return days_are and 0 <= hours.opens < hours.closes <= MINUTES_A_DAY


def sound(rhythm: Rhythm) -> Rhythm:
    """Return a rhythm with what makes sense of it: bounded, without senseless hours."""
    hours = tuple(one for one in rhythm.hours[:OFFICE_HOURS_MAX] if is_sound(one))
    return msgspec.structs.replace(rhythm, hours=hours)
