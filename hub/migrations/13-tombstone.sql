-- How far each site's history was applied at some moments of the past, by the hub's clock: what lies below an old
-- horizon is old, whatever clock its site had.
CREATE TABLE tombstone_horizon (
    site TEXT NOT NULL,
    noted_at_ms INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (site, noted_at_ms)
);

-- Finds the tombstones of a site without reading its entries, and costs nothing where there are none.
CREATE INDEX entry_stone ON entry (site, epoch, seq) WHERE withdrawn IS NOT NULL;
