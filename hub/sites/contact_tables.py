"""The tables of what is remembered of each site beside its records; ``migrations/86`` holds the SQL that makes them."""

from sqlalchemy import BigInteger, Column, LargeBinary, PrimaryKeyConstraint, Table, Text

from hub.tables import metadata

site_contact = Table(
    "site_contact",
    metadata,
    Column("site", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("contact", Text, nullable=False),
    PrimaryKeyConstraint("site", "since_ms"),
)

site_report = Table(
    "site_report",
    metadata,
    Column("site", Text, primary_key=True),
    Column("heard_at_ms", BigInteger, nullable=False),
    Column("report", LargeBinary, nullable=False),
)
