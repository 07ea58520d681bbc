-- What this end has written to others, in order, until its topic is settled.
CREATE TABLE letter_out (
    serial INTEGER PRIMARY KEY,
    letter_id TEXT NOT NULL UNIQUE,
    peer TEXT NOT NULL,
    topic TEXT NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    written_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    is_taken INTEGER NOT NULL
);

CREATE INDEX letter_due ON letter_out (is_taken, peer, serial);
CREATE INDEX letter_topic ON letter_out (topic);

-- The letters that were taken; the body stays only while it could not be acted on.
CREATE TABLE letter_in (
    letter_id TEXT PRIMARY KEY,
    peer TEXT NOT NULL,
    topic TEXT NOT NULL,
    kind TEXT NOT NULL,
    taken_at_ms INTEGER NOT NULL,
    fault TEXT NOT NULL,
    reason_zh TEXT NOT NULL,
    reason_en TEXT NOT NULL,
    letter BLOB
);

CREATE INDEX letter_set_aside ON letter_in (peer) WHERE fault <> '';

-- Whose memory a letter was told to; the row without a peer names our own.
CREATE TABLE letter_peer (
    peer TEXT PRIMARY KEY,
    incarnation TEXT NOT NULL
);
