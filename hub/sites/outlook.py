"""The outlook: everything that the first pages of the console show, read at one moment from the hub's store.

No step of it walks the catalogue: it costs some milliseconds with millions of entries.
"""

from collections import Counter

import msgspec
from sqlalchemy import Connection, func, select

from hub.alarm import alarm_book, health
from hub.alarm.alarms import Alarm
from hub.alarm.health import Counted
from hub.sites.board import SiteState, Word, board
from hub.tables import conflict
from hub.transfers.waiting import WaitingTransfers, waiting

CONFLICTS_COUNTED_MAX = 10_000
"""Conflicts that are counted; beyond, it is that many and more."""


class AlikePairs(msgspec.Struct, frozen=True, kw_only=True):
    """Pairs of alike records about which nobody has decided, as a look has found them."""

    pairs: int
    looked_at: int
    """Entries that were looked at, the newest ones."""
    is_all: bool
    """Whether that were all entries, and so all pairs."""


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """The county at one moment."""

    at_ms: int
    sites: tuple[SiteState, ...]
    """In the order of their codes."""
    alarms: tuple[Alarm, ...]
    """Open ones, the oldest first."""
    conflicts: dict[str, int]
    """Events that contradict what is held, by site."""
    counted: Counted
    transfers: dict[str, WaitingTransfers] = {}
    """Transfers that wait for people of the archive, by the site that hands over."""
    alike: AlikePairs | None = None
    """None before the first look."""

    @property
    def words(self) -> dict[Word, int]:
        """How many sites are in which state."""
        counts = Counter(one.word for one in self.sites)
        return {word: counts[word] for word in Word if counts[word]}

    @property
    def records(self) -> int:
        """Records that the sites say they publish."""
        return sum(one.records for one in self.sites)

    @property
    def lag(self) -> int:
        """Changes that sites have made and that are not applied here."""
        return sum(one.lag for one in self.sites)

    def alarms_of(self, site: str) -> list[Alarm]:
        """Return the open alarms of a site."""
        return [one for one in self.alarms if one.site == site]


def read(connection: Connection, now_ms: int) -> Outlook:
    """Read the outlook."""
    some = select(conflict.c.site).limit(CONFLICTS_COUNTED_MAX).subquery()
    conflicts = select(some.c.site, func.count().label("held")).group_by(some.c.site)
    return Outlook(
        at_ms=now_ms,
        sites=tuple(board(connection, now_ms, with_counts=False)),
        alarms=tuple(alarm_book.open_alarms(connection)),
        conflicts={row.site: row.held for row in connection.execute(conflicts)},
        counted=health.counted(connection),
        transfers=waiting(connection),
    )
