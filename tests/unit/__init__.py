"""Pure code, one module at a time."""
