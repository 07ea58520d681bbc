-- Which part this end plays in a transfer: '' its usual one (the hub receives, a site gives), 'receiver' at a township
-- that takes a village's records into its custody, 'witness' at the hub that carries the steps of two sites,
-- 'host' at a node that keeps both the owner's fonds and the receiver's.
ALTER TABLE transfer ADD COLUMN role TEXT NOT NULL DEFAULT '';

-- How the files of a round come, where somebody said otherwise than its giver: by the line, or by the disk.
CREATE TABLE transfer_way (
    transfer_id TEXT NOT NULL,
    round INTEGER NOT NULL,
    way TEXT NOT NULL,
    PRIMARY KEY (transfer_id, round)
);
