"""Real input that nobody here wrote; skipped where it is absent."""
