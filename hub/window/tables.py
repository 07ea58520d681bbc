"""The window's tables; ``migrations/73-requests.sql`` and ``74-cases.sql`` make them, a test proves it."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

lookup_request = Table(
    "lookup_request",
    metadata,
    Column("request_id", LargeBinary, primary_key=True, nullable=False),
    Column("number", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("case_ref", Text, nullable=False),
    Column("case_id", LargeBinary),
    Column("identity_key", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("given_digest", Text, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("opened_at_ms", BigInteger, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Index("lookup_request_number", "number", unique=True),
    Index("lookup_request_state", "state", "changed_at_ms"),
    Index("lookup_request_case", "case_id"),
    Index("lookup_request_identity", "identity_key"),
)

request_history = Table(
    "request_history",
    metadata,
    Column("request_id", LargeBinary, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("step", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("days", BigInteger, nullable=False),
    Column("rule", Text, nullable=False),
    PrimaryKeyConstraint("request_id", "seq"),
)

request_amendment = Table(
    "request_amendment",
    metadata,
    Column("request_id", LargeBinary, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("content_before", Text, nullable=False),
    Column("content_after", Text, nullable=False),
    PrimaryKeyConstraint("request_id", "seq"),
)

request_hold = Table(
    "request_hold",
    metadata,
    Column("request_id", LargeBinary, primary_key=True, nullable=False),
    Column("because", Text, nullable=False),
    Column("held_by", Text, nullable=False),
    Column("held_at_ms", BigInteger, nullable=False),
)

request_disposal = Table(
    "request_disposal",
    metadata,
    Column("request_id", LargeBinary, primary_key=True, nullable=False),
    Column("rule", Text, nullable=False),
    Column("disposed_at_ms", BigInteger, nullable=False),
)

paper_disposal = Table(
    "paper_disposal",
    metadata,
    Column("request_id", Text, primary_key=True, nullable=False),
    Column("rule", Text, nullable=False),
    Column("disposed_at_ms", BigInteger, nullable=False),
)

access_decision = Table(
    "access_decision",
    metadata,
    Column("request_id", LargeBinary, nullable=False),
    Column("site", Text, nullable=False),
    Column("record_id", LargeBinary, nullable=False),
    Column("access_status", Text, nullable=False),
    Column("relation", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("granted", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("request_id", "site", "record_id"),
)

mediation_case = Table(
    "mediation_case",
    metadata,
    Column("case_id", LargeBinary, primary_key=True, nullable=False),
    Column("case_no", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("law_used", Text, nullable=False),
    Column("party_count", BigInteger, nullable=False),
    Column("opened_on", Text, nullable=False),
    Column("closed_on", Text),
    Column("changed_by", Text, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Index("mediation_case_number", "body", "case_no", unique=True),
    Index("mediation_case_opened", "opened_on"),
)

case_document = Table(
    "case_document",
    metadata,
    Column("document_id", LargeBinary, primary_key=True, nullable=False),
    Column("case_id", LargeBinary, nullable=False),
    Column("item", Text, nullable=False),
    Column("pages", BigInteger, nullable=False),
    Column("copies", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("request_id", LargeBinary),
    Column("added_by", Text, nullable=False),
    Column("added_at_ms", BigInteger, nullable=False),
    Index("case_document_case", "case_id"),
)

research = Table(
    "research",
    metadata,
    Column("request_id", LargeBinary, primary_key=True, nullable=False),
    Column("title", Text, nullable=False),
    Column("columns", Text, nullable=False),
    Column("begun_by", Text, nullable=False),
    Column("begun_at_ms", BigInteger, nullable=False),
)

research_part = Table(
    "research_part",
    metadata,
    Column("part_id", LargeBinary, primary_key=True, nullable=False),
    Column("request_id", LargeBinary, nullable=False),
    Column("title", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("assignee", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Index("research_part_request", "request_id"),
)

research_line = Table(
    "research_line",
    metadata,
    Column("line_id", LargeBinary, primary_key=True, nullable=False),
    Column("request_id", LargeBinary, nullable=False),
    Column("part_id", LargeBinary),
    Column("cells", Text, nullable=False),
    Column("sources", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Index("research_line_request", "request_id", "line_id"),
)
