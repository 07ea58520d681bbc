"""The table of what persons decided; ``migrations/61-rulings.sql`` makes it, a test proves it."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, Table, Text, text

metadata = MetaData()

ruling = Table(
    "ruling",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("queue", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("taken", LargeBinary),
    Column("decided_by", Text, nullable=False),
    Column("decided_at_ms", BigInteger, nullable=False),
    Column("undone_by", Text),
    Column("undone_at_ms", BigInteger),
    Index(
        "ruling_standing",
        "queue",
        "object",
        unique=True,
        sqlite_where=text("undone_at_ms IS NULL"),
        postgresql_where=text("undone_at_ms IS NULL"),
    ),
)
