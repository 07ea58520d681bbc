-- What the facets of a search are counted by, and the dates that a search may have to compare by the day, in an index of
-- their own: ten thousand of its lines are read where as many entries would be some megabytes. The index keeps itself.
ALTER TABLE entry ADD COLUMN face TEXT GENERATED ALWAYS AS (site || '␟' || fonds_no || '␟' || livelihood_kind || '␟' || access_status || '␟' || level) VIRTUAL;
CREATE INDEX entry_face ON entry (docid, face, date_earliest, date_latest) WHERE body IS NOT NULL;
