-- Sites whose entries are being fetched anew since the catalogue was rebuilt. A site is done when both ends were found
-- equal; until then nothing is claimed about what its copy does not show.
CREATE TABLE rebuild (
    site TEXT PRIMARY KEY,
    expected INTEGER NOT NULL,
    began_at_ms INTEGER NOT NULL,
    done_at_ms INTEGER
);
