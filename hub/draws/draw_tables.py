"""The table of draws; ``migrations/83-draws.sql`` makes it, a test proves it."""

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

draw = Table(
    "draw",
    metadata,
    Column("site", Text, nullable=False),
    Column("consignment_id", LargeBinary, nullable=False),
    Column("list_digest", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mark", BigInteger, nullable=False, server_default="0"),
    Column("faulty", Text, nullable=False, server_default="[]"),
    Column("carried_bytes", BigInteger, nullable=False, server_default="0"),
    Column("state", Text, nullable=False),
    Column("reason_zh", Text, nullable=False, server_default=""),
    Column("reason_en", Text, nullable=False, server_default=""),
    Column("not_before_ms", BigInteger, nullable=False, server_default="0"),
    Column("began_at_ms", BigInteger, nullable=False),
    Column("moved_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "consignment_id"),
)
