-- What each site says about each record it keeps. The docid is year * 10**9 + serial, so that newest first is a walk
-- along the rowid. Without a body an entry is a tombstone (withdrawn) or only announced (neither).
CREATE TABLE entry (
    docid INTEGER PRIMARY KEY,
    record_id BLOB NOT NULL,
    site TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    digest INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    withdrawn TEXT,
    level TEXT NOT NULL,
    secrecy TEXT NOT NULL,
    access_status TEXT NOT NULL,
    livelihood_kind TEXT NOT NULL,
    fonds_no TEXT NOT NULL,
    ref_code TEXT NOT NULL,
    date_earliest TEXT,
    date_latest TEXT,
    provenance BLOB,
    body BLOB
);
CREATE UNIQUE INDEX entry_record ON entry (record_id, site);
-- For comparing a site's records with its own sums. In the order of the record ids, which grow with time: a site's new
-- records are written side by side, where an index by bucket would spread them over all of its pages.
CREATE INDEX entry_tally ON entry (site, fonds_no, record_id, bucket, digest) WHERE body IS NOT NULL;

-- The words and the likeness keys of the entries that have a body. The terms are cut by protocol.analysis, so that the
-- tokenizer only splits at blanks; unlike unicode61 it keeps every character that is not ASCII, however rare or new.
CREATE VIRTUAL TABLE search USING fts5 (terms, content='', columnsize=0, tokenize='ascii');
-- A write leaves one segment of up to 4 MB of pending terms; hub.tidying merges them while nothing arrives. Only where
-- that cannot keep up with an endless load, 64 segments are merged by the write that adds one more.
INSERT INTO search (search, rank) VALUES ('automerge', 0);
INSERT INTO search (search, rank) VALUES ('crisismerge', 64);
INSERT INTO search (search, rank) VALUES ('hashsize', 4194304);

-- One row: the next serial of a docid, and the version of the rules that cut the terms above (0: nothing is indexed yet).
CREATE TABLE catalogue_state (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    next_serial INTEGER NOT NULL,
    index_version INTEGER NOT NULL
);
INSERT INTO catalogue_state (only_row, next_serial, index_version) VALUES (1, 1, 0);

-- The epochs of each site in the order in which the hub accepted them; entries name the number.
CREATE TABLE site_epoch (
    site TEXT NOT NULL,
    epoch TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (site, epoch)
);

-- What changed after the first description: names of fields, or why a record was withdrawn. Never values, because a
-- value that its owner masked must not live on here.
CREATE TABLE history (
    record_id BLOB NOT NULL,
    site TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    PRIMARY KEY (record_id, site, epoch, seq)
);

-- Two contents that claim the same place in one history.
CREATE TABLE conflict (
    record_id BLOB NOT NULL,
    site TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    held_digest INTEGER NOT NULL,
    offered_digest INTEGER NOT NULL,
    noted_at_ms INTEGER NOT NULL,
    PRIMARY KEY (record_id, site, epoch, seq, offered_digest)
);

-- Complete new descriptions of a site: what was promised at the end, and what the hub held then.
CREATE TABLE baseline (
    site TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    began INTEGER NOT NULL,
    ended INTEGER,
    cause TEXT NOT NULL,
    began_at_ms INTEGER NOT NULL,
    promised_count INTEGER,
    promised_digest TEXT,
    held_count INTEGER,
    held_digest TEXT,
    swept INTEGER,
    PRIMARY KEY (site, epoch, began)
);

-- Decisions of people that two records which look alike are different things. A reversed decision stays, with its end.
CREATE TABLE apart (
    id INTEGER PRIMARY KEY,
    first BLOB NOT NULL,
    second BLOB NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at_ms INTEGER NOT NULL,
    reversed_by TEXT,
    reversed_at_ms INTEGER
);
CREATE UNIQUE INDEX apart_standing ON apart (first, second) WHERE reversed_at_ms IS NULL;
CREATE INDEX apart_second ON apart (second);

-- The last sign of life of each site.
CREATE TABLE node_state (
    site TEXT PRIMARY KEY,
    node TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    published INTEGER NOT NULL,
    outbox_frames INTEGER NOT NULL,
    records INTEGER NOT NULL,
    withheld INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    warned INTEGER NOT NULL,
    files INTEGER NOT NULL,
    brakes_held INTEGER NOT NULL,
    importing INTEGER NOT NULL,
    disk_free_bytes INTEGER NOT NULL,
    software TEXT NOT NULL,
    started_at_ms INTEGER NOT NULL,
    seen_at_ms INTEGER NOT NULL
);

-- The last comparison of each site's records with the hub's copy.
CREATE TABLE verification (
    site TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    site_records INTEGER NOT NULL,
    hub_records INTEGER NOT NULL,
    differing INTEGER NOT NULL,
    compared_at_ms INTEGER NOT NULL
);
