-- Sites that the county expects to take part, whether they have a node yet or not.
CREATE TABLE expected_site (
    site TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    expected_since TEXT NOT NULL
);

-- The keyring: installations that were admitted, by public key. A revoked key stays, so that it never comes back.
CREATE TABLE enrolled_node (
    public_key TEXT PRIMARY KEY,
    site TEXT NOT NULL,
    name TEXT NOT NULL,
    software TEXT NOT NULL,
    enrolled_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER,
    revoked_because TEXT
);

CREATE INDEX enrolled_node_site ON enrolled_node (site);

-- One-time codes; of the secret only its digest is kept.
CREATE TABLE enrolment_code (
    secret_digest BLOB PRIMARY KEY,
    site TEXT NOT NULL,
    replaces INTEGER NOT NULL,
    issued_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    used_at_ms INTEGER,
    used_by TEXT REFERENCES enrolled_node (public_key)
);

CREATE INDEX enrolment_code_site ON enrolment_code (site);
