-- Transfers: what the steps of each come to, written again with every step. The role is the part this end plays: '' its
-- usual one (the hub receives, a site gives), 'receiver' at a township that takes a village's records into its custody,
-- 'witness' at the hub that carries the steps of two sites, 'host' at a node that keeps both the owner's fonds and the
-- receiver's.
CREATE TABLE transfer (
    transfer_id TEXT NOT NULL PRIMARY KEY,
    peer TEXT NOT NULL,
    site TEXT NOT NULL,
    state TEXT NOT NULL,
    turn TEXT NOT NULL,
    title TEXT NOT NULL,
    nature TEXT NOT NULL,
    round INTEGER NOT NULL,
    items INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    plan TEXT NOT NULL,
    opened_at_ms INTEGER NOT NULL,
    moved_at_ms INTEGER NOT NULL,
    folded BLOB NOT NULL,
    role TEXT NOT NULL DEFAULT ''
);
CREATE INDEX transfer_by_state ON transfer (state, moved_at_ms);
CREATE INDEX transfer_by_site ON transfer (site, moved_at_ms);

-- The log of both sides: the exact bytes of every step, with the seal of the installation that wrote it.
CREATE TABLE transfer_step (
    transfer_id TEXT NOT NULL,
    side TEXT NOT NULL,
    number INTEGER NOT NULL,
    digest TEXT NOT NULL,
    noted_at_ms INTEGER NOT NULL,
    key TEXT NOT NULL,
    seal BLOB NOT NULL,
    step BLOB NOT NULL,
    PRIMARY KEY (transfer_id, side, number)
);

-- The items that a transfer carries, and where each stands.
CREATE TABLE transfer_item (
    transfer_id TEXT NOT NULL,
    record_id BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    ref_code TEXT NOT NULL,
    title TEXT NOT NULL,
    round INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason_zh TEXT NOT NULL,
    reason_en TEXT NOT NULL,
    pages INTEGER,
    files INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    box TEXT NOT NULL,
    archive_code TEXT NOT NULL,
    note BLOB NOT NULL,
    PRIMARY KEY (transfer_id, record_id)
);
CREATE INDEX transfer_item_by_state ON transfer_item (transfer_id, state, sequence);
CREATE INDEX transfer_item_by_record ON transfer_item (record_id);

-- What the checks of a round found that is not in order; the report file beside the package has every result.
CREATE TABLE transfer_fault (
    transfer_id TEXT NOT NULL,
    round INTEGER NOT NULL,
    number INTEGER NOT NULL,
    ref_code TEXT NOT NULL,
    path TEXT NOT NULL,
    rule TEXT NOT NULL,
    outcome TEXT NOT NULL,
    is_mandatory INTEGER NOT NULL,
    evidence_zh TEXT NOT NULL,
    evidence_en TEXT NOT NULL,
    remedy_zh TEXT NOT NULL,
    remedy_en TEXT NOT NULL,
    tool TEXT NOT NULL,
    checked_at_ms INTEGER NOT NULL,
    PRIMARY KEY (transfer_id, round, number)
);
CREATE INDEX transfer_fault_by_item ON transfer_fault (transfer_id, ref_code);

-- The package of each round here: where it is, how much of it has come, how its checks ended.
CREATE TABLE transfer_work (
    transfer_id TEXT NOT NULL,
    round INTEGER NOT NULL,
    package TEXT NOT NULL,
    done_bytes INTEGER NOT NULL,
    total_bytes INTEGER NOT NULL,
    standing TEXT NOT NULL,
    report TEXT NOT NULL,
    trouble_zh TEXT NOT NULL,
    trouble_en TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (transfer_id, round)
);

-- How the files of a round come, where somebody said otherwise than its giver: by the line, or by the disk.
CREATE TABLE transfer_way (
    transfer_id TEXT NOT NULL,
    round INTEGER NOT NULL,
    way TEXT NOT NULL,
    PRIMARY KEY (transfer_id, round)
);
