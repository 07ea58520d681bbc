"""The tables of accounts, sessions and the audit log; migrations 41 and 87 make them, a test proves it."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData()

account = Table(
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("login", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sealed_password", Text, nullable=False, server_default=""),
    Column("password_set_at_ms", BigInteger),
    Column("totp_secret", Text, nullable=False, server_default=""),
    Column("totp_step", BigInteger, nullable=False, server_default="0"),
    Column("locked_at_ms", BigInteger),
    Column("language", Text, nullable=False, server_default=""),
    Column("theme", Text, nullable=False, server_default=""),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("signed_in_at_ms", BigInteger),
    Index("account_login", "login", unique=True),
)

account_role = Table(
    "account_role",
    metadata,
    Column("account_id", Text, ForeignKey("account.id"), nullable=False),
    Column("role", Text, nullable=False),
    PrimaryKeyConstraint("account_id", "role"),
)

sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("login_digest", Text, primary_key=True),
    Column("failures", BigInteger, nullable=False),
    Column("failed_at_ms", BigInteger, nullable=False),
)

web_session = Table(
    "web_session",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("account.id"), nullable=False),
    Column("stage", Text, nullable=False),
    Column("begun_at_ms", BigInteger, nullable=False),
    Column("used_at_ms", BigInteger, nullable=False),
    Column("origin", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("totp_offer", Text, nullable=False, server_default=""),
    Column("way", Text, nullable=False, server_default=""),
    Index("web_session_account", "account_id"),
)

invitation = Table(
    "invitation",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("account.id")),
    Column("issued_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("used_at_ms", BigInteger),
    Index("invitation_account", "account_id"),
)

audit_line = Table(
    "audit_line",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index("audit_line_at", "at_ms"),
)

oidc_link = Table(
    "oidc_link",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("claim", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("account_id", Text, ForeignKey("account.id"), nullable=False),
    Column("linked_by", Text, nullable=False),
    Column("linked_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("issuer", "claim", "subject"),
    Index("oidc_link_account", "account_id"),
)

oidc_journey = Table(
    "oidc_journey",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("visitor", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("wanted", Text, nullable=False),
    Column("begun_at_ms", BigInteger, nullable=False),
    Index("oidc_journey_begun", "begun_at_ms"),
)
