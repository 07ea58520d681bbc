-- Records that the search index does not hold yet: those of a year beyond a number. New numbers of a year only grow.
CREATE TABLE unindexed (
    year INTEGER PRIMARY KEY,
    -- All records of the year up to here are in the index, or were never meant to be.
    after INTEGER NOT NULL,
    -- The site's position before the first event of one that waits: what the index finds is as of there.
    since INTEGER NOT NULL
);
