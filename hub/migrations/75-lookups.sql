-- Questions that go with a request, asked of the index and of the sites that can hold the answer.
CREATE TABLE lookup (
    lookup_id TEXT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL,
    body BLOB NOT NULL,
    digest TEXT NOT NULL,
    query TEXT NOT NULL,
    places TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at_ms BIGINT NOT NULL,
    live_until_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    is_expired BIGINT NOT NULL DEFAULT 0,
    changed_at_ms BIGINT NOT NULL,
    news_at_ms BIGINT,
    widened_because TEXT NOT NULL DEFAULT ''
);
CREATE INDEX lookup_of_request ON lookup (request_id, asked_at_ms);
CREATE INDEX lookup_open ON lookup (expires_at_ms) WHERE ended_at_ms IS NULL;
CREATE INDEX lookup_changed ON lookup (changed_at_ms);

-- What became of a question at one site: also of those that were not asked, and why.
CREATE TABLE lookup_site (
    lookup_id TEXT NOT NULL,
    site TEXT NOT NULL,
    name TEXT NOT NULL,
    route TEXT NOT NULL,
    why_zh TEXT NOT NULL,
    why_en TEXT NOT NULL,
    outcome TEXT NOT NULL,
    total BIGINT,
    withheld BIGINT NOT NULL DEFAULT 0,
    index_total BIGINT,
    reason_zh TEXT NOT NULL DEFAULT '',
    reason_en TEXT NOT NULL DEFAULT '',
    epoch TEXT NOT NULL DEFAULT '',
    seq BIGINT NOT NULL DEFAULT 0,
    took_ms BIGINT NOT NULL DEFAULT 0,
    copied_at_ms BIGINT,
    seen_at_ms BIGINT,
    answered_at_ms BIGINT,
    is_late BIGINT NOT NULL DEFAULT 0,
    is_by_letter BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (lookup_id, site)
);

-- What was found, as far as it may be told.
CREATE TABLE lookup_hit (
    lookup_id TEXT NOT NULL,
    site TEXT NOT NULL,
    record_id TEXT NOT NULL,
    is_live BIGINT NOT NULL,
    is_late BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    stage TEXT NOT NULL,
    treatment TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (lookup_id, site, record_id)
);

-- Answers that fit no question: refused, counted and shown.
CREATE TABLE lookup_stray (
    site TEXT NOT NULL,
    lookup_id TEXT NOT NULL,
    fault TEXT NOT NULL,
    heard_at_ms BIGINT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (site, lookup_id, fault)
);

-- What each site is known to hold, counted from its copy: by it a question is routed.
CREATE TABLE site_holding (
    site TEXT NOT NULL,
    fonds_no TEXT NOT NULL,
    livelihood_kind TEXT NOT NULL,
    level TEXT NOT NULL,
    entries BIGINT NOT NULL,
    undated BIGINT NOT NULL,
    year_from BIGINT,
    year_to BIGINT,
    PRIMARY KEY (site, fonds_no, livelihood_kind, level)
);

CREATE TABLE site_holding_mark (
    site TEXT NOT NULL PRIMARY KEY,
    epoch TEXT NOT NULL,
    position BIGINT NOT NULL,
    counted_at_ms BIGINT NOT NULL
);
