-- The fields apart, so that a search can name one, and the marks of years and whole codes beside them. The index is filled
-- anew at the next start of the intake, because the version of its terms is another.
DROP TABLE search;
CREATE VIRTUAL TABLE search USING fts5 (title, parties, codes, rest, marks, content = '', columnsize = 0, tokenize = 'ascii');
INSERT INTO search (search, rank) VALUES ('automerge', 8);
INSERT INTO search (search, rank) VALUES ('hashsize', 4194304);
