-- The workers that share one store, each for as long as it runs, by the store's clock.
CREATE TABLE worker (
    name TEXT PRIMARY KEY,
    started_at_ms INTEGER NOT NULL,
    seen_at_ms INTEGER NOT NULL
);

-- Who does what now, and until when unless it says so again. The fence grows whenever a duty changes hands.
CREATE TABLE lease (
    duty TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL,
    until_ms INTEGER NOT NULL
);
