-- What a node of version 1.1 says of itself beside the rest: its promise to be heard, folders it cannot read, faults of
-- its link; and how far its clock was off when it was last heard (NULL: it did not say).
ALTER TABLE node_state ADD COLUMN rhythm TEXT NOT NULL DEFAULT '';
ALTER TABLE node_state ADD COLUMN folders_unread INTEGER NOT NULL DEFAULT 0;
ALTER TABLE node_state ADD COLUMN faults TEXT NOT NULL DEFAULT '';
ALTER TABLE node_state ADD COLUMN clock_offset_ms INTEGER;

-- How each site has moved lately, by the hub's clock: what a single sign of life cannot tell.
CREATE TABLE site_course (
    site TEXT PRIMARY KEY,
    epoch TEXT NOT NULL,
    applied INTEGER NOT NULL,
    apart_since_ms INTEGER,
    outbox_low INTEGER NOT NULL,
    kept_since_ms INTEGER,
    unread_since_ms INTEGER,
    rejected_usual INTEGER NOT NULL,
    started_at_ms INTEGER NOT NULL,
    restarts INTEGER NOT NULL,
    restarts_since_ms INTEGER NOT NULL
);

-- Alarms; a closed one stays as history.
CREATE TABLE alarm (
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    cause TEXT NOT NULL,
    evidence TEXT NOT NULL,
    opened_at_ms INTEGER NOT NULL,
    counted_from_ms INTEGER NOT NULL,
    held_at_ms INTEGER NOT NULL,
    cleared_at_ms INTEGER,
    reopened INTEGER NOT NULL,
    told INTEGER NOT NULL,
    acknowledged_at_ms INTEGER,
    acknowledged_by TEXT NOT NULL,
    note TEXT NOT NULL,
    closed_at_ms INTEGER
);
CREATE UNIQUE INDEX alarm_open ON alarm (site, kind) WHERE closed_at_ms IS NULL;
CREATE INDEX alarm_latest ON alarm (site, kind);

-- Who was told of an alarm, and when.
CREATE TABLE alarm_notice (
    alarm_id INTEGER NOT NULL REFERENCES alarm (id),
    addressee TEXT NOT NULL,
    told_at_ms INTEGER NOT NULL,
    PRIMARY KEY (alarm_id, addressee)
);

-- What the running hub last said of itself, as JSON: whoever asks for its health reads it here.
CREATE TABLE hub_report (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    at_ms INTEGER NOT NULL,
    report BLOB NOT NULL
);
