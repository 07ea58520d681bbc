"""The tables of this package; ``schema/`` holds the SQL that makes them, and a test proves that both agree."""

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    cast,
    func,
    literal,
    text,
    type_coerce,
)

from replication.digests import HALF_BITS, HALF_MASK

metadata = MetaData()

outbox = Table(
    "outbox",
    metadata,
    Column("last", BigInteger, primary_key=True),
    Column("previous", BigInteger, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

forgotten_frame = Table(
    "forgotten_frame",
    metadata,
    Column("last", BigInteger, primary_key=True),
    Column("digest", Text, nullable=False),
)

head = Table(
    "head",
    metadata,
    Column("only_row", BigInteger, primary_key=True),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("chain", Text, nullable=False),
    Column("retires", Text, nullable=False),
)

watermark = Table(
    "watermark",
    metadata,
    Column("site", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("chain", Text, nullable=False),
    Column("want", Text, nullable=False, server_default="nothing"),
    Column("moved_at_ms", BigInteger, nullable=False),
)

retired_epoch = Table(
    "retired_epoch",
    metadata,
    Column("site", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    PrimaryKeyConstraint("site", "epoch"),
)

parked_frame = Table(
    "parked_frame",
    metadata,
    Column("site", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("previous", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("parked_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "epoch", "previous", "digest"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("site", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("fault", Text, nullable=False),
    Column("reason_zh", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    Column("hint_zh", Text, nullable=False),
    Column("hint_en", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("quarantined_at_ms", BigInteger, nullable=False),
    UniqueConstraint("site", "epoch", "seq", "fault"),
)

letter_out = Table(
    "letter_out",
    metadata,
    Column("serial", BigInteger, primary_key=True),
    Column("letter_id", Text, nullable=False, unique=True),
    Column("peer", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("written_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("is_taken", BigInteger, nullable=False),
    Index("letter_due", "is_taken", "peer", "serial"),
    Index("letter_topic", "topic"),
)

letter_in = Table(
    "letter_in",
    metadata,
    Column("letter_id", Text, primary_key=True),
    Column("peer", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("taken_at_ms", BigInteger, nullable=False),
    Column("fault", Text, nullable=False),
    Column("reason_zh", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    Column("letter", LargeBinary),
    Index("letter_set_aside", "peer", sqlite_where=text("fault <> ''"), postgresql_where=text("fault <> ''")),
)

letter_peer = Table(
    "letter_peer",
    metadata,
    Column("peer", Text, primary_key=True),
    Column("incarnation", Text, nullable=False),
)


def _sum(halves: ColumnElement[int]) -> ColumnElement[int]:
    # PostgreSQL's sum of such numbers is of a wider type, which the driver would return as another kind of number.
    return cast(func.sum(halves), BigInteger)


def tally_columns(digest: ColumnElement[int]) -> tuple[ColumnElement[int], ColumnElement[int], ColumnElement[int]]:
    """Return the SQL expressions count, high and low that make the tally of the selected rows.

    Halves are summed because a sum of whole 64-bit digests overflows the database's integers.
    """
    whole = type_coerce(digest, BigInteger)
    return (
        func.count(),
        func.coalesce(_sum(whole.op(">>")(literal(HALF_BITS, Integer))), 0),
        func.coalesce(_sum(whole.op("&")(HALF_MASK)), 0),
    )
