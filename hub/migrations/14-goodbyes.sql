-- Whether a site's last sign of life was a goodbye: its program was stopped in order.
ALTER TABLE node_state ADD COLUMN stopping INTEGER NOT NULL DEFAULT 0;
