-- What the county says of the key by which an owner signed whose fonds this node keeps, and how far the files that a
-- township keeps for others were gone over.
CREATE TABLE owner_signature (
    transfer_id TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL,
    enrolled TEXT NOT NULL
);

ALTER TABLE kept_package ADD COLUMN look_began_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE kept_package ADD COLUMN look_line INTEGER NOT NULL DEFAULT 0;

CREATE TABLE kept_fault (
    accession TEXT NOT NULL,
    path TEXT NOT NULL,
    found_at_ms INTEGER NOT NULL,
    PRIMARY KEY (accession, path)
);
