"""Real faults on real parts: the programs as they are shipped, a real broker, and what villages do to them."""
