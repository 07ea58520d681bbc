-- Steps of two sites that the hub has given on from one to the other.
CREATE TABLE transfer_relayed (
    transfer_id TEXT NOT NULL,
    side TEXT NOT NULL,
    number INTEGER NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (transfer_id, side, number)
);
