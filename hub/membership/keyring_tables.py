"""The tables of the keyring; ``migrations/02-keyring.sql`` and ``21-courier.sql`` make them, and a test proves it."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, MetaData, Table, Text

metadata = MetaData()

expected_site = Table(
    "expected_site",
    metadata,
    Column("site", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("expected_since", Text, nullable=False),
)

enrolled_node = Table(
    "enrolled_node",
    metadata,
    Column("public_key", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("software", Text, nullable=False),
    Column("enrolled_at_ms", BigInteger, nullable=False),
    Column("revoked_at_ms", BigInteger),
    Column("revoked_because", Text),
    Index("enrolled_node_site", "site"),
)

enrolment_code = Table(
    "enrolment_code",
    metadata,
    Column("secret_digest", LargeBinary, primary_key=True),
    Column("site", Text, nullable=False),
    Column("replaces", BigInteger, nullable=False),
    Column("issued_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("used_at_ms", BigInteger),
    Column("used_by", Text, ForeignKey("enrolled_node.public_key")),
    Column("courier_key", Text, nullable=False, server_default=""),
    Index("enrolment_code_site", "site"),
)

courier = Table(
    "courier",
    metadata,
    Column("node", Text, ForeignKey("enrolled_node.public_key"), primary_key=True),
    Column("site", Text, nullable=False),
    Column("serial", BigInteger, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("confirmed", BigInteger, nullable=False),
    Column("made_at_ms", BigInteger, nullable=False),
    Column("taken_serial", BigInteger, nullable=False),
    Column("taken_at_ms", BigInteger, nullable=False),
    Column("sent_serial", BigInteger, nullable=False),
    Column("sent_at_ms", BigInteger, nullable=False),
)
