-- Every serial that was ever taken, and its one fate.
CREATE TABLE certificate (
    serial TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    holder TEXT NOT NULL,
    request_id TEXT NOT NULL,
    copy_id TEXT NOT NULL DEFAULT '',
    statement TEXT NOT NULL DEFAULT '',
    signature BLOB,
    contents TEXT NOT NULL DEFAULT '',
    pdf_sha256 TEXT NOT NULL DEFAULT '',
    pdf_pages BIGINT NOT NULL DEFAULT 0,
    replaces TEXT NOT NULL DEFAULT '',
    replaced_by TEXT NOT NULL DEFAULT '',
    because TEXT NOT NULL DEFAULT '',
    taken_by TEXT NOT NULL,
    taken_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT
);
CREATE INDEX certificate_request ON certificate (request_id);
CREATE INDEX certificate_state ON certificate (state);

-- The last number given out in each series: a county and a year.
CREATE TABLE serial_counter (
    series TEXT NOT NULL PRIMARY KEY,
    latest BIGINT NOT NULL
);

-- Numbered paper that the window received.
CREATE TABLE sheet_batch (
    prefix TEXT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    received_by TEXT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    PRIMARY KEY (prefix, first)
);

-- What became of each sheet: printed for a serial, or spoiled and why.
CREATE TABLE sheet (
    prefix TEXT NOT NULL,
    number BIGINT NOT NULL,
    fate TEXT NOT NULL,
    serial TEXT NOT NULL,
    page BIGINT NOT NULL,
    because TEXT NOT NULL DEFAULT '',
    printer TEXT NOT NULL,
    who TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (prefix, number)
);
CREATE INDEX sheet_serial ON sheet (serial);
