"""The picture of a site's contact: each day a line from midnight to midnight, coloured as it could be heard."""

import datetime
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from hub.sites.contacts import Contact, Turn

DAYS_SHOWN: Final = 14
"""Days in the picture: two working weeks show a habit."""

WIDTH: Final = 1440
"""Units of width of a day: one a minute."""

_DAY_MS: Final = 24 * 3600 * 1000


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a day as it is drawn."""

    x: int
    width: int
    contact: Contact


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One day as it is drawn."""

    date: datetime.date
    spans: tuple[Span, ...]
    heard_minutes: int
    """The same in a number, for who does not see it."""


def days_of(turns: Sequence[Turn], now_ms: int, zone: datetime.tzinfo | None = None) -> list[Day]:
    """Return the last days, the newest first; nothing is drawn before the first turn and after now.

    Args:
        turns: the oldest first.
        now_ms: the present moment.
        zone: whose midnights count; the hub's own if None.

    """
    today = _local(now_ms, zone).date()
    found = []
    for back in range(DAYS_SHOWN):
        date = today - datetime.timedelta(days=back)
        begins_ms = _midnight_ms(date, zone)
        spans = tuple(_spans(turns, begins_ms, min(now_ms, begins_ms + _DAY_MS)))
        heard = sum(one.width for one in spans if one.contact is Contact.HEARD)
        found.append(Day(date=date, spans=spans, heard_minutes=heard))
    return found


def _spans(turns: Sequence[Turn], begins_ms: int, ends_ms: int) -> Iterator[Span]:
    following = [*(one.since_ms for one in turns[1:]), ends_ms]
    # Without a turn there is no stretch either.
    for turn, until_ms in zip(turns, following, strict=False):
        start, end = max(turn.since_ms, begins_ms), min(until_ms, ends_ms)
        if start >= end:
            continue
        x = (start - begins_ms) * WIDTH // _DAY_MS
        width = (end - begins_ms) * WIDTH // _DAY_MS - x
        if width:
            yield Span(x=x, width=width, contact=turn.contact)


def _local(at_ms: int, zone: datetime.tzinfo | None) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC).astimezone(zone)


def _midnight_ms(date: datetime.date, zone: datetime.tzinfo | None) -> int:
    midnight = datetime.datetime.combine(date, datetime.time.min, tzinfo=zone)
    return int(midnight.timestamp() * 1000)
