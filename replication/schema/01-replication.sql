-- What this site has minted and the hub has not yet confirmed: sealed frames, in order.
CREATE TABLE outbox (
    last INTEGER PRIMARY KEY,
    previous INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    chain TEXT NOT NULL,
    digest TEXT NOT NULL,
    sealed BLOB NOT NULL
);

-- Where this site's own history stands: one row.
CREATE TABLE head (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    chain TEXT NOT NULL,
    retires TEXT NOT NULL
);

-- How far each site's history has been applied here.
CREATE TABLE watermark (
    site TEXT PRIMARY KEY,
    node TEXT NOT NULL,
    epoch TEXT NOT NULL,
    position INTEGER NOT NULL,
    chain TEXT NOT NULL,
    want TEXT NOT NULL DEFAULT 'nothing',
    moved_at_ms INTEGER NOT NULL
);

-- Epochs that a site has given up: what still arrives from them is old.
CREATE TABLE retired_epoch (
    site TEXT NOT NULL,
    epoch TEXT NOT NULL,
    PRIMARY KEY (site, epoch)
);

-- Frames that arrived before the ones they follow.
CREATE TABLE parked_frame (
    site TEXT NOT NULL,
    epoch TEXT NOT NULL,
    previous INTEGER NOT NULL,
    digest TEXT NOT NULL,
    sealed BLOB NOT NULL,
    parked_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site, epoch, previous, digest)
);

-- What could not be applied, whole frames and single events, with the reason; can be tried again.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    fault TEXT NOT NULL,
    reason_zh TEXT NOT NULL,
    reason_en TEXT NOT NULL,
    hint_zh TEXT NOT NULL,
    hint_en TEXT NOT NULL,
    content BLOB NOT NULL,
    quarantined_at_ms INTEGER NOT NULL,
    UNIQUE (site, epoch, seq, fault)
);
