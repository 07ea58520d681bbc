-- Heads of the sites' audit logs, kept as checkpoints.
CREATE TABLE site_audit_head (
    site TEXT NOT NULL,
    seq BIGINT NOT NULL,
    digest TEXT NOT NULL,
    heard_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site, seq)
);

-- Where a log is not what it was when the other end kept its head.
CREATE TABLE audit_contradiction (
    site TEXT NOT NULL,
    seq BIGINT NOT NULL,
    kept_digest TEXT NOT NULL,
    said_digest TEXT NOT NULL,
    found_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site, seq)
);

-- When each site was last told the head of the county's log, and at which places it asked for the log's digests.
CREATE TABLE audit_exchange (
    site TEXT NOT NULL PRIMARY KEY,
    told_at_ms BIGINT NOT NULL,
    heard_at_ms BIGINT,
    places TEXT NOT NULL DEFAULT '[]'
);
