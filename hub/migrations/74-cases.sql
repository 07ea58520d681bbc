-- What was decided on each record of a request: by the rules (the decision as JSON), and in the end by whom, on what.
CREATE TABLE access_decision (
    request_id BLOB NOT NULL,
    site TEXT NOT NULL,
    record_id BLOB NOT NULL,
    access_status TEXT NOT NULL,
    relation TEXT NOT NULL,
    decision TEXT NOT NULL,
    granted TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at_ms BIGINT NOT NULL,
    PRIMARY KEY (request_id, site, record_id)
);

-- Mediation cases that requests belong to, without the names of parties, and the lists of their files.
CREATE TABLE mediation_case (
    case_id BLOB NOT NULL PRIMARY KEY,
    case_no TEXT NOT NULL,
    body TEXT NOT NULL,
    kind TEXT NOT NULL,
    place TEXT NOT NULL,
    source TEXT NOT NULL,
    result TEXT NOT NULL,
    cause TEXT NOT NULL,
    law_used TEXT NOT NULL,
    party_count BIGINT NOT NULL,
    opened_on TEXT NOT NULL,
    closed_on TEXT,
    changed_by TEXT NOT NULL,
    changed_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX mediation_case_number ON mediation_case (body, case_no);
CREATE INDEX mediation_case_opened ON mediation_case (opened_on);

CREATE TABLE case_document (
    document_id BLOB NOT NULL PRIMARY KEY,
    case_id BLOB NOT NULL,
    item TEXT NOT NULL,
    pages BIGINT NOT NULL,
    copies BIGINT NOT NULL,
    note TEXT NOT NULL,
    request_id BLOB,
    added_by TEXT NOT NULL,
    added_at_ms BIGINT NOT NULL
);
CREATE INDEX case_document_case ON case_document (case_id);

-- Research requests: a request whose answer is a table compiled from many fonds, each line with its sources.
CREATE TABLE research (
    request_id BLOB NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    columns TEXT NOT NULL,
    begun_by TEXT NOT NULL,
    begun_at_ms BIGINT NOT NULL
);

CREATE TABLE research_part (
    part_id BLOB NOT NULL PRIMARY KEY,
    request_id BLOB NOT NULL,
    title TEXT NOT NULL,
    site TEXT NOT NULL,
    scope TEXT NOT NULL,
    assignee TEXT NOT NULL,
    state TEXT NOT NULL,
    note TEXT NOT NULL,
    changed_at_ms BIGINT NOT NULL
);
CREATE INDEX research_part_request ON research_part (request_id);

CREATE TABLE research_line (
    line_id BLOB NOT NULL PRIMARY KEY,
    request_id BLOB NOT NULL,
    part_id BLOB,
    cells TEXT NOT NULL,
    sources TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at_ms BIGINT NOT NULL
);
CREATE INDEX research_line_request ON research_line (request_id, line_id);
