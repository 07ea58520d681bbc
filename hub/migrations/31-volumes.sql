-- The volume that a record lies in, as its owner says; empty for most.
ALTER TABLE entry ADD COLUMN parent_id TEXT;
CREATE INDEX entry_in_volume ON entry (site, parent_id) WHERE parent_id IS NOT NULL;
