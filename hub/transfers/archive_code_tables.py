"""The tables of the archive's own codes; ``migrations/92-archive-codes.sql`` makes them, a test proves it."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

archive_code_rule = Table(
    "archive_code_rule",
    metadata,
    Column("site", Text, nullable=False),
    Column("office_fonds", Text, nullable=False),
    Column("fonds", Text, nullable=False),
    Column("catalogue", Text, nullable=False),
    Column("pattern", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "office_fonds"),
)

archive_code = Table(
    "archive_code",
    metadata,
    Column("code", Text, primary_key=True),
    Column("series", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("transfer_id", Text, nullable=False),
    Column("record_id", LargeBinary, nullable=False),
    Column("given_at_ms", BigInteger, nullable=False),
    Index("archive_code_by_series", "series", "number"),
    Index("archive_code_by_record", "record_id"),
)

archive_volume = Table(
    "archive_volume",
    metadata,
    Column("series", Text, nullable=False),
    Column("volume", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("series", "volume"),
)
