-- What a township keeps for others: its register of what was handed over to it.
CREATE TABLE kept_package (
    accession TEXT NOT NULL PRIMARY KEY,
    transfer_id TEXT NOT NULL UNIQUE,
    site TEXT NOT NULL,
    title TEXT NOT NULL,
    items INTEGER NOT NULL,
    files INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    certificate TEXT NOT NULL,
    kept_at_ms INTEGER NOT NULL,
    verified_at_ms INTEGER NOT NULL DEFAULT 0,
    faulty INTEGER NOT NULL DEFAULT 0
);
