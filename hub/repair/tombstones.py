"""Tombstones at the hub: how long a withdrawal must be remembered, and when it may be forgotten.

A tombstone outranks whatever comes late. What lies at or below a site's watermark never comes again over the stream; it
can come only from what waits here itself: parked frames, and events in quarantine that are read again after an upgrade.
So a tombstone goes when it lies below a horizon that was passed ``KEEP_DAYS`` ago and nothing of its site waits.
The history keeps that, and why, a record was withdrawn.
"""

from sqlalchemy import BigInteger, Column, Connection, MetaData, PrimaryKeyConstraint, Table, Text

from hub.repair import withdrawn_content

KEEP_DAYS = 400
"""Days that a tombstone lives at least."""

HORIZON_DAYS = 7
"""Days between two notes of how far a site is: tombstones live that much longer at most."""

PRUNED_AT_ONCE = 5_000
"""Tombstones of one site pruned in one transaction."""

_DAY_MS = 86_400_000

metadata = MetaData()

tombstone_horizon = Table(
    "tombstone_horizon",
    metadata,
    Column("site", Text, nullable=False),
    Column("noted_at_ms", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "noted_at_ms"),
)


def note_horizon(connection: Connection, site: str, now_ms: int) -> None:
    """Note how far a site is applied now, if that was not noted within ``HORIZON_DAYS``."""
    connection.exec_driver_sql(
        "INSERT INTO tombstone_horizon (site, noted_at_ms, epoch, seq)"
        " SELECT watermark.site, ?, site_epoch.ordinal, watermark.position FROM watermark"
        " JOIN site_epoch ON site_epoch.site = watermark.site AND site_epoch.epoch = watermark.epoch"
        " WHERE watermark.site = ? AND NOT EXISTS"
        " (SELECT 1 FROM tombstone_horizon WHERE tombstone_horizon.site = ? AND noted_at_ms > ?)",
        (now_ms, site, site, now_ms - HORIZON_DAYS * _DAY_MS),
    )


def prune(connection: Connection, site: str, now_ms: int) -> int:
    """Forget some withdrawals of a site that nothing can contradict any more; returns how many."""
    waiting = connection.exec_driver_sql(
        "SELECT EXISTS (SELECT 1 FROM parked_frame WHERE site = ?) OR EXISTS (SELECT 1 FROM quarantine WHERE site = ?)",
        (site, site),
    ).scalar_one()
    horizon = connection.exec_driver_sql(
        "SELECT epoch, seq, noted_at_ms FROM tombstone_horizon WHERE site = ? AND noted_at_ms <= ?"
        " ORDER BY noted_at_ms DESC LIMIT 1",
        (site, now_ms - KEEP_DAYS * _DAY_MS),
    ).one_or_none()
    if waiting or horizon is None:
        return 0
    gone = connection.exec_driver_sql(
        "DELETE FROM entry WHERE docid IN (SELECT docid FROM entry INDEXED BY entry_stone"
        " WHERE site = ? AND withdrawn IS NOT NULL AND body IS NULL AND (epoch, seq) <= (?, ?) LIMIT ?)",
        (site, horizon[0], horizon[1], PRUNED_AT_ONCE),
    ).rowcount
    if gone:
        withdrawn_content.tidy(connection, site)
    # Older horizons say less than this one.
    connection.exec_driver_sql("DELETE FROM tombstone_horizon WHERE site = ? AND noted_at_ms < ?", (site, horizon[2]))
    return gone
