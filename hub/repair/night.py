"""The nightly check: when each site's turn is, and when it was last checked.

Turns are spread over some hours by the site's code, so that two hundred village PCs do not sum up their catalogues at
one moment; a site that was away at its turn is checked when it is back.
"""

import datetime
import hashlib

import msgspec
from sqlalchemy import Connection, select

from hub.config import NIGHT_HOUR
from hub.repair.comparisons import Sameness
from hub.repair.repair_tables import nightly_check
from replication.dialects import upsert

SPREAD_S = 4 * 3600
"""Seconds over which the turns of the sites are spread: all are over before an office opens."""

_DAY_MS = 86_400_000


class NightHour(msgspec.Struct, frozen=True, kw_only=True):
    """When the night begins; ``zone`` is for tests, None is the hub's local time."""

    hour: int = NIGHT_HOUR
    zone: datetime.tzinfo | None = None

    def latest_turn(self, site: str, now_ms: int) -> int:
        """Return the latest moment, in milliseconds since 1970, at which a site's turn was."""
        now = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC).astimezone(self.zone)
        begins = now.replace(hour=self.hour, minute=0, second=0, microsecond=0)
        turn_ms = int(begins.timestamp() * 1000) + delay_s(site) * 1000
        return turn_ms if turn_ms <= now_ms else turn_ms - _DAY_MS


def delay_s(site: str) -> int:
    """Return how many seconds into the night a site's turn is: always the same for one site, spread over all."""
    return int.from_bytes(hashlib.blake2b(site.encode(), digest_size=4).digest(), "big") % SPREAD_S


def checked_at(connection: Connection) -> dict[str, int]:
    """Return when each site was last checked, in milliseconds since 1970."""
    rows = connection.execute(select(nightly_check.c.site, nightly_check.c.checked_at_ms))
    return {row.site: row.checked_at_ms for row in rows}


def note(connection: Connection, site: str, state: Sameness, now_ms: int) -> None:
    """Note that a site was checked."""
    values = {"site": site, "state": state.value, "checked_at_ms": now_ms}
    statement = upsert(nightly_check).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=[nightly_check.c.site], set_=values))
