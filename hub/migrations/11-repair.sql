-- What was found to differ between a site and the hub's copy of it, and what became of it. At most one repair of a kind
-- is open for a site; the healed ones stay as the record of what happened.
CREATE TABLE repair (
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    cause TEXT NOT NULL,
    state TEXT NOT NULL,
    remedy TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    fonds BLOB NOT NULL,
    missing_here INTEGER NOT NULL,
    missing_there INTEGER NOT NULL,
    other_content INTEGER NOT NULL,
    damaged_here INTEGER NOT NULL,
    described INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL,
    up_to INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    found_at_ms INTEGER NOT NULL,
    asked_at_ms INTEGER,
    healed_at_ms INTEGER
);
CREATE UNIQUE INDEX repair_open ON repair (site, kind) WHERE healed_at_ms IS NULL;
CREATE INDEX repair_site ON repair (site, id);

-- The records of a repair, as far as they were named.
CREATE TABLE repair_record (
    repair_id INTEGER NOT NULL REFERENCES repair (id) ON DELETE CASCADE,
    record_id BLOB NOT NULL,
    fonds_no TEXT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (repair_id, record_id)
);

-- When each site's copy was last checked as a whole: digests against the site, and every body against its digest.
CREATE TABLE nightly_check (
    site TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    checked_at_ms INTEGER NOT NULL
);
