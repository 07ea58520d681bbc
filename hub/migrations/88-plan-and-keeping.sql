-- Records of each site by kind, year and access, counted behind the scenes whenever its copy has moved
-- (hub.window.coverage): the receiving plan and the pictures of the holdings are made of them. A site without a mark is
-- counted when it is asked for.
CREATE TABLE site_year (
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    year BIGINT NOT NULL,
    access TEXT NOT NULL,
    is_item BIGINT NOT NULL,
    is_moved BIGINT NOT NULL,
    records BIGINT NOT NULL,
    PRIMARY KEY (site, kind, year, access, is_item, is_moved)
);
CREATE TABLE site_year_mark (
    site TEXT NOT NULL PRIMARY KEY,
    counted_at_ms BIGINT NOT NULL
);

-- That somebody wants every held file read now; it is done once none was looked at before it.
CREATE TABLE fixity_order (
    number BIGINT NOT NULL PRIMARY KEY,
    ordered_at_ms BIGINT NOT NULL,
    ordered_by TEXT NOT NULL,
    done_at_ms BIGINT
);

-- What a person says of a copy that the hub cannot read itself: that it was verified, when, how, and what was found.
CREATE TABLE holding_note (
    number BIGINT NOT NULL PRIMARY KEY,
    target TEXT NOT NULL,
    verified_on TEXT NOT NULL,
    how TEXT NOT NULL,
    faulty BIGINT NOT NULL,
    noted_by TEXT NOT NULL,
    noted_at_ms BIGINT NOT NULL
);
CREATE INDEX holding_note_target ON holding_note (target, verified_on);

-- How many files and bytes are held, by state, without a look at each file's row.
CREATE INDEX held_file_tally ON held_file (state, size_bytes);
