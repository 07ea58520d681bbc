-- Files that a site keeps for others and that were not as they came when it last read them.
ALTER TABLE node_state ADD COLUMN kept_faulty INTEGER NOT NULL DEFAULT 0;
