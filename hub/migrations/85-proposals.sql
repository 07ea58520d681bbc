-- Changes that staff propose to the owners of records. The values are kept only while a proposal waits; afterwards the
-- names of the fields, who decided and why.
CREATE TABLE proposal (
    number INTEGER PRIMARY KEY,
    proposal_id TEXT NOT NULL,
    site TEXT NOT NULL,
    record_id BLOB NOT NULL,
    fields TEXT NOT NULL,
    proposed TEXT,
    reason TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at_ms INTEGER,
    because_zh TEXT NOT NULL,
    because_en TEXT NOT NULL,
    dropped TEXT NOT NULL
);
CREATE UNIQUE INDEX proposal_id_once ON proposal (proposal_id);
CREATE INDEX proposal_of_record ON proposal (record_id, site);
CREATE INDEX proposal_by_state ON proposal (state, number);
