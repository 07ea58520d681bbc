-- chunked: entry.docid
-- Nodes of a later version than this hub may have told volumes before it knew what they are.
UPDATE entry SET parent_id = json_extract(CAST(body AS TEXT), '$.parent_id')
WHERE docid > :after AND docid <= :until AND instr(body, CAST('"parent_id":"' AS BLOB)) > 0 AND json_valid(CAST(body AS TEXT));
