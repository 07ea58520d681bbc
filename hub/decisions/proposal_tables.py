"""The table of proposals of change; ``migrations/85-proposals.sql`` makes it, a test proves it."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from hub.tables import metadata

proposal = Table(
    "proposal",
    metadata,
    Column("number", BigInteger, primary_key=True),
    Column("proposal_id", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("record_id", LargeBinary, nullable=False),
    Column("fields", Text, nullable=False),
    # Only while it waits: a value that its owner masks later must not live on here.
    Column("proposed", Text),
    Column("reason", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at_ms", BigInteger),
    Column("because_zh", Text, nullable=False),
    Column("because_en", Text, nullable=False),
    Column("dropped", Text, nullable=False),
    Index("proposal_id_once", "proposal_id", unique=True),
    Index("proposal_of_record", "record_id", "site"),
    Index("proposal_by_state", "state", "number"),
)
