"""Computes for nothing, until it is ended: what a machine does to others by being shared at all.

Worker: ``python -m tests.bench.burning``.
"""


def burn() -> None:
    """Compute for ever."""
    total = 0
    while True:
        total += sum(range(1000))


if __name__ == "__main__":
    burn()
