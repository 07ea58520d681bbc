-- What persons decided in the queues of the console. What a decision takes away is kept here, so that it can be undone.
CREATE TABLE ruling (
    id INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    site TEXT NOT NULL,
    object TEXT NOT NULL,
    verdict TEXT NOT NULL,
    note TEXT NOT NULL,
    taken BLOB,
    decided_by TEXT NOT NULL,
    decided_at_ms INTEGER NOT NULL,
    undone_by TEXT,
    undone_at_ms INTEGER
);
CREATE UNIQUE INDEX ruling_standing ON ruling (queue, object) WHERE undone_at_ms IS NULL;
