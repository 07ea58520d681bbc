"""Uses as much processor time as it is told, for nothing: what a machine does to others by being busy at all.

Worker: ``python -m tests.bench.burning CORES``; a share of one core, in turns of ``TURN_S``, until it is ended.
"""

import sys
import time

TURN_S = 0.02
"""Seconds of one turn of work and rest."""


def burn(share: float) -> None:
    """Work for a share of the time, for ever."""
    total = 0
    while True:
        begun = time.monotonic()
        while time.monotonic() - begun < TURN_S * share:
            total += sum(range(100))
        time.sleep(max(0.0, TURN_S * (1 - share)))


if __name__ == "__main__":
    burn(float(sys.argv[1]))
