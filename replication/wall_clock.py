"""The wall clock of this machine, as daemons and commands hand it to their parts: for display, never for order."""

import time


def clock_ms() -> int:
    """Return the milliseconds since 1970."""
    return time.time_ns() // 1_000_000
