"""Decisions about retained copies; ``migrations/74-retained-copies.sql`` makes the table, a test proves it."""

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

metadata = MetaData()

retained_copy = Table(
    "retained_copy",
    metadata,
    Column("transfer_id", Text, primary_key=True),
    Column("kept_until", Text, nullable=False),
    Column("disposed_on", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("decided_at_ms", BigInteger, nullable=False),
)
