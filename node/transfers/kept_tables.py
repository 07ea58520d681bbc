"""What a township keeps for others; migrations 73 and 76 make the tables, a test proves it."""

from sqlalchemy import BigInteger, Column, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

kept_package = Table(
    "kept_package",
    metadata,
    Column("accession", Text, primary_key=True),
    Column("transfer_id", Text, nullable=False, unique=True),
    Column("site", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("certificate", Text, nullable=False),
    Column("kept_at_ms", BigInteger, nullable=False),
    Column("verified_at_ms", BigInteger, nullable=False, server_default="0"),
    Column("faulty", BigInteger, nullable=False, server_default="0"),
    Column("look_began_at_ms", BigInteger, nullable=False, server_default="0"),
    Column("look_line", BigInteger, nullable=False, server_default="0"),
)

kept_fault = Table(
    "kept_fault",
    metadata,
    Column("accession", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("found_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("accession", "path"),
)
