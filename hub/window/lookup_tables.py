"""The tables of lookups and of the exchanged audit heads; migrations 75 and 76 make them, a test proves it."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text, text

metadata = MetaData()

lookup = Table(
    "lookup",
    metadata,
    Column("lookup_id", Text, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("digest", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("places", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at_ms", BigInteger, nullable=False),
    Column("live_until_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger),
    Column("is_expired", BigInteger, nullable=False, server_default="0"),
    Column("changed_at_ms", BigInteger, nullable=False),
    Column("news_at_ms", BigInteger),
    Column("widened_because", Text, nullable=False, server_default=""),
    Index("lookup_of_request", "request_id", "asked_at_ms"),
    Index(
        "lookup_open",
        "expires_at_ms",
        sqlite_where=text("ended_at_ms IS NULL"),
        postgresql_where=text("ended_at_ms IS NULL"),
    ),
    Index("lookup_changed", "changed_at_ms"),
)

lookup_site = Table(
    "lookup_site",
    metadata,
    Column("lookup_id", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("why_zh", Text, nullable=False),
    Column("why_en", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("total", BigInteger),
    Column("withheld", BigInteger, nullable=False, server_default="0"),
    Column("index_total", BigInteger),
    Column("reason_zh", Text, nullable=False, server_default=""),
    Column("reason_en", Text, nullable=False, server_default=""),
    Column("epoch", Text, nullable=False, server_default=""),
    Column("seq", BigInteger, nullable=False, server_default="0"),
    Column("took_ms", BigInteger, nullable=False, server_default="0"),
    Column("copied_at_ms", BigInteger),
    Column("seen_at_ms", BigInteger),
    Column("answered_at_ms", BigInteger),
    Column("is_late", BigInteger, nullable=False, server_default="0"),
    Column("is_by_letter", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("lookup_id", "site"),
)

lookup_hit = Table(
    "lookup_hit",
    metadata,
    Column("lookup_id", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("is_live", BigInteger, nullable=False),
    Column("is_late", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("stage", Text, nullable=False),
    Column("treatment", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("lookup_id", "site", "record_id"),
)

lookup_stray = Table(
    "lookup_stray",
    metadata,
    Column("site", Text, nullable=False),
    Column("lookup_id", Text, nullable=False),
    Column("fault", Text, nullable=False),
    Column("heard_at_ms", BigInteger, nullable=False),
    Column("times", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "lookup_id", "fault"),
)

site_holding = Table(
    "site_holding",
    metadata,
    Column("site", Text, nullable=False),
    Column("fonds_no", Text, nullable=False),
    Column("livelihood_kind", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("undated", BigInteger, nullable=False),
    Column("year_from", BigInteger),
    Column("year_to", BigInteger),
    PrimaryKeyConstraint("site", "fonds_no", "livelihood_kind", "level"),
)

site_holding_mark = Table(
    "site_holding_mark",
    metadata,
    Column("site", Text, primary_key=True),
    Column("epoch", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("counted_at_ms", BigInteger, nullable=False),
)

site_audit_head = Table(
    "site_audit_head",
    metadata,
    Column("site", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("heard_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "seq"),
)

audit_contradiction = Table(
    "audit_contradiction",
    metadata,
    Column("site", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kept_digest", Text, nullable=False),
    Column("said_digest", Text, nullable=False),
    Column("found_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "seq"),
)

audit_exchange = Table(
    "audit_exchange",
    metadata,
    Column("site", Text, primary_key=True),
    Column("told_at_ms", BigInteger, nullable=False),
    Column("heard_at_ms", BigInteger),
    Column("places", Text, nullable=False, server_default="[]"),
)

audit_doubt = Table(
    "audit_doubt",
    metadata,
    Column("site", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kept_digest", Text, nullable=False),
    Column("found_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "seq"),
)

audit_settled = Table(
    "audit_settled",
    metadata,
    Column("site", Text, primary_key=True, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("because", Text, nullable=False),
    Column("settled_by", Text, nullable=False),
)
