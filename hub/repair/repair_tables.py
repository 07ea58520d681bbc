"""The tables of repairs and nightly checks; ``migrations/11-repair.sql`` makes them."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

metadata = MetaData()

repair = Table(
    "repair",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("fonds", LargeBinary, nullable=False),
    Column("missing_here", BigInteger, nullable=False),
    Column("missing_there", BigInteger, nullable=False),
    Column("other_content", BigInteger, nullable=False),
    Column("damaged_here", BigInteger, nullable=False),
    Column("described", BigInteger, nullable=False),
    Column("withdrawn", BigInteger, nullable=False),
    Column("up_to", BigInteger, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("found_at_ms", BigInteger, nullable=False),
    Column("asked_at_ms", BigInteger),
    Column("healed_at_ms", BigInteger),
    Index(
        "repair_open",
        "site",
        "kind",
        unique=True,
        sqlite_where=text("healed_at_ms IS NULL"),
        postgresql_where=text("healed_at_ms IS NULL"),
    ),
    Index("repair_site", "site", "id"),
)

repair_record = Table(
    "repair_record",
    metadata,
    Column("repair_id", ForeignKey("repair.id", ondelete="CASCADE"), nullable=False),
    Column("record_id", LargeBinary, nullable=False),
    Column("fonds_no", Text, nullable=False),
    Column("kind", Text, nullable=False),
    PrimaryKeyConstraint("repair_id", "record_id"),
)

nightly_check = Table(
    "nightly_check",
    metadata,
    Column("site", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("checked_at_ms", BigInteger, nullable=False),
)
