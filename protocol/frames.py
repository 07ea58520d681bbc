"""The frame: the unit on the wire, some events of one site in their order.

A sealed frame is, in this order:

    4 bytes   the format, b"DLF1"
    64 bytes  the Ed25519 signature of the node over b"danglian frame 1" and all bytes that follow
    rest      zstd of the frame's JSON, readable by people once unpacked

Frames form a chain: each names the digest (SHA-256 of the sealed bytes) of the frame before it. Two frames that claim
the same place in a chain prove that a database was copied or restored; the receiver then asks for a new epoch.
A *catch-up* frame is made afresh from the site's records when a receiver missed frames that are gone: events whose
effect was overtaken are left out, ``ends`` shows a receiver whether it stands in this very history, and ``stands_for``
names the chain digest that it brings the receiver to.
"""

import hashlib

import msgspec

from protocol.limits import FRAME_EVENTS_MAX

FORMAT = b"DLF1"
SIGNED_PREFIX = b"danglian frame 1"
SIGNATURE_BYTES = 64
END_DIGITS = 16
"""Hex digits of a chain digest by which ``Frame.ends`` tells histories apart: 64 bits."""

HEADER_BYTES = len(FORMAT) + SIGNATURE_BYTES


class Frame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Events of one site in order, with their place in the site's history."""

    version: int = 1
    site: str
    node: str
    """Public NKey of the installation that made the frame."""
    epoch: str
    """Random name of the database that numbers the events; a restored or copied database takes a new one."""
    previous: int
    """Position before the first event of this frame."""
    last: int
    """Position of the last event of this frame."""
    chain: str = ""
    """Digest of the sealed frame before this one; empty at the start of an epoch."""
    catch_up: bool = False
    """Made afresh from the site's records for a receiver that missed frames which are gone."""
    stands_for: str = ""
    """In a catch-up frame: the chain digest that the receiver holds after it; empty when it ends between two frames."""
    retires: tuple[str, ...] = ()
    """In the first frame of an epoch: the epochs of this site that it replaces."""
    events: tuple[msgspec.Raw, ...]
    ends: tuple[tuple[int, str], ...] | None = None
    """In a catch-up frame (since 1.1): every position from ``previous`` on and before ``last`` at which a frame of this
    history ended, with the first ``END_DIGITS`` digits of its digest. None where the site does not know them all."""

    def __post_init__(self) -> None:
        """Refuse a frame whose bounds cannot be true."""
        if not 0 <= self.previous < self.last:
            message = f"frame covers nothing: previous {self.previous}, last {self.last}"
            raise ValueError(message)
        # A catch-up frame may be empty: everything it covers was overtaken by later events.
        if len(self.events) > FRAME_EVENTS_MAX or not (self.events or self.catch_up):
            message = f"frame holds {len(self.events)} events, allowed are 1 to {FRAME_EVENTS_MAX}"
            raise ValueError(message)


def frame_digest(sealed: bytes) -> str:
    """Return the name under which the next frame refers to this one."""
    return hashlib.sha256(sealed).hexdigest()
