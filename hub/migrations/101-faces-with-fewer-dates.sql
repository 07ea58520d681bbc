-- Of nearly every entry the latest date is the earliest, and a date was a third of its line: lines that are shorter by so
-- much are read in four fifths of the time where ten thousand hits lie on pages of their own. The lines are written anew,
-- because those that only lose a date stay as far apart as they are.
DROP TRIGGER entry_faces_added;
DROP TRIGGER entry_faces_changed;
DROP TRIGGER entry_faces_removed;
ALTER TABLE entry_faces RENAME TO entry_faces_before;
CREATE TABLE entry_faces (
    docid INTEGER PRIMARY KEY,
    face INTEGER NOT NULL,
    date_earliest TEXT,
    date_latest TEXT
);
CREATE TRIGGER entry_faces_added AFTER INSERT ON entry WHEN new.body IS NOT NULL BEGIN
    INSERT INTO face (value) VALUES (new.face) ON CONFLICT DO NOTHING;
    INSERT INTO entry_faces VALUES (new.docid, (SELECT number FROM face WHERE value = new.face), new.date_earliest, nullif(new.date_latest, new.date_earliest));
END;
CREATE TRIGGER entry_faces_changed AFTER UPDATE ON entry
WHEN new.docid <> old.docid OR new.face <> old.face OR (new.body IS NULL) <> (old.body IS NULL)
    OR new.date_earliest IS NOT old.date_earliest OR new.date_latest IS NOT old.date_latest
BEGIN
    DELETE FROM entry_faces WHERE docid = old.docid;
    INSERT INTO face (value) SELECT new.face WHERE new.body IS NOT NULL ON CONFLICT DO NOTHING;
    INSERT INTO entry_faces SELECT new.docid, number, new.date_earliest, nullif(new.date_latest, new.date_earliest) FROM face WHERE new.body IS NOT NULL AND value = new.face;
END;
CREATE TRIGGER entry_faces_removed AFTER DELETE ON entry BEGIN
    DELETE FROM entry_faces WHERE docid = old.docid;
END;
