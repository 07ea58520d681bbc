-- Requests of the mediation window. The state is repeated from the last line of the history, for lists; the history
-- only grows. The content has names and no identity numbers: those are keyed hashes and masked texts.
CREATE TABLE lookup_request (
    request_id BLOB NOT NULL PRIMARY KEY,
    number TEXT NOT NULL,
    state TEXT NOT NULL,
    requester TEXT NOT NULL,
    purpose TEXT NOT NULL,
    case_ref TEXT NOT NULL,
    case_id BLOB,
    identity_key TEXT NOT NULL,
    content TEXT NOT NULL,
    given_digest TEXT NOT NULL,
    opened_by TEXT NOT NULL,
    opened_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX lookup_request_number ON lookup_request (number);
CREATE INDEX lookup_request_state ON lookup_request (state, changed_at_ms);
CREATE INDEX lookup_request_case ON lookup_request (case_id);
CREATE INDEX lookup_request_identity ON lookup_request (identity_key);

CREATE TABLE request_history (
    request_id BLOB NOT NULL,
    seq BIGINT NOT NULL,
    step TEXT NOT NULL,
    state TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    days BIGINT NOT NULL,
    rule TEXT NOT NULL,
    PRIMARY KEY (request_id, seq)
);
