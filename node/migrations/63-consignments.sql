-- What this site has offered the county to fetch: the files stay where they lie, and are read from there.
CREATE TABLE consignment (
    consignment_id BLOB NOT NULL PRIMARY KEY,
    root TEXT NOT NULL,
    files INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    list_digest TEXT NOT NULL,
    any_hour INTEGER NOT NULL,
    offered_at_ms INTEGER NOT NULL
);

-- The lines of its list, each with the place where the file begins in the row of all bytes.
CREATE TABLE consigned_file (
    consignment_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    start INTEGER NOT NULL,
    path TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (consignment_id, position)
);
CREATE INDEX consigned_file_start ON consigned_file (consignment_id, start, position);
