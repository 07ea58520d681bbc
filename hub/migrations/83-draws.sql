-- How far the files of each consignment have come here: everything before the mark is on the disk and was verified,
-- but for the files that are listed as faulty.
CREATE TABLE draw (
    site TEXT NOT NULL,
    consignment_id BLOB NOT NULL,
    list_digest TEXT NOT NULL,
    place TEXT NOT NULL,
    files BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    mark BIGINT NOT NULL DEFAULT 0,
    faulty TEXT NOT NULL DEFAULT '[]',
    carried_bytes BIGINT NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    reason_zh TEXT NOT NULL DEFAULT '',
    reason_en TEXT NOT NULL DEFAULT '',
    not_before_ms BIGINT NOT NULL DEFAULT 0,
    began_at_ms BIGINT NOT NULL,
    moved_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site, consignment_id)
);
