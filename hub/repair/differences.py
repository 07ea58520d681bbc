"""How one record can differ between a site and the hub's copy of it."""

from enum import StrEnum
from uuid import UUID

import msgspec


class DifferenceKind(StrEnum):
    """How one record differs."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    OTHER_CONTENT = "other_content"
    DAMAGED_HERE = "damaged_here"
    """The hub's bytes no longer have the digest under which they are stored."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One record that the two ends do not hold alike."""

    fonds_no: str
    record_id: UUID
    kind: DifferenceKind
