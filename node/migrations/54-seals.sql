-- Every signature that the site's key put under a finished PDF.
CREATE TABLE copy_seal (
    copy_id TEXT NOT NULL,
    attributes_digest TEXT NOT NULL,
    sealed_at_ms INTEGER NOT NULL,
    PRIMARY KEY (copy_id, attributes_digest)
);
