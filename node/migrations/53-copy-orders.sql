-- Copies and statements that the county's window has ordered, and what the keeper decided.
CREATE TABLE copy_order (
    copy_id TEXT NOT NULL PRIMARY KEY,
    serial TEXT NOT NULL,
    record_id TEXT NOT NULL,
    state TEXT NOT NULL,
    asked BLOB NOT NULL,
    decision BLOB,
    decided_by TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    taken_at_ms INTEGER NOT NULL,
    decided_at_ms INTEGER
);
CREATE INDEX copy_order_state ON copy_order (state);
