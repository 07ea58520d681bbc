"""The county's time: moments and days are told by the calendar in China, whatever zone a machine's clock is set to.

A PC that was installed with the zone of another country still certifies, counts terms and writes papers by the legal
day. China has had one offset and no summer time since 1991, so no table of zones is needed, which Windows lacks.
"""

import datetime
from typing import Final

ZONE: Final = datetime.timezone(datetime.timedelta(hours=8), "Asia/Shanghai")


def local_time(at_ms: int) -> datetime.datetime:
    """Return a moment (milliseconds since 1970) as the county's clocks show it."""
    return datetime.datetime.fromtimestamp(at_ms / 1000, ZONE)


def day_of(at_ms: int) -> datetime.date:
    """Return the legal day of a moment."""
    return local_time(at_ms).date()


def second(at_ms: int) -> str:
    """Return a moment as people write it, to the second."""
    return local_time(at_ms).strftime("%Y-%m-%d %H:%M:%S")


def minute(at_ms: int) -> str:
    """Return a moment as people write it, to the minute."""
    return local_time(at_ms).strftime("%Y-%m-%d %H:%M")


def stamp(at_ms: int) -> str:
    """Return a moment as it stands in the names of files."""
    return local_time(at_ms).strftime("%Y%m%d-%H%M%S")
