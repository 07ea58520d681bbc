-- chunked: entry.docid
-- The numbers of the faces of what was there before them.
INSERT OR IGNORE INTO entry_faces SELECT docid, (SELECT number FROM face WHERE value = entry.face), date_earliest, date_latest FROM entry WHERE docid > :after AND docid <= :until AND body IS NOT NULL;
