"""The tables of the site's audit log; migrations 51 and 52 of the node make them, a test proves that both agree."""

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

metadata = MetaData()

audit_line = Table(
    "audit_line",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index("audit_line_object", "object"),
)

county_head = Table(
    "county_head",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("heard_at_ms", BigInteger, nullable=False),
)

county_contradiction = Table(
    "county_contradiction",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kept_digest", Text, nullable=False),
    Column("said_digest", Text, nullable=False),
    Column("found_at_ms", BigInteger, nullable=False),
)
