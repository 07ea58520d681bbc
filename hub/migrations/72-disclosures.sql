-- What harvesters were told of each entry that was ever open, and since when: an entry that is open no more stays here
-- as deleted, for ever, so that every harvester learns of it however late it comes.
CREATE TABLE disclosure (
    site TEXT NOT NULL,
    record_id BLOB NOT NULL,
    fonds_no TEXT NOT NULL,
    digest BIGINT NOT NULL,
    is_deleted BIGINT NOT NULL,
    stamp_s BIGINT NOT NULL,
    PRIMARY KEY (site, record_id)
);
CREATE INDEX disclosure_stamp ON disclosure (stamp_s, site, record_id);
CREATE INDEX disclosure_of_site ON disclosure (site, stamp_s, record_id);

-- How far each site's entries were when they were last gone through, and which fonds have public ones (JSON).
CREATE TABLE disclosed_site (
    site TEXT NOT NULL PRIMARY KEY,
    epoch TEXT NOT NULL,
    position BIGINT NOT NULL,
    fonds TEXT NOT NULL DEFAULT '[]',
    compared_at_ms BIGINT NOT NULL
);
