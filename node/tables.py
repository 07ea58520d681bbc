"""The node's own tables; ``migrations/`` holds the SQL that makes them, and a test proves that both agree.

The full-text table ``search`` is made there as well: it is SQLite's own and cannot be described here.
"""

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

SCHEMA: tuple[str, Path] = ("node", Path(__file__).with_name("migrations"))
"""The migrations of these tables, for ``database.opened``."""

metadata = MetaData()

folder = Table(
    "folder",
    metadata,
    Column("path", Text, primary_key=True),
    Column("token", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("looked_at_ms", BigInteger, nullable=False),
)

file = Table(
    "file",
    metadata,
    Column("file_id", Integer, primary_key=True),
    Column("folder", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("reading", Text, nullable=False),
    Column("accepted", Integer, nullable=False, server_default="0"),
    Column("warned", Integer, nullable=False, server_default="0"),
    Column("rejected", Integer, nullable=False, server_default="0"),
    Column("report", LargeBinary, nullable=False, server_default=""),
    Column("reason_zh", Text, nullable=False, server_default=""),
    Column("reason_en", Text, nullable=False, server_default=""),
    Column("hint_zh", Text, nullable=False, server_default=""),
    Column("hint_en", Text, nullable=False, server_default=""),
    Column("missing_since_ms", BigInteger),
    Column("read_at_ms", BigInteger, nullable=False),
    UniqueConstraint("folder", "path"),
)

record = Table(
    "record",
    metadata,
    Column("docid", BigInteger, primary_key=True),
    Column("record_id", LargeBinary, nullable=False),
    Column("file_id", ForeignKey("file.file_id"), nullable=False),
    Column("sheet", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("row_digest", LargeBinary, nullable=False),
    Column("ref_code", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("fonds_no", Text, nullable=False),
    Column("content_key", BigInteger, nullable=False),
    Column("standing", Text, nullable=False),
    Column("withdrawn_cause", Text, nullable=False),
    Column("date_earliest", Text),
    Column("date_latest", Text),
    Column("livelihood_kind", Text, nullable=False),
    Column("access_status", Text, nullable=False),
    Column("warnings", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("digest", BigInteger, nullable=False),
    Column("bucket", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("volume_code", Text, nullable=False, server_default=""),
)
Index("record_by_id", record.c.record_id, unique=True)
Index("record_by_place", record.c.file_id, record.c.sheet, record.c.line, record.c.row_digest)
Index("record_by_content", record.c.content_key)
Index("record_by_seq", record.c.seq, sqlite_where=text("seq > 0"))
Index("record_by_bucket", record.c.fonds_no, record.c.bucket, record.c.digest, sqlite_where=text("standing = 'listed'"))
Index("record_withheld", record.c.standing, sqlite_where=text("standing = 'withheld'"))
Index("record_gone", record.c.file_id, record.c.ref_code, sqlite_where=text("standing = 'gone'"))
Index("record_warned", record.c.file_id, record.c.warnings, sqlite_where=text("warnings <> ''"))

Index("record_in_volume", record.c.fonds_no, record.c.volume_code, sqlite_where=text("volume_code <> ''"))
Index(
    "record_volume",
    *(record.c.fonds_no, record.c.ref_code),
    sqlite_where=text("level = 'volume' AND standing = 'listed'"),
)

unindexed = Table(
    "unindexed",
    metadata,
    Column("year", Integer, primary_key=True),
    Column("after", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
)

reject = Table(
    "reject",
    metadata,
    Column("file_id", ForeignKey("file.file_id", ondelete="CASCADE"), nullable=False),
    Column("sheet", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("field", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("reason_zh", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    Column("docid", BigInteger),
)
Index("reject_by_file", reject.c.file_id)
Index("reject_by_record", reject.c.docid, sqlite_where=text("docid IS NOT NULL"))

brake = Table(
    "brake",
    metadata,
    Column("brake_id", Integer, primary_key=True),
    Column("folder", Text, nullable=False),
    Column("file_id", ForeignKey("file.file_id")),
    Column("path", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("of_count", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("held_at_ms", BigInteger, nullable=False),
    Column("decided_at_ms", BigInteger),
)
Index("brake_by_state", brake.c.state)

fact = Table(
    "fact",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
