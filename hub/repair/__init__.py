"""Proving that both ends hold the same, and mending what differs: comparisons, repairs, rebuilds, tombstones."""
