"""The tables of the unified catalogue; ``migrations/`` holds the SQL that makes them, a test proves that both agree.

The full-text index ``search`` is a virtual table: it is named here so that statements can join it, and made by the
migration alone.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    column,
    table,
    text,
)

metadata = MetaData()

entry = Table(
    "entry",
    metadata,
    Column("docid", BigInteger, primary_key=True),
    Column("record_id", LargeBinary, nullable=False),
    Column("site", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("digest", BigInteger, nullable=False),
    Column("bucket", BigInteger, nullable=False),
    Column("withdrawn", Text),
    Column("level", Text, nullable=False),
    Column("secrecy", Text, nullable=False),
    Column("access_status", Text, nullable=False),
    Column("livelihood_kind", Text, nullable=False),
    Column("fonds_no", Text, nullable=False),
    Column("ref_code", Text, nullable=False),
    Column("date_earliest", Text),
    Column("date_latest", Text),
    Column("provenance", LargeBinary),
    Column("body", LargeBinary),
    Column("parent_id", Text),
    # What the facets of a search are counted by, in one; SQLite has numbers for them (``hub.storage.faces``).
    Column(
        "face",
        Text,
        Computed(
            "site || '␟' || fonds_no || '␟' || livelihood_kind || '␟' || access_status || '␟' || level",
            # Kept at PostgreSQL; SQLite, whose migration says so, computes it whenever it is read.
            persisted=True,
        ),
    ),
    Index("entry_record", "record_id", "site", unique=True),
    Index(
        "entry_tally",
        *("site", "fonds_no", "record_id", "bucket", "digest"),
        sqlite_where=text("body IS NOT NULL"),
        postgresql_where=text("body IS NOT NULL"),
    ),
    Index(
        "entry_stone",
        "site",
        "epoch",
        "seq",
        sqlite_where=text("withdrawn IS NOT NULL"),
        postgresql_where=text("withdrawn IS NOT NULL"),
    ),
    Index(
        "entry_in_volume",
        "site",
        "parent_id",
        sqlite_where=text("parent_id IS NOT NULL"),
        postgresql_where=text("parent_id IS NOT NULL"),
    ),
    # At PostgreSQL alone.
    Index(
        "entry_face",
        *("docid", "face", "date_earliest", "date_latest"),
        postgresql_where=text("body IS NOT NULL"),
    ).ddl_if(dialect="postgresql"),
)

search = table("search", column("rowid", BigInteger))

catalogue_state = Table(
    "catalogue_state",
    metadata,
    Column("only_row", BigInteger, primary_key=True),
    Column("next_serial", BigInteger, nullable=False),
    Column("index_version", BigInteger, nullable=False),
    Column("building_version", BigInteger, nullable=False, server_default="0"),
    Column("built_to", BigInteger, nullable=False, server_default="-1"),
    Column("built_rows", BigInteger, nullable=False, server_default="0"),
    Column("building_rows", BigInteger, nullable=False, server_default="0"),
)

site_epoch = Table(
    "site_epoch",
    metadata,
    Column("site", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("ordinal", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "epoch"),
)

history = Table(
    "history",
    metadata,
    Column("record_id", LargeBinary, nullable=False),
    Column("site", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("what", Text, nullable=False),
    PrimaryKeyConstraint("record_id", "site", "epoch", "seq"),
)

conflict = Table(
    "conflict",
    metadata,
    Column("record_id", LargeBinary, nullable=False),
    Column("site", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("held_digest", BigInteger, nullable=False),
    Column("offered_digest", BigInteger, nullable=False),
    Column("noted_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("record_id", "site", "epoch", "seq", "offered_digest"),
)

baseline = Table(
    "baseline",
    metadata,
    Column("site", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("began", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("cause", Text, nullable=False),
    Column("began_at_ms", BigInteger, nullable=False),
    Column("promised_count", BigInteger),
    Column("promised_digest", Text),
    Column("held_count", BigInteger),
    Column("held_digest", Text),
    Column("swept", BigInteger),
    PrimaryKeyConstraint("site", "epoch", "began"),
)

apart = Table(
    "apart",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("first", LargeBinary, nullable=False),
    Column("second", LargeBinary, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at_ms", BigInteger, nullable=False),
    Column("reversed_by", Text),
    Column("reversed_at_ms", BigInteger),
    Index(
        "apart_standing",
        "first",
        "second",
        unique=True,
        sqlite_where=text("reversed_at_ms IS NULL"),
        postgresql_where=text("reversed_at_ms IS NULL"),
    ),
    Index("apart_second", "second"),
)

node_state = Table(
    "node_state",
    metadata,
    Column("site", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("published", BigInteger, nullable=False),
    Column("outbox_frames", BigInteger, nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("withheld", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("warned", BigInteger, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("brakes_held", BigInteger, nullable=False),
    Column("importing", BigInteger, nullable=False),
    Column("disk_free_bytes", BigInteger, nullable=False),
    Column("software", Text, nullable=False),
    Column("started_at_ms", BigInteger, nullable=False),
    Column("seen_at_ms", BigInteger, nullable=False),
    Column("rhythm", Text, nullable=False, server_default=""),
    Column("folders_unread", BigInteger, nullable=False, server_default="0"),
    Column("faults", Text, nullable=False, server_default=""),
    Column("clock_offset_ms", BigInteger),
    Column("stopping", BigInteger, nullable=False, server_default="0"),
    Column("kept_faulty", BigInteger, nullable=False, server_default="0"),
)

verification = Table(
    "verification",
    metadata,
    Column("site", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("site_records", BigInteger, nullable=False),
    Column("hub_records", BigInteger, nullable=False),
    Column("differing", BigInteger, nullable=False),
    Column("compared_at_ms", BigInteger, nullable=False),
)
