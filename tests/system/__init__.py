"""Real programs and a real broker on this machine."""
