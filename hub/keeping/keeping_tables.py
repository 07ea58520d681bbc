"""The tables of what the archive keeps; migrations 84 and 88 make them, a test proves it."""

from sqlalchemy import BigInteger, Column, Index, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

held_file = Table(
    "held_file",
    metadata,
    Column("site", Text, nullable=False),
    Column("bundle", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("held_at_ms", BigInteger, nullable=False),
    Column("looked_at_ms", BigInteger, nullable=False),
    Column("sound_at_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("repaired_at_ms", BigInteger),
    Column("repaired_from", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("site", "bundle", "path"),
    Index("held_file_looked", "looked_at_ms", "site", "bundle", "path"),
    Index("held_file_sound", "sound_at_ms"),
    Index("held_file_state", "state", "site", "bundle", "path"),
    Index("held_file_tally", "state", "size_bytes"),
)

held_copy = Table(
    "held_copy",
    metadata,
    Column("target", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("bundle", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("sound_at_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("target", "site", "bundle", "path"),
    Index("held_copy_sound", "target", "sound_at_ms"),
)

holding_run = Table(
    "holding_run",
    metadata,
    Column("target", Text, nullable=False),
    Column("began_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("copied", BigInteger, nullable=False),
    Column("verified", BigInteger, nullable=False),
    Column("faulty", BigInteger, nullable=False),
    PrimaryKeyConstraint("target", "began_at_ms"),
)

accession = Table(
    "accession",
    metadata,
    Column("year", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("site", Text, nullable=False),
    Column("bundle", Text, nullable=False),
    Column("nature", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("fonds_no", Text, nullable=False),
    Column("volumes", BigInteger, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("list_digest", Text, nullable=False),
    Column("registered_by", Text, nullable=False),
    Column("registered_at_ms", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    PrimaryKeyConstraint("year", "number"),
    Index("accession_bundle", "site", "bundle", unique=True),
)

fixity_order = Table(
    "fixity_order",
    metadata,
    Column("number", BigInteger, primary_key=True),
    Column("ordered_at_ms", BigInteger, nullable=False),
    Column("ordered_by", Text, nullable=False),
    Column("done_at_ms", BigInteger),
)

holding_note = Table(
    "holding_note",
    metadata,
    Column("number", BigInteger, primary_key=True),
    Column("target", Text, nullable=False),
    Column("verified_on", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("faulty", BigInteger, nullable=False),
    Column("noted_by", Text, nullable=False),
    Column("noted_at_ms", BigInteger, nullable=False),
    Index("holding_note_target", "target", "verified_on"),
)
