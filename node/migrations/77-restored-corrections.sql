-- A correction that came back with a restoration: what the sheet said beside it is learnt at the first reading.
ALTER TABLE correction ADD COLUMN is_restored INTEGER NOT NULL DEFAULT 0;
