-- Withdrawals and closings that this site has told others, so that it can be shown which copy has confirmed which.
CREATE TABLE retraction (
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    record_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    cause TEXT NOT NULL,
    minted_at_ms INTEGER NOT NULL,
    PRIMARY KEY (epoch, seq)
);

-- Who keeps a copy of this site's records, how far each has come, and when it was last heard of.
CREATE TABLE copy (
    name TEXT PRIMARY KEY,
    epoch TEXT NOT NULL,
    applied INTEGER NOT NULL,
    heard_at_ms INTEGER NOT NULL
);

-- Which copy confirmed which retraction, and when.
CREATE TABLE confirmation (
    name TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    confirmed_at_ms INTEGER NOT NULL,
    PRIMARY KEY (name, epoch, seq)
);
