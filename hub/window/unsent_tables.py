"""The table of what is typed and not sent yet; ``migrations/79-unsent-requests.sql`` makes it, a test proves it."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, Table, Text

metadata = MetaData()

unsent_request = Table(
    "unsent_request",
    metadata,
    Column("request_id", LargeBinary, primary_key=True, nullable=False),
    Column("login", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("begun_at_ms", BigInteger, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Index("unsent_request_login", "login", "changed_at_ms"),
)
