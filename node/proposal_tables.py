"""The tables of proposals and corrections; migrations 65 and 77 make them, a test proves it."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text

from node.tables import metadata

proposal = Table(
    "proposal",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("proposal_id", Text, nullable=False),
    Column("record_id", LargeBinary, nullable=False),
    Column("record_seq", BigInteger, nullable=False),
    Column("proposed", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at_ms", BigInteger, nullable=False),
    Column("heard_at_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("because_zh", Text, nullable=False),
    Column("because_en", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at_ms", BigInteger, nullable=False),
    Index("proposal_id_once", "proposal_id", unique=True),
    Index("proposal_by_state", "state"),
)

correction = Table(
    "correction",
    metadata,
    Column("record_id", LargeBinary, nullable=False),
    Column("field", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("was", Text, nullable=False),
    Column("proposal_id", Text, nullable=False),
    Column("made_at_ms", BigInteger, nullable=False),
    Column("dropped", Text, nullable=False),
    Column("dropped_at_ms", BigInteger, nullable=False),
    Column("is_restored", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("record_id", "field"),
)
