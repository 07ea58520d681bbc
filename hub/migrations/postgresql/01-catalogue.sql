-- What each site says about each record it keeps. The docid is year * 10**9 + serial, so that newest first is a walk
-- along the rowid. Without a body an entry is a tombstone (withdrawn) or only announced (neither).
CREATE TABLE entry (
    docid BIGINT PRIMARY KEY,
    record_id BYTEA NOT NULL,
    site TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    digest BIGINT NOT NULL,
    bucket BIGINT NOT NULL,
    withdrawn TEXT COLLATE "C",
    level TEXT COLLATE "C" NOT NULL,
    secrecy TEXT COLLATE "C" NOT NULL,
    access_status TEXT COLLATE "C" NOT NULL,
    livelihood_kind TEXT COLLATE "C" NOT NULL,
    fonds_no TEXT COLLATE "C" NOT NULL,
    ref_code TEXT COLLATE "C" NOT NULL,
    date_earliest TEXT COLLATE "C",
    date_latest TEXT COLLATE "C",
    provenance BYTEA,
    body BYTEA
);
CREATE UNIQUE INDEX entry_record ON entry (record_id, site);
-- For comparing a site's records with its own sums. In the order of the record ids, which grow with time: a site's new
-- records are written side by side, where an index by bucket would spread them over all of its pages.
CREATE INDEX entry_tally ON entry (site, fonds_no, record_id, bucket, digest) WHERE body IS NOT NULL;

-- The words and the likeness keys of the entries that have a body, in the places where they stand. A vector holds them in
-- the order of their bytes, whatever the county's language.
CREATE TABLE search (
    rowid BIGINT PRIMARY KEY,
    terms TSVECTOR NOT NULL
) PARTITION BY RANGE (rowid);
-- By years, named by the first: a search that wants the newest entries leaves the others alone.
CREATE TABLE search_0 PARTITION OF search FOR VALUES FROM (MINVALUE) TO (1000000000);
CREATE TABLE search_1 PARTITION OF search FOR VALUES FROM (1000000000) TO (1912000000000);
CREATE TABLE search_1912 PARTITION OF search FOR VALUES FROM (1912000000000) TO (1949000000000);
CREATE TABLE search_1949 PARTITION OF search FOR VALUES FROM (1949000000000) TO (1955000000000);
CREATE TABLE search_1955 PARTITION OF search FOR VALUES FROM (1955000000000) TO (1960000000000);
CREATE TABLE search_1960 PARTITION OF search FOR VALUES FROM (1960000000000) TO (1965000000000);
CREATE TABLE search_1965 PARTITION OF search FOR VALUES FROM (1965000000000) TO (1970000000000);
CREATE TABLE search_1970 PARTITION OF search FOR VALUES FROM (1970000000000) TO (1975000000000);
CREATE TABLE search_1975 PARTITION OF search FOR VALUES FROM (1975000000000) TO (1980000000000);
CREATE TABLE search_1980 PARTITION OF search FOR VALUES FROM (1980000000000) TO (1985000000000);
CREATE TABLE search_1985 PARTITION OF search FOR VALUES FROM (1985000000000) TO (1990000000000);
CREATE TABLE search_1990 PARTITION OF search FOR VALUES FROM (1990000000000) TO (1995000000000);
CREATE TABLE search_1995 PARTITION OF search FOR VALUES FROM (1995000000000) TO (2000000000000);
CREATE TABLE search_2000 PARTITION OF search FOR VALUES FROM (2000000000000) TO (2005000000000);
CREATE TABLE search_2005 PARTITION OF search FOR VALUES FROM (2005000000000) TO (2010000000000);
CREATE TABLE search_2010 PARTITION OF search FOR VALUES FROM (2010000000000) TO (2015000000000);
CREATE TABLE search_2015 PARTITION OF search FOR VALUES FROM (2015000000000) TO (2020000000000);
CREATE TABLE search_2020 PARTITION OF search FOR VALUES FROM (2020000000000) TO (2025000000000);
CREATE TABLE search_2025 PARTITION OF search FOR VALUES FROM (2025000000000) TO (2030000000000);
CREATE TABLE search_2030 PARTITION OF search FOR VALUES FROM (2030000000000) TO (2035000000000);
CREATE TABLE search_2035 PARTITION OF search FOR VALUES FROM (2035000000000) TO (2040000000000);
CREATE TABLE search_2040 PARTITION OF search FOR VALUES FROM (2040000000000) TO (2045000000000);
CREATE TABLE search_2045 PARTITION OF search FOR VALUES FROM (2045000000000) TO (MAXVALUE);
-- What a load brings waits in the index's list of pending entries; hub.tidying merges it while nothing arrives.
CREATE INDEX search_terms ON search USING gin (terms) WITH (gin_pending_list_limit = 4096);

