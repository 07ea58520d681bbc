"""The last comparison of each site with the hub's copy: its outcome, and the position at which it holds.

A comparison counts only at the position where it was made (promise 12): once the site moves on, it is history.
"""

from enum import StrEnum

import msgspec
from sqlalchemy import Connection, select

from hub.repair import rebuilds, repairs
from hub.repair.repairs import RepairKind
from hub.tables import verification
from replication.dialects import upsert


class Sameness(StrEnum):
    """What a comparison found."""

    EQUAL = "equal"
    DIFFERENT = "different"
    NOT_COMPARABLE = "not_comparable"
    """Not now: the site is offline, or the two ends stand at different positions."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One site compared with the hub's copy of it."""

    site: str
    state: Sameness
    epoch: str
    seq: int
    site_records: int
    hub_records: int
    differing: int = 0
    """Records found to differ; 0 where the comparison did not go down to records."""
    compared_at_ms: int

    def holds_at(self, epoch: str, seq: int) -> bool:
        """Tell whether the comparison was made at this position."""
        return (self.epoch, self.seq) == (epoch, seq)


def keep(connection: Connection, comparison: Comparison) -> None:
    """Store a comparison in place of the site's last one; equal ends close what was to be repaired."""
    values = msgspec.structs.asdict(comparison) | {"state": comparison.state.value}
    statement = upsert(verification).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=[verification.c.site], set_=values))
    if comparison.state is Sameness.EQUAL:
        repairs.heal(connection, comparison.site, RepairKind.RECORDS, comparison.compared_at_ms)
        rebuilds.finish(connection, comparison.site, comparison.compared_at_ms)


def kept(connection: Connection) -> dict[str, Comparison]:
    """Return the last comparison of every site that was ever compared."""
    rows = connection.execute(select(verification))
    return {row.site: msgspec.convert(row, Comparison, from_attributes=True) for row in rows}
