-- chunked: entry_faces_before.docid
INSERT OR IGNORE INTO entry_faces SELECT docid, face, date_earliest, nullif(date_latest, date_earliest) FROM entry_faces_before WHERE docid > :after AND docid <= :until;
