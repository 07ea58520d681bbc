"""The tables of copies and certificates; migrations 77 and 78 make them, a test proves it."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

copy_order = Table(
    "copy_order",
    metadata,
    Column("copy_id", Text, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("keeper", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked", LargeBinary, nullable=False),
    Column("decision", LargeBinary),
    Column("seal", LargeBinary),
    Column("reason_zh", Text, nullable=False, server_default=""),
    Column("reason_en", Text, nullable=False, server_default=""),
    Column("hint_zh", Text, nullable=False, server_default=""),
    Column("hint_en", Text, nullable=False, server_default=""),
    Column("done_bytes", BigInteger, nullable=False, server_default="0"),
    Column("total_bytes", BigInteger, nullable=False, server_default="0"),
    Column("asked_by", Text, nullable=False),
    Column("asked_at_ms", BigInteger, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Index("copy_order_request", "request_id"),
    Index("copy_order_state", "state"),
)

copy_step = Table(
    "copy_step",
    metadata,
    Column("copy_id", Text, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("note", Text, nullable=False),
    PrimaryKeyConstraint("copy_id", "step"),
)

certificate = Table(
    "certificate",
    metadata,
    Column("serial", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("copy_id", Text, nullable=False, server_default=""),
    Column("statement", Text, nullable=False, server_default=""),
    Column("signature", LargeBinary),
    Column("contents", Text, nullable=False, server_default=""),
    Column("pdf_sha256", Text, nullable=False, server_default=""),
    Column("pdf_pages", BigInteger, nullable=False, server_default="0"),
    Column("replaces", Text, nullable=False, server_default=""),
    Column("replaced_by", Text, nullable=False, server_default=""),
    Column("because", Text, nullable=False, server_default=""),
    Column("taken_by", Text, nullable=False),
    Column("taken_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger),
    Index("certificate_request", "request_id"),
    Index("certificate_state", "state"),
)

serial_counter = Table(
    "serial_counter",
    metadata,
    Column("series", Text, primary_key=True),
    Column("latest", BigInteger, nullable=False),
)

sheet_batch = Table(
    "sheet_batch",
    metadata,
    Column("prefix", Text, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("received_by", Text, nullable=False),
    Column("received_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("prefix", "first"),
)

sheet = Table(
    "sheet",
    metadata,
    Column("prefix", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("fate", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("page", BigInteger, nullable=False),
    Column("because", Text, nullable=False, server_default=""),
    Column("printer", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("prefix", "number"),
    Index("sheet_serial", "serial"),
)
