"""The table of what harvesters were told; ``migrations/72-disclosures.sql`` makes it, a test proves it."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

disclosure = Table(
    "disclosure",
    metadata,
    Column("site", Text, nullable=False),
    Column("record_id", LargeBinary, nullable=False),
    Column("fonds_no", Text, nullable=False),
    Column("digest", BigInteger, nullable=False),
    Column("is_deleted", BigInteger, nullable=False),
    Column("stamp_s", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "record_id"),
    Index("disclosure_stamp", "stamp_s", "site", "record_id"),
    Index("disclosure_of_site", "site", "stamp_s", "record_id"),
)

disclosed_site = Table(
    "disclosed_site",
    metadata,
    Column("site", Text, primary_key=True),
    Column("epoch", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("fonds", Text, nullable=False, server_default="[]"),
    Column("compared_at_ms", BigInteger, nullable=False),
)
