-- When each site could be heard, and when not: one row for each turn, the oldest thinned out.
CREATE TABLE site_contact (
    site TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    contact TEXT NOT NULL,
    PRIMARY KEY (site, since_ms)
);

-- What each site last said of its catalogue files, as JSON: it is shown while the site is away, with its moment.
CREATE TABLE site_report (
    site TEXT PRIMARY KEY,
    heard_at_ms INTEGER NOT NULL,
    report BLOB NOT NULL
);
