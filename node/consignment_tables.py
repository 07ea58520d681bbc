"""The tables of what the site has offered; ``migrations/63-consignments.sql`` makes them, a test proves it."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

consignment = Table(
    "consignment",
    metadata,
    Column("consignment_id", LargeBinary, primary_key=True),
    Column("root", Text, nullable=False),
    Column("files", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("list_digest", Text, nullable=False),
    Column("any_hour", Integer, nullable=False),
    Column("offered_at_ms", BigInteger, nullable=False),
)

consigned_file = Table(
    "consigned_file",
    metadata,
    Column("consignment_id", LargeBinary, nullable=False),
    Column("position", Integer, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("path", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    PrimaryKeyConstraint("consignment_id", "position"),
    Index("consigned_file_start", "consignment_id", "start", "position"),
)
