"""Holdings: what the hub holds of a site, told to a new node of that site page by page (promise 14; since version 1.1).

A replaced PC has nothing but its folder. Reading that alone would mint new ids for old records, so it first asks the
hub for what its site had described: the bytes that its predecessor wrote, with their ids, codes and former codes.
What must not travel never reached the hub, and comes from the folder alone (promise 8).

A question is repeated until its page comes; a page that comes twice changes nothing.
"""

import msgspec

from protocol.vocabularies import AccessStatus


class FetchHeld(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A node asks for the next page, on ``dl.fetch.<site>``."""

    site: str
    node: str
    question: str
    """Random name of the walk; the pages of an older walk are dropped."""
    after: str = ""
    """The cursor of the page before; empty for the first."""


class HeldRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record that the hub holds."""

    record: msgspec.Raw
    """The bytes that the site wrote."""
    access_status: AccessStatus | None = None
    """The access status that holds now, where a later closing did not change the bytes (promise 7)."""


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
