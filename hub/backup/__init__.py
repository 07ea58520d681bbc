"""Backups of the hub: made, counted, read back, put back, and drilled."""
