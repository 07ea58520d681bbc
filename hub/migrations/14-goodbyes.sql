-- Whether a site's last sign of life was a goodbye: its program has closed.
ALTER TABLE node_state ADD COLUMN stopping INTEGER NOT NULL DEFAULT 0;
