"""Every event on the stream: one union, append-only.

An event says that something became true at its owner. ``seq`` is its position at the site in the present epoch and
``previous`` the position before it, so that a receiver sees a gap at once (numbering may have holes). ``at_ms`` is for
display only; clocks on village PCs are not trusted for order.

Records travel as the exact bytes that their owner wrote (``msgspec.Raw``): fields that this version does not know
survive, and a digest over the bytes is the same at both ends.

New kinds are added at the end of the union; an old reader quarantines the kinds it does not know. What takes a record
out of the catalogue or closes it must not wait for an upgrade (promise 7), so that its words travel as plain text: a
cause or a status of a later version is read, and taken for the gravest one.
"""

from enum import StrEnum
from uuid import UUID

import msgspec


class EventHead(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What every event carries."""

    seq: int
    previous: int
    at_ms: int
    actor: str = ""
    """Which part of the site acted: ``import``, ``keeper`` …; never a person's name."""


class Described(EventHead, frozen=True, kw_only=True, omit_defaults=True, tag="described"):
    """A record was described or re-described; ``record`` is the whole ``records.Record``."""

    record: msgspec.Raw


class WithdrawalCause(StrEnum):
    """Why a record left the catalogue."""

    ROW_VANISHED = "row_vanished"
    """The owner's catalogue no longer lists it, and the mass-change brake let that pass (promise 6)."""
    SECRECY_RAISED = "secrecy_raised"
    """It may not travel any more (promise 8)."""
    OWNER_DECISION = "owner_decision"
    """A person at the owner withdrew it."""
    NOT_IN_BASELINE = "not_in_baseline"
    """A complete new baseline of the site did not contain it."""
    NOT_HELD = "not_held"
    """A comparison found it at the reader only: the owner has no such record (since version 1.1)."""


class Withdrawn(EventHead, frozen=True, kw_only=True, omit_defaults=True, tag="withdrawn"):
    """A record left the catalogue; it remains as a tombstone, and late updates do not bring it back (promise 7)."""

    record_id: UUID
    cause: str
    """A ``WithdrawalCause``, or a word of a later version."""


class AccessChanged(EventHead, frozen=True, kw_only=True, omit_defaults=True, tag="access_changed"):
    """The access status of a record changed (opening, closing, deferral); ``record`` is the whole record.

    The status stands beside the record so that closing takes effect even at a reader to whom the rest is unreadable.
    """

    record_id: UUID
    access_status: str
    """An ``AccessStatus``, or a word of a later version; ``vocabularies.believed_access`` says what it means here."""
    record: msgspec.Raw


class BaselinePhase(StrEnum):
    """The two ends of a baseline."""

    BEGIN = "begin"
    END = "end"


class BaselineMarked(EventHead, frozen=True, kw_only=True, omit_defaults=True, tag="baseline_marked"):
    """The site describes everything it has from here on (begin), or has done so (end).

    At the end ``record_count`` and ``digest`` let the reader prove that it holds the same set (promise 4).
    """

    phase: BaselinePhase
    cause: str = ""
    record_count: int = 0
    digest: str = ""


Event = Described | Withdrawn | AccessChanged | BaselineMarked
