"""Which steps of two sites the hub has given on; ``migrations/91-custody.sql`` makes the table, a test proves it."""

from sqlalchemy import BigInteger, Column, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

transfer_relayed = Table(
    "transfer_relayed",
    metadata,
    Column("transfer_id", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    PrimaryKeyConstraint("transfer_id", "side", "number"),
)
