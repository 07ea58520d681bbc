-- How far a new search index has come that is built beside the present one (version 0: none is being built).
ALTER TABLE catalogue_state ADD COLUMN building_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE catalogue_state ADD COLUMN built_to INTEGER NOT NULL DEFAULT -1;
ALTER TABLE catalogue_state ADD COLUMN built_rows INTEGER NOT NULL DEFAULT 0;
ALTER TABLE catalogue_state ADD COLUMN building_rows INTEGER NOT NULL DEFAULT 0;
