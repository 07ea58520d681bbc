-- Requests whose certificates are gone but for their lines in the register: neither what they say nor their files.
CREATE TABLE paper_disposal (
    request_id TEXT NOT NULL PRIMARY KEY,
    rule TEXT NOT NULL,
    disposed_at_ms BIGINT NOT NULL
);
