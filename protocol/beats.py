"""Signs of life and receipts: the two small messages that keep both ends honest.

A node says at its own rhythm where it stands (``Beat``). The hub answers with a ``Receipt``: how far it has applied the
site's events, and what it needs. Both are repeated state, not commands: losing one changes nothing, the next says the
same. Only a receipt lets a node forget what it has sent (promise 3).
"""

from enum import StrEnum

import msgspec

from protocol.rhythms import Rhythm


class Beat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a node stands: sent on connecting, after imports, every ``limits.HEARTBEAT_S``, and when it stops."""

    site: str
    node: str
    epoch: str
    seq: int
    """Latest position minted."""
    published: int = 0
    """Latest position that the broker has acknowledged."""
    outbox_frames: int = 0
    records: int = 0
    withheld: int = 0
    """Records that stay at home because of their secrecy."""
    rejected: int = 0
    """Rows that stand rejected now."""
    warned: int = 0
    files: int = 0
    brakes_held: int = 0
    importing: bool = False
    disk_free_bytes: int = 0
    software: str = ""
    started_at_ms: int = 0
    at_ms: int = 0
    stopping: bool = False
    """A goodbye: the program closes and says so, so nobody need wait for the site. The next beat takes it back;
    a reader of version 1.0 takes a goodbye for a sign of life."""
    rhythm: Rhythm | None = None
    """When the site promises to be heard; None from a node of version 1.0, which promises nothing."""
    folders_unread: int = 0
    """Watched folders that the last look could not read: unplugged, unmarked, or another one in their place."""
    faults: tuple[str, ...] = ()
    """What goes wrong on the node's link, by the names of ``replication.faults``; the latest last, few."""
    letters: int = 0
    """Letters that wait for the hub to fetch them (since 1.4)."""
    kept_faulty: int = 0
    """Files that the site keeps for others and that were not as they came when they were last read (since 1.5)."""


class Want(StrEnum):
    """What the hub needs of a site before it can be in sync again."""

    NOTHING = "nothing"
    BASELINE = "baseline"
    """Describe everything again, in the same epoch."""
    NEW_EPOCH = "new_epoch"
    """Two histories claim the same epoch, or an old database came back: a new epoch must retire it."""

    @classmethod
    def _missing_(cls, value: object) -> "Want | None":
        # A later hub may want what this version cannot give: its receipts must go on emptying the outbox all the same.
        return cls.NOTHING if isinstance(value, str) else None


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the hub has applied a site's events; positions count only within the named epoch."""

    site: str
    epoch: str
    """The site's epoch as the hub knows it; empty if it knows none."""
    applied: int
    chain: str = ""
    """Digest of the frame that ended at ``applied``: a node that differs there was restored."""
    want: Want = Want.NOTHING
    at_ms: int = 0
    window_frames: int = 0
    """Frames that the site may have under way without a receipt, fewer while many sites send; 0 leaves it to the site,
    as a hub of version 1.0 does."""
