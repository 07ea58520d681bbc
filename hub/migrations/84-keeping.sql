-- Every file that the archive keeps, where it lies (site/bundle/path under the holdings), and how it was last found.
CREATE TABLE held_file (
    site TEXT NOT NULL,
    bundle TEXT NOT NULL,
    path TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    held_at_ms BIGINT NOT NULL,
    looked_at_ms BIGINT NOT NULL,
    sound_at_ms BIGINT NOT NULL,
    state TEXT NOT NULL,
    repaired_at_ms BIGINT,
    repaired_from TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (site, bundle, path)
);
CREATE INDEX held_file_looked ON held_file (looked_at_ms, site, bundle, path);
CREATE INDEX held_file_sound ON held_file (sound_at_ms);
CREATE INDEX held_file_state ON held_file (state, site, bundle, path);

-- What was last known of a file's copy on a target.
CREATE TABLE held_copy (
    target TEXT NOT NULL,
    site TEXT NOT NULL,
    bundle TEXT NOT NULL,
    path TEXT NOT NULL,
    sound_at_ms BIGINT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (target, site, bundle, path)
);
CREATE INDEX held_copy_sound ON held_copy (target, sound_at_ms);

-- Each going over a target: what was copied, read back and found.
CREATE TABLE holding_run (
    target TEXT NOT NULL,
    began_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT NOT NULL,
    files BIGINT NOT NULL,
    copied BIGINT NOT NULL,
    verified BIGINT NOT NULL,
    faulty BIGINT NOT NULL,
    PRIMARY KEY (target, began_at_ms)
);

-- The accession register: one line for each transfer that the archive took in; never changed, never removed.
CREATE TABLE accession (
    year BIGINT NOT NULL,
    number BIGINT NOT NULL,
    site TEXT NOT NULL,
    bundle TEXT NOT NULL,
    nature TEXT NOT NULL,
    title TEXT NOT NULL,
    fonds_no TEXT NOT NULL,
    volumes BIGINT NOT NULL,
    items BIGINT NOT NULL,
    files BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    list_digest TEXT NOT NULL,
    registered_by TEXT NOT NULL,
    registered_at_ms BIGINT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (year, number)
);
CREATE UNIQUE INDEX accession_bundle ON accession (site, bundle);
