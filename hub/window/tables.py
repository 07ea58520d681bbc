"""The window's tables; ``migrations/73-requests.sql`` and ``74-cases.sql`` make them, a test proves it."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

lookup_request = Table(
    "lookup_request",
    metadata,
    Column("request_id", LargeBinary, primary_key=True, nullable=False),
    Column("number", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("case_ref", Text, nullable=False),
    Column("case_id", LargeBinary),
    Column("identity_key", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("given_digest", Text, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("opened_at_ms", BigInteger, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Index("lookup_request_number", "number", unique=True),
    Index("lookup_request_state", "state", "changed_at_ms"),
    Index("lookup_request_case", "case_id"),
    Index("lookup_request_identity", "identity_key"),
)

request_history = Table(
    "request_history",
    metadata,
    Column("request_id", LargeBinary, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("step", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("days", BigInteger, nullable=False),
    Column("rule", Text, nullable=False),
    PrimaryKeyConstraint("request_id", "seq"),
)
