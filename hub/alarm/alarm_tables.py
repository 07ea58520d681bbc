"""The tables of alarms and of what they are judged by; ``migrations/`` holds the SQL that makes them."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from hub.tables import metadata

site_course = Table(
    "site_course",
    metadata,
    Column("site", Text, primary_key=True),
    Column("epoch", Text, nullable=False),
    Column("applied", BigInteger, nullable=False),
    Column("apart_since_ms", BigInteger),
    Column("outbox_low", BigInteger, nullable=False),
    Column("kept_since_ms", BigInteger),
    Column("unread_since_ms", BigInteger),
    Column("rejected_usual", BigInteger, nullable=False),
    Column("started_at_ms", BigInteger, nullable=False),
    Column("restarts", BigInteger, nullable=False),
    Column("restarts_since_ms", BigInteger, nullable=False),
)

alarm = Table(
    "alarm",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("opened_at_ms", BigInteger, nullable=False),
    Column("counted_from_ms", BigInteger, nullable=False),
    Column("held_at_ms", BigInteger, nullable=False),
    Column("cleared_at_ms", BigInteger),
    Column("reopened", BigInteger, nullable=False),
    Column("told", BigInteger, nullable=False),
    Column("acknowledged_at_ms", BigInteger),
    Column("acknowledged_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("closed_at_ms", BigInteger),
    Index(
        "alarm_open",
        "site",
        "kind",
        unique=True,
        sqlite_where=text("closed_at_ms IS NULL"),
        postgresql_where=text("closed_at_ms IS NULL"),
    ),
    Index("alarm_latest", "site", "kind"),
)

alarm_notice = Table(
    "alarm_notice",
    metadata,
    Column("alarm_id", ForeignKey("alarm.id"), nullable=False),
    Column("addressee", Text, nullable=False),
    Column("told_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("alarm_id", "addressee"),
)

hub_report = Table(
    "hub_report",
    metadata,
    Column("only_row", BigInteger, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("report", LargeBinary, nullable=False),
)
