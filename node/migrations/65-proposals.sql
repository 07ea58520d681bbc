-- What the county would write otherwise in a record of ours, and what our keeper decided.
CREATE TABLE proposal (
    number INTEGER PRIMARY KEY,
    proposal_id TEXT NOT NULL,
    record_id BLOB NOT NULL,
    record_seq INTEGER NOT NULL,
    proposed TEXT NOT NULL,
    reason TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at_ms INTEGER NOT NULL,
    heard_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    because_zh TEXT NOT NULL,
    because_en TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX proposal_id_once ON proposal (proposal_id);
CREATE INDEX proposal_by_state ON proposal (state);

-- Values that stand in place of what the sheet says, until the sheet says the same or something new; then dropped, with
-- the reason. was: what the sheet said when the value was taken over.
CREATE TABLE correction (
    record_id BLOB NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    was TEXT NOT NULL,
    proposal_id TEXT NOT NULL,
    made_at_ms INTEGER NOT NULL,
    dropped TEXT NOT NULL,
    dropped_at_ms INTEGER NOT NULL,
    PRIMARY KEY (record_id, field)
);
