"""The tables of workers and leases; ``migrations/51-workers.sql`` makes them, and a test proves it."""

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

metadata = MetaData()

worker = Table(
    "worker",
    metadata,
    Column("name", Text, primary_key=True),
    Column("started_at_ms", BigInteger, nullable=False),
    Column("seen_at_ms", BigInteger, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("duty", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)
