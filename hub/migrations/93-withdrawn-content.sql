-- The fingerprint of what a withdrawn record said last, and its version: a replaced computer of its site is told both,
-- so that an old sheet does not publish it anew.
CREATE TABLE withdrawn_content (
    site TEXT NOT NULL,
    record_id BLOB NOT NULL,
    content_key INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (site, record_id)
);
