-- What a request said before it was amended, beside the line of its history that says that it was. It names persons, and
-- goes when the personal data of the request go.
CREATE TABLE request_amendment (
    request_id BLOB NOT NULL,
    seq BIGINT NOT NULL,
    content_before TEXT NOT NULL,
    content_after TEXT NOT NULL,
    PRIMARY KEY (request_id, seq)
);
