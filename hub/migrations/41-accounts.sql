-- Who may sign in at the console, what they may do, and what they did. Plain types and text keys: the same on any store.
CREATE TABLE account (
    id TEXT NOT NULL PRIMARY KEY,
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    sealed_password TEXT NOT NULL DEFAULT '',
    password_set_at_ms BIGINT,
    totp_secret TEXT NOT NULL DEFAULT '',
    totp_step BIGINT NOT NULL DEFAULT 0,
    locked_at_ms BIGINT,
    language TEXT NOT NULL DEFAULT '',
    theme TEXT NOT NULL DEFAULT '',
    created_at_ms BIGINT NOT NULL,
    signed_in_at_ms BIGINT
);
CREATE UNIQUE INDEX account_login ON account (login);

CREATE TABLE account_role (
    account_id TEXT NOT NULL REFERENCES account (id),
    role TEXT NOT NULL,
    PRIMARY KEY (account_id, role)
);

-- Attempts to sign in that failed, by the digest of the name that was typed, whether somebody bears it or not.
CREATE TABLE sign_in_failure (
    login_digest TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    failed_at_ms BIGINT NOT NULL
);

CREATE TABLE web_session (
    digest TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    stage TEXT NOT NULL,
    begun_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT NOT NULL,
    origin TEXT NOT NULL,
    agent TEXT NOT NULL,
    totp_offer TEXT NOT NULL DEFAULT ''
);
CREATE INDEX web_session_account ON web_session (account_id);

-- One-time links, by digest; without an account it is the link by which the first administrator is made.
CREATE TABLE invitation (
    digest TEXT NOT NULL PRIMARY KEY,
    account_id TEXT REFERENCES account (id),
    issued_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT
);
CREATE INDEX invitation_account ON invitation (account_id);

-- The audit log; each line carries the digest of itself and of the one before.
CREATE TABLE audit_line (
    seq BIGINT NOT NULL PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    outcome TEXT NOT NULL,
    origin TEXT NOT NULL,
    detail TEXT NOT NULL,
    digest TEXT NOT NULL
);
CREATE INDEX audit_line_at ON audit_line (at_ms);
