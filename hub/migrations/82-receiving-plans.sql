-- What the archive and a site agreed about when records of a kind come: earlier or later than the rule says.
CREATE TABLE transfer_agreement (
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    after_years INTEGER NOT NULL,
    agreed_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    agreed_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site, kind)
);

-- The yearly receiving plan, a line for each site and kind that has records due.
CREATE TABLE transfer_plan (
    plan_id TEXT NOT NULL PRIMARY KEY,
    plan_year INTEGER NOT NULL,
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    after_years INTEGER NOT NULL,
    basis TEXT NOT NULL,
    agreed_by TEXT NOT NULL,
    planned INTEGER NOT NULL,
    year_first INTEGER NOT NULL,
    year_last INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    made_at_ms INTEGER NOT NULL
);
-- Lines of the fonds descriptive files 全宗卷: what happened to a fonds as a whole, in the order of entry.
CREATE TABLE fonds_dossier (
    site TEXT NOT NULL,
    fonds_no TEXT NOT NULL,
    transfer_id TEXT NOT NULL,
    words_zh TEXT NOT NULL,
    words_en TEXT NOT NULL,
    entered_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site, fonds_no, transfer_id)
);

-- How many volumes of a site are to be re-described item by item in a year, and how many were before.
CREATE TABLE conversion_plan (
    plan_year INTEGER NOT NULL,
    site TEXT NOT NULL,
    volumes INTEGER NOT NULL,
    converted_before INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    made_at_ms INTEGER NOT NULL,
    PRIMARY KEY (plan_year, site)
);
CREATE UNIQUE INDEX transfer_plan_line ON transfer_plan (plan_year, site, kind);
