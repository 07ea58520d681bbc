-- What the archive expects of this site, as its plan says; a plan of a year that is told again replaces the former.
CREATE TABLE planned_line (
    plan_id TEXT NOT NULL PRIMARY KEY,
    plan_year INTEGER NOT NULL,
    kind TEXT NOT NULL,
    records INTEGER NOT NULL,
    year_first INTEGER NOT NULL,
    year_last INTEGER NOT NULL
);
