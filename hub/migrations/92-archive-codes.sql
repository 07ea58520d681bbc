-- How the archive numbers what it takes 馆编档号: the pattern for a site and one of its fonds; empty stands for any.
CREATE TABLE archive_code_rule (
    site TEXT NOT NULL,
    office_fonds TEXT NOT NULL,
    fonds TEXT NOT NULL,
    catalogue TEXT NOT NULL,
    pattern TEXT NOT NULL,
    set_by TEXT NOT NULL,
    set_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site, office_fonds)
);

-- Every code that the archive ever gave, by a rule or from a list: a code is given once.
CREATE TABLE archive_code (
    code TEXT NOT NULL PRIMARY KEY,
    series TEXT NOT NULL,
    number INTEGER NOT NULL,
    transfer_id TEXT NOT NULL,
    record_id BLOB NOT NULL,
    given_at_ms INTEGER NOT NULL
);
CREATE INDEX archive_code_by_series ON archive_code (series, number);
CREATE INDEX archive_code_by_record ON archive_code (record_id);

-- Volumes that were given a number: what comes later of the same volume goes on in it.
CREATE TABLE archive_volume (
    series TEXT NOT NULL,
    volume TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (series, volume)
);
