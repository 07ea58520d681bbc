-- Watched folders: the token that was written into each folder's marker file.
CREATE TABLE folder (
    path TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    state TEXT NOT NULL,
    looked_at_ms INTEGER NOT NULL
);

-- Catalogue files as they were last read; path is relative to the folder, with forward slashes.
CREATE TABLE file (
    file_id INTEGER PRIMARY KEY,
    folder TEXT NOT NULL,
    path TEXT NOT NULL,
    state TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    reading TEXT NOT NULL,
    accepted INTEGER NOT NULL DEFAULT 0,
    warned INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    report BLOB NOT NULL DEFAULT '',
    reason_zh TEXT NOT NULL DEFAULT '',
    reason_en TEXT NOT NULL DEFAULT '',
    hint_zh TEXT NOT NULL DEFAULT '',
    hint_en TEXT NOT NULL DEFAULT '',
    missing_since_ms INTEGER,
    read_at_ms INTEGER NOT NULL,
    UNIQUE (folder, path)
);

-- Every record that this site ever described. docid is its place in the search index, newest year last; line 0 is a
-- record that its file no longer lists, line -1 one whose row cannot be read now; a tombstone has an empty row_digest;
-- seq is the position of the last event, 0 if the record never travelled.
CREATE TABLE record (
    docid INTEGER PRIMARY KEY,
    record_id BLOB NOT NULL,
    file_id INTEGER NOT NULL REFERENCES file (file_id),
    sheet TEXT NOT NULL,
    line INTEGER NOT NULL,
    row_digest BLOB NOT NULL,
    ref_code TEXT NOT NULL,
    level TEXT NOT NULL,
    fonds_no TEXT NOT NULL,
    content_key INTEGER NOT NULL,
    standing TEXT NOT NULL,
    withdrawn_cause TEXT NOT NULL,
    date_earliest TEXT,
    date_latest TEXT,
    livelihood_kind TEXT NOT NULL,
    access_status TEXT NOT NULL,
    warnings TEXT NOT NULL,
    raw BLOB NOT NULL,
    body BLOB NOT NULL,
    digest INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    seq INTEGER NOT NULL
);

CREATE UNIQUE INDEX record_by_id ON record (record_id);
-- Holds all that the comparison of a file with what is stored reads.
CREATE INDEX record_by_place ON record (file_id, sheet, line, row_digest);
CREATE INDEX record_by_content ON record (content_key);
CREATE INDEX record_by_seq ON record (seq) WHERE seq > 0;
-- Holds all that a tally sums up.
CREATE INDEX record_by_bucket ON record (fonds_no, bucket, digest) WHERE standing = 'listed';
CREATE INDEX record_withheld ON record (standing) WHERE standing = 'withheld';
CREATE INDEX record_gone ON record (file_id, ref_code) WHERE standing = 'gone';
CREATE INDEX record_warned ON record (file_id, warnings) WHERE warnings <> '';

-- Rows that stand rejected now; docid names the record that such a row repeats, so that it can take its place.
CREATE TABLE reject (
    file_id INTEGER NOT NULL REFERENCES file (file_id) ON DELETE CASCADE,
    sheet TEXT NOT NULL,
    line INTEGER NOT NULL,
    field TEXT NOT NULL,
    code TEXT NOT NULL,
    value TEXT NOT NULL,
    reason_zh TEXT NOT NULL,
    reason_en TEXT NOT NULL,
    docid INTEGER
);

CREATE INDEX reject_by_file ON reject (file_id);
CREATE INDEX reject_by_record ON reject (docid) WHERE docid IS NOT NULL;

-- Changes that are held back until a person decides (the mass-change brake).
CREATE TABLE brake (
    brake_id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder TEXT NOT NULL,
    file_id INTEGER REFERENCES file (file_id),
    path TEXT NOT NULL,
    cause TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    of_count INTEGER NOT NULL,
    state TEXT NOT NULL,
    held_at_ms INTEGER NOT NULL,
    decided_at_ms INTEGER
);

CREATE INDEX brake_by_state ON brake (state);

-- Small facts about this database, one a row: the incarnation token, the version of the search analysis.
CREATE TABLE fact (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- The terms are folded before they come here, so nothing is left for the tokenizer to do but to divide them.
CREATE VIRTUAL TABLE search USING fts5 (terms, content = '', columnsize = 0, tokenize = 'ascii');

-- Loading writes one segment a transaction: one large enough to hold its terms, and merged eight at a time.
INSERT INTO search (search, rank) VALUES ('automerge', 8);
INSERT INTO search (search, rank) VALUES ('hashsize', 4194304);
