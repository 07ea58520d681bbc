"""Digests: how two ends prove that they hold the same records (promise 4), without sending them.

The digest of a record is taken over the exact bytes that its owner wrote. A set of records is summed up by a *tally*:
how many there are, and the sums of the high and the low halves of their digests. Sums do not depend on order, can be
made by any SQL database in one pass, and two sets of the same size differ in them except once in 2**64.
A tally is compared for a whole fonds first, then for the 256 buckets of a fonds, then record by record.
"""

import hashlib
from uuid import UUID

import msgspec

_DIGEST_BYTES = 8
HALF_BITS = 32
HALF_MASK = 0xFFFF_FFFF


def record_digest(body: bytes | memoryview) -> int:
    """Return the digest of a record's bytes as a signed 64-bit integer, as databases store it."""
    digest = hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest()
    return int.from_bytes(digest, "big", signed=True)


def digest_name(digest: int) -> str:
    """Return a stored digest as the 16 hex digits by which records name their previous version."""
    return f"{digest & (2**64 - 1):016x}"


def bucket_of(record_id: UUID) -> int:
    """Return the bucket, 0 to 255, that a record is compared in: the last byte of its id is random."""
    return record_id.int & 0xFF


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many records a set has, and the sums of the two halves of their digests."""

    count: int = 0
    high: int = 0
    low: int = 0

    @property
    def digest(self) -> str:
        """The tally as one short text that is equal only for equal sets."""
        return f"{self.count}-{self.high & (2**64 - 1):016x}-{self.low & (2**64 - 1):016x}"

    def joined(self, other: "Tally") -> "Tally":
        """Return the tally of both sets together."""
        return Tally(count=self.count + other.count, high=self.high + other.high, low=self.low + other.low)
