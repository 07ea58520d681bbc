-- Codes for installations that no line reaches: the public key that the code's secret stands for; empty for the others.
ALTER TABLE enrolment_code ADD COLUMN courier_key TEXT NOT NULL DEFAULT '';

-- Installations that come by courier: the latest delivery seen of each (serial, epoch, confirmed), the latest that
-- was taken, and the latest reply written for it. 0 and '' where there was none yet.
CREATE TABLE courier (
    node TEXT PRIMARY KEY REFERENCES enrolled_node (public_key),
    site TEXT NOT NULL,
    serial INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    confirmed INTEGER NOT NULL,
    made_at_ms INTEGER NOT NULL,
    taken_serial INTEGER NOT NULL,
    taken_at_ms INTEGER NOT NULL,
    sent_serial INTEGER NOT NULL,
    sent_at_ms INTEGER NOT NULL
);
