"""The tables of orders for copies; migrations 53 and 54 make them, a test proves it."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

copy_order = Table(
    "copy_order",
    metadata,
    Column("copy_id", Text, primary_key=True),
    Column("serial", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked", LargeBinary, nullable=False),
    Column("decision", LargeBinary),
    Column("decided_by", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("taken_at_ms", BigInteger, nullable=False),
    Column("decided_at_ms", BigInteger),
    Index("copy_order_state", "state"),
)

copy_seal = Table(
    "copy_seal",
    metadata,
    Column("copy_id", Text, nullable=False),
    Column("attributes_digest", Text, nullable=False),
    Column("sealed_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("copy_id", "attributes_digest"),
)
