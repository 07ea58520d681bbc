"""Holdings: what the hub holds of a site, told to a new node of that site page by page (promise 14; since version 1.1).

A replaced PC has nothing but its folder. Reading that alone would mint new ids for old records, so it first asks the
hub for what its site had described: the bytes that its predecessor wrote, with their ids, codes and former codes.
What must not travel never reached the hub, and comes from the folder alone (promise 8). What the site has withdrawn is
told as well, so that an old sheet in the folder does not publish it anew (promise 7).

A question is repeated until its page comes; a page that comes twice changes nothing.
"""

from uuid import UUID

import msgspec

from protocol.vocabularies import AccessStatus, Level


class FetchHeld(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A node asks for the next page, on ``dl.fetch.<site>``."""

    site: str
    node: str
    question: str
    """Random name of the walk; the pages of an older walk are dropped."""
    after: str = ""
    """The cursor of the page before; empty for the first."""


class HeldCorrection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A field of a record that says what the keeper took over, and not what the sheet says (since version 1.6)."""

    field: str
    """A ``protocol.proposals.ProposedField``."""
    proposal_id: UUID
    made_at_ms: int = 0


class HeldRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record that the hub holds."""

    record: msgspec.Raw
    """The bytes that the site wrote."""
    access_status: AccessStatus | None = None
    """The access status that holds now, where a later closing did not change the bytes (promise 7)."""
    corrected: tuple[HeldCorrection, ...] = ()


class HeldStone(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record that the site withdrew: all that is left of it at the hub (since version 1.5)."""

    record_id: UUID
    cause: str
    """As its site said it."""
    content_key: int
    """``protocol.fingerprints`` of what it said last."""
    version: int = 1
    fonds_no: str = ""
    ref_code: str = ""
    """Empty where not even that may be known."""
    level: Level = Level.ITEM


class HeldPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The hub's answer on ``dl.held.<site>``: zstd of this value's JSON."""

    site: str
    question: str
    after: str = ""
    """The cursor that was asked for."""
    cursor: str = ""
    """Where the next page begins; empty after the last one."""
    records: tuple[HeldRecord, ...] = ()
    epoch: str = ""
    """With the position: how far the hub has applied the site's history. All pages of a walk must say the same."""
    position: int = 0
    total: int = 0
    """Records that the hub holds of the site."""
    digest: str = ""
    """Digest of all of them."""
    withdrawn: tuple[HeldStone, ...] = ()
    """Withdrawn records, on pages of their own behind those of the others (since version 1.5)."""
