-- What is typed at the window and not sent yet. Sealed under a key that is not in the store: it names persons, and may
-- hold an identity number until the request is sent and only its keyed hash is left.
CREATE TABLE unsent_request (
    request_id BLOB NOT NULL PRIMARY KEY,
    login TEXT NOT NULL,
    sealed BLOB NOT NULL,
    begun_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL
);
CREATE INDEX unsent_request_login ON unsent_request (login, changed_at_ms);
