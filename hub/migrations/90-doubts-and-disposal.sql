-- Where a site says that the county's own audit log is not what the site was told before.
CREATE TABLE audit_doubt (
    site TEXT NOT NULL,
    seq BIGINT NOT NULL,
    kept_digest TEXT NOT NULL,
    found_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site, seq)
);

-- Until when the contradictions about a site were looked into, by whom and with what result; they stay listed.
CREATE TABLE audit_settled (
    site TEXT NOT NULL PRIMARY KEY,
    until_ms BIGINT NOT NULL,
    because TEXT NOT NULL,
    settled_by TEXT NOT NULL
);

-- Requests whose personal data are not to be disposed of, for example while a court asks for them.
CREATE TABLE request_hold (
    request_id BLOB NOT NULL PRIMARY KEY,
    because TEXT NOT NULL,
    held_by TEXT NOT NULL,
    held_at_ms BIGINT NOT NULL
);

-- Requests whose personal data are gone: what is left of them is what statistics need.
CREATE TABLE request_disposal (
    request_id BLOB NOT NULL PRIMARY KEY,
    rule TEXT NOT NULL,
    disposed_at_ms BIGINT NOT NULL
);
