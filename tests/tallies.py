"""Tallies of digests one by one: the plain statement of what the stores' sums must come to."""

from collections.abc import Iterable

from replication.digests import HALF_BITS, HALF_MASK, Tally


def tally_of(digests: Iterable[int]) -> Tally:
    """Return the tally of a list of record digests."""
    listed = list(digests)
    return Tally(count=len(listed), high=sum(d >> HALF_BITS for d in listed), low=sum(d & HALF_MASK for d in listed))
