"""Letters by which hub and site keep each other's audit logs honest (kind ``audit_head``).

Each end tells the head of its own log now and then, and keeps the other's heads. It also asks for the digests that the
other's log has at places whose heads it kept: an end that has changed, removed or cut off a line cannot say them. Heads
travel besides with every question and answer of a lookup.
"""

from typing import Final

import msgspec

from protocol.audit_chain import AuditHead

AUDIT_HEAD: Final = "audit_head"
"""Kind of the letter, both ways."""

PLACES_ASKED_MAX: Final = 50
"""Places of the other's log that one letter asks for or answers."""


class AuditHeadTold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one end says of its log, and wants to know of the other's."""

    head: AuditHead = AuditHead()
    places: tuple[int, ...] = ()
    """Lines of the reader's log of which the writer keeps a head."""
    digests: tuple[AuditHead, ...] = ()
    """What the writer's log has at the places that the reader last asked for."""
    is_broken: bool = False
    """The writer has found that its own chain does not hold."""
    contradicted: tuple[AuditHead, ...] = ()
    """Heads of the reader's log that the writer kept and that the reader's log does not bear out any more (1.5)."""
