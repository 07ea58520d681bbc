"""The tables of transfers, the same at both ends; ``schema/04-transfers.sql`` makes them, a test proves it.

``transfer`` is what the steps come to, written again with every step: a list need not fold the log of each.
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

transfer = Table(
    "transfer",
    metadata,
    Column("transfer_id", Text, primary_key=True),
    Column("peer", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("turn", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("nature", Text, nullable=False),
    Column("round", BigInteger, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("plan", Text, nullable=False),
    Column("opened_at_ms", BigInteger, nullable=False),
    Column("moved_at_ms", BigInteger, nullable=False),
    Column("folded", LargeBinary, nullable=False),
    Column("role", Text, nullable=False, server_default=""),
    Index("transfer_by_state", "state", "moved_at_ms"),
    Index("transfer_by_site", "site", "moved_at_ms"),
)

transfer_step = Table(
    "transfer_step",
    metadata,
    Column("transfer_id", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("noted_at_ms", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Column("step", LargeBinary, nullable=False),
    PrimaryKeyConstraint("transfer_id", "side", "number"),
)

transfer_item = Table(
    "transfer_item",
    metadata,
    Column("transfer_id", Text, nullable=False),
    Column("record_id", LargeBinary, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("ref_code", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("round", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason_zh", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    Column("pages", BigInteger),
    Column("files", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("box", Text, nullable=False),
    Column("archive_code", Text, nullable=False),
    Column("note", LargeBinary, nullable=False),
    PrimaryKeyConstraint("transfer_id", "record_id"),
    Index("transfer_item_by_state", "transfer_id", "state", "sequence"),
    Index("transfer_item_by_record", "record_id"),
)

transfer_fault = Table(
    "transfer_fault",
    metadata,
    Column("transfer_id", Text, nullable=False),
    Column("round", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("ref_code", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("is_mandatory", BigInteger, nullable=False),
    Column("evidence_zh", Text, nullable=False),
    Column("evidence_en", Text, nullable=False),
    Column("remedy_zh", Text, nullable=False),
    Column("remedy_en", Text, nullable=False),
    Column("tool", Text, nullable=False),
    Column("checked_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("transfer_id", "round", "number"),
    Index("transfer_fault_by_item", "transfer_id", "ref_code"),
)

transfer_work = Table(
    "transfer_work",
    metadata,
    Column("transfer_id", Text, nullable=False),
    Column("round", BigInteger, nullable=False),
    Column("package", Text, nullable=False),
    Column("done_bytes", BigInteger, nullable=False),
    Column("total_bytes", BigInteger, nullable=False),
    Column("standing", Text, nullable=False),
    Column("report", Text, nullable=False),
    Column("trouble_zh", Text, nullable=False),
    Column("trouble_en", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("transfer_id", "round"),
)

transfer_way = Table(
    "transfer_way",
    metadata,
    Column("transfer_id", Text, nullable=False),
    Column("round", BigInteger, nullable=False),
    Column("way", Text, nullable=False),
    PrimaryKeyConstraint("transfer_id", "round"),
)
