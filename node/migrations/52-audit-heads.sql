-- Heads of the county's audit log, kept as checkpoints: the county cannot change a line behind one unseen.
CREATE TABLE county_head (
    seq INTEGER NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL,
    heard_at_ms INTEGER NOT NULL
);

-- Where the county's log is not what it was when this site kept its head.
CREATE TABLE county_contradiction (
    seq INTEGER NOT NULL PRIMARY KEY,
    kept_digest TEXT NOT NULL,
    said_digest TEXT NOT NULL,
    found_at_ms INTEGER NOT NULL
);
