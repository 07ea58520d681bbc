-- What the facets of a search are counted by, in the row that is read anyway. Where it is missing, as in rows of before,
-- the entry is asked. The number also keeps programs away that know only the wide parts of the index of before.
ALTER TABLE search ADD COLUMN face TEXT COLLATE "C";
CREATE FUNCTION face_beside_terms() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE search SET face = translate(NEW.face, chr(10), '' '') WHERE rowid = NEW.docid; RETURN NULL; END';
CREATE OR REPLACE TRIGGER entry_face_beside_terms AFTER UPDATE ON entry FOR EACH ROW WHEN (OLD.face IS DISTINCT FROM NEW.face) EXECUTE FUNCTION face_beside_terms();
-- A successor that an earlier version was building has wide parts and no faces: it is begun anew.
DROP TABLE IF EXISTS search_next;
UPDATE catalogue_state SET building_version = 0, built_to = -1, built_rows = 0, building_rows = 0;
