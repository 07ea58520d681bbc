"""Hours of the day in which something may happen at a site, as people write them in ``node.toml``."""

import datetime
import re

import msgspec

from protocol.errors import BadValue
from protocol.wording import Text

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24):([0-5]\d)")
_MINUTES_A_DAY = 24 * 60


class NightWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Hours of each day, in the site's local time; they may reach over midnight."""

    opens: int
    """Minutes since midnight."""
    closes: int
    """Minutes since midnight; not later than ``opens`` where the hours reach over midnight."""
    written: str

    def opens_at(self, moment: datetime.datetime) -> datetime.datetime | None:
        """Return when the hours begin next; None if they have begun."""
        minute = moment.hour * 60 + moment.minute
        inside = (
            self.opens <= minute < self.closes
            if self.opens < self.closes
            else minute >= self.opens or minute < self.closes
        )
        if inside:
            return None
        start = moment.replace(hour=self.opens // 60, minute=self.opens % 60, second=0, microsecond=0)
        return start if minute < self.opens else start + datetime.timedelta(days=1)


def parse_window(written: str) -> NightWindow | None:
    """Read hours as people write them: ``22:00-06:00``; None for an empty text, which is round the clock.

    Raises:
        BadValue: the text is not of that form.

    """
    if not written.strip():
        return None
    found = _HOURS.fullmatch(written.strip())
    opens, closes = (
        (0, 0) if found is None else (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4]))
    )
    if found is None or opens == closes or closes > _MINUTES_A_DAY:
        raise BadValue(
            Text(zh=f"不是时段：{written!r}", en=f"not hours of the day: {written!r}"),
            Text(zh="例如 22:00-06:00；留空表示全天。", en="For example 22:00-06:00; empty: round the clock."),
        )
    return NightWindow(opens=opens, closes=closes, written=written.strip())
