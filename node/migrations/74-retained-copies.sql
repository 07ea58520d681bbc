-- What was decided about the copy that a giver keeps of what it has handed over: kept longer, or disposed of.
CREATE TABLE retained_copy (
    transfer_id TEXT NOT NULL PRIMARY KEY,
    kept_until TEXT NOT NULL,
    disposed_on TEXT NOT NULL,
    note TEXT NOT NULL,
    decided_at_ms INTEGER NOT NULL
);