-- SQLite's pattern with * and ?, as a function of that name, for lists of sites: 330523108* is a town and its villages.
CREATE FUNCTION glob(pattern TEXT, value TEXT) RETURNS BOOLEAN LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT value LIKE replace(replace(replace(replace(replace(pattern, '!', '!!'), '%', '!%'), '_', '!_'), '*', '%'), '?', '_') ESCAPE '!' $$;

-- One row: the next serial of a docid, and the version of the rules that cut the terms above (0: nothing is indexed yet).
CREATE TABLE catalogue_state (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    next_serial BIGINT NOT NULL,
    index_version BIGINT NOT NULL
);
INSERT INTO catalogue_state (only_row, next_serial, index_version) VALUES (1, 1, 0);

-- The epochs of each site in the order in which the hub accepted them; entries name the number.
CREATE TABLE site_epoch (
    site TEXT COLLATE "C" NOT NULL,
    epoch TEXT COLLATE "C" NOT NULL,
    ordinal BIGINT NOT NULL,
    PRIMARY KEY (site, epoch)
);

-- What changed after the first description: names of fields, or why a record was withdrawn. Never values, because a
-- value that its owner masked must not live on here.
CREATE TABLE history (
    record_id BYTEA NOT NULL,
    site TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    what TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (record_id, site, epoch, seq)
);

-- Two contents that claim the same place in one history.
CREATE TABLE conflict (
    record_id BYTEA NOT NULL,
    site TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    held_digest BIGINT NOT NULL,
    offered_digest BIGINT NOT NULL,
    noted_at_ms BIGINT NOT NULL,
    PRIMARY KEY (record_id, site, epoch, seq, offered_digest)
);

-- Complete new descriptions of a site: what was promised at the end, and what the hub held then.
CREATE TABLE baseline (
    site TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    began BIGINT NOT NULL,
    ended BIGINT,
    cause TEXT COLLATE "C" NOT NULL,
    began_at_ms BIGINT NOT NULL,
    promised_count BIGINT,
    promised_digest TEXT COLLATE "C",
    held_count BIGINT,
    held_digest TEXT COLLATE "C",
    swept BIGINT,
    PRIMARY KEY (site, epoch, began)
);

-- Decisions of people that two records which look alike are different things. A reversed decision stays, with its end.
CREATE TABLE apart (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    first BYTEA NOT NULL,
    second BYTEA NOT NULL,
    decided_by TEXT COLLATE "C" NOT NULL,
    decided_at_ms BIGINT NOT NULL,
    reversed_by TEXT COLLATE "C",
    reversed_at_ms BIGINT
);
CREATE UNIQUE INDEX apart_standing ON apart (first, second) WHERE reversed_at_ms IS NULL;
CREATE INDEX apart_second ON apart (second);

-- The last sign of life of each site.
CREATE TABLE node_state (
    site TEXT COLLATE "C" PRIMARY KEY,
    node TEXT COLLATE "C" NOT NULL,
    epoch TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    published BIGINT NOT NULL,
    outbox_frames BIGINT NOT NULL,
    records BIGINT NOT NULL,
    withheld BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    warned BIGINT NOT NULL,
    files BIGINT NOT NULL,
    brakes_held BIGINT NOT NULL,
    importing BIGINT NOT NULL,
    disk_free_bytes BIGINT NOT NULL,
    software TEXT COLLATE "C" NOT NULL,
    started_at_ms BIGINT NOT NULL,
    seen_at_ms BIGINT NOT NULL
);

-- The last comparison of each site's records with the hub's copy.
CREATE TABLE verification (
    site TEXT COLLATE "C" PRIMARY KEY,
    state TEXT COLLATE "C" NOT NULL,
    epoch TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    site_records BIGINT NOT NULL,
    hub_records BIGINT NOT NULL,
    differing BIGINT NOT NULL,
    compared_at_ms BIGINT NOT NULL
);
