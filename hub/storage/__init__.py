"""Where the catalogue lies: SQLite or PostgreSQL, the full-text index of each, and moving or renewing a store."""
