-- The reference code of the volume that a record names, empty for most; the volume is one of the same fonds.
ALTER TABLE record ADD COLUMN volume_code TEXT NOT NULL DEFAULT '';

-- Both are empty at a site that describes no volumes.
CREATE INDEX record_in_volume ON record (fonds_no, volume_code) WHERE volume_code <> '';
CREATE INDEX record_volume ON record (fonds_no, ref_code) WHERE level = 'volume' AND standing = 'listed';

-- Codes that a volume took or left since the links of the records that name them were last looked at.
CREATE TABLE volume_due (
    fonds_no TEXT NOT NULL,
    ref_code TEXT NOT NULL,
    PRIMARY KEY (fonds_no, ref_code)
);
