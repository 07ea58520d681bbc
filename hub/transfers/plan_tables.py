"""The tables of the receiving plan; migrations 82 and 88 make them, a test proves it."""

from sqlalchemy import BigInteger, Column, Index, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

transfer_agreement = Table(
    "transfer_agreement",
    metadata,
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("after_years", BigInteger, nullable=False),
    Column("agreed_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("agreed_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "kind"),
)

fonds_dossier = Table(
    "fonds_dossier",
    metadata,
    Column("site", Text, nullable=False),
    Column("fonds_no", Text, nullable=False),
    Column("transfer_id", Text, nullable=False),
    Column("words_zh", Text, nullable=False),
    Column("words_en", Text, nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "fonds_no", "transfer_id"),
)

conversion_plan = Table(
    "conversion_plan",
    metadata,
    Column("plan_year", BigInteger, nullable=False),
    Column("site", Text, nullable=False),
    Column("volumes", BigInteger, nullable=False),
    Column("converted_before", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("plan_year", "site"),
)

transfer_plan = Table(
    "transfer_plan",
    metadata,
    Column("plan_id", Text, primary_key=True),
    Column("plan_year", BigInteger, nullable=False),
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("after_years", BigInteger, nullable=False),
    Column("basis", Text, nullable=False),
    Column("agreed_by", Text, nullable=False),
    Column("planned", BigInteger, nullable=False),
    Column("year_first", BigInteger, nullable=False),
    Column("year_last", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at_ms", BigInteger, nullable=False),
    Index("transfer_plan_line", "plan_year", "site", "kind", unique=True),
)

site_year = Table(
    "site_year",
    metadata,
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("year", BigInteger, nullable=False),
    Column("access", Text, nullable=False),
    Column("is_item", BigInteger, nullable=False),
    Column("is_moved", BigInteger, nullable=False),
    Column("records", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "kind", "year", "access", "is_item", "is_moved"),
)

site_year_mark = Table(
    "site_year_mark",
    metadata,
    Column("site", Text, primary_key=True),
    Column("counted_at_ms", BigInteger, nullable=False),
)
