"""Transfers 移交: the steps of which one is made, and the words for what they say. Pure values.

A transfer moves records and their scans from a giver (a site) to a receiver (the county archive; a township archive for
records that it keeps on behalf of a village). Both ends hold one log of steps and read it with the same function
(``protocol.transfer_states.fold``); nothing else about a transfer is ever agreed by telling states to one another.

Each side numbers its own steps from 1 and says in ``heard`` how many of the other side's it had before it, and in
``previous`` the digest of its own last one. So a reader sees a gap, a second history under the same numbers, and what
came before what, without trusting any clock. A step travels sealed by the key of the installation that wrote it: either
end may give the other its own steps back after a database was put back from a backup.

Kinds of steps are added at the end of the union; a step of a kind that is not known is set aside until an upgrade.
"""

import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from protocol.wording import Text

LETTER_KIND: Final = "transfer_step"
"""Kind of the letters that carry sealed steps; their topic is the transfer."""

SEAL_PREFIX: Final = b"danglian transfer step 1\n"
"""What stands before a step's bytes when it is sealed."""

RULINGS_PER_STEP_MAX: Final = 150
"""Rulings in one step: with both languages of a reason they stay under the size of a letter."""

BOXES_PER_STEP_MAX: Final = 300
"""Boxes counted in one step."""

WORDS_CHARS_MAX: Final = 200
"""Characters of a reason, a note or an opinion in a step."""

NAME_CHARS_MAX: Final = 80
"""Characters of the name of a unit or a person in a step."""

ROUNDS_MAX: Final = 50
"""Rounds of one transfer: who has not mended it by then begins another."""


class Side(StrEnum):
    """Which end wrote a step."""

    GIVER = "giver"
    RECEIVER = "receiver"

    @property
    def other(self) -> "Side":
        """The other end."""
        return Side.RECEIVER if self is Side.GIVER else Side.GIVER


class TransferState(StrEnum):
    """Where a transfer stands."""

    PLANNED = "planned"
    """Begun by the giver; its records are chosen."""
    PREPARED = "prepared"
    """A package of this round is made and passed the giver's own checks."""
    SUBMITTED = "submitted"
    """The package is offered: the receiver draws its files."""
    CHECKING = "checking"
    """All files are there; the receiver checks and decides, item by item."""
    RETURNED = "returned"
    """Some items are to be mended: the next round carries only these."""
    ACCEPTED = "accepted"
    """Nothing is open any more; the two signatures are due, the giver's first."""
    SIGNED = "signed"
    """Both have signed: the owner describes its records as kept by the receiver."""
    LOADED = "loaded"
    """The catalogue shows the new custody, and the files are in the receiver's holdings."""
    CLOSED = "closed"
    """Reported; nothing follows."""
    CANCELLED = "cancelled"
    """Given up before both had signed; nothing has changed hands."""

    @property
    def is_over(self) -> bool:
        """True if no step can follow."""
        return self in (TransferState.CLOSED, TransferState.CANCELLED)


class Nature(StrEnum):
    """Under which title records change hands 移交性质."""

    TRANSFER = "transfer"
    """移交: custody and legal control, by statute."""
    DELEGATED_CUSTODY = "delegated_custody"
    """代管: custody alone; the village stays owner, and decides on release."""
    DEPOSIT = "deposit"
    """寄存: custody alone, by agreement."""
    DONATION = "donation"
    """捐赠: custody, legal control and ownership."""
    PURCHASE = "purchase"
    """征购: as a donation, against payment."""

    @property
    def moves_release(self) -> bool:
        """True if the receiver decides on release from then on."""
        return self in (Nature.TRANSFER, Nature.DONATION, Nature.PURCHASE)

    @property
    def moves_ownership(self) -> bool:
        """True if the receiver owns the records from then on."""
        return self in (Nature.DONATION, Nature.PURCHASE)

    @property
    def needs_review(self) -> bool:
        """True if every item must come with its opening opinion and disclosure attribute (档案法 art. 30)."""
        return self is Nature.TRANSFER


class Ruling(StrEnum):
    """What the receiver says of one item."""

    ACCEPT = "accept"
    RETURN = "return"
    HOLD = "hold"


class Party(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One side of the handover certificate 交接文据: who answers for it, as it stands on paper."""

    site: str
    """Site code of the institution."""
    name: str
    """Full name of the institution 单位全称."""
    leader: str = ""
    """负责人"""
    handler: str = ""
    """经办人"""


class BoxCount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One box of physical volumes, as the receiver counted it."""

    box: str
    expected: int
    """Volumes that the giver says are in it."""
    seen: int
    shelf: str = ""
    """Where it stands at the receiver now."""

    @property
    def agrees(self) -> bool:
        """True if what was seen is what was expected."""
        return self.seen == self.expected


class ItemRuling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the receiver says of one item, with the reason in both languages where it is not accepted."""

    record_id: UUID
    ruling: Ruling
    reason: Text | None = None
    archive_code: str = ""
    """馆编档号, where the archive gives the item one when it accepts it."""


class Quantity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of one category a parcel holds: a line of the handover certificate."""

    category: str
    """Category or livelihood kind; empty where the records do not say."""
    items: int
    volumes: int = 0


class Parcel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The package of one round, as the giver made it."""

    round: int
    items: int
    files: int
    size_bytes: int
    manifest: str
    """SHA-256 of the package's manifest, in hex: what both parties sign in the end."""
    manifest_name: str = "manifest-sha256.txt"
    package_digest: str = ""
    """SHA-256 of the manifest of the tag files, in hex: what stands for the whole package."""
    fonds: tuple[str, ...] = ()
    year_first: int | None = None
    year_last: int | None = None
    quantities: tuple[Quantity, ...] = ()
    boxes: int = 0
    """Boxes of physical volumes that come beside the scans."""
    volumes: int = 0
    """Physical volumes in them."""


class Opened(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="opened"):
    """The giver begins a transfer."""

    title: str
    nature: Nature
    giver: Party
    receiver: str
    """Site code of who is to keep the records."""
    plan: UUID | None = None
    """Line of the receiver's plan that this fulfils."""
    copy_kept_until: datetime.date | None = None
    """Until when the giver keeps its copy of the files."""
    note: str = ""


class Prepared(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="prepared"):
    """The giver made the package of a round, or made it again; from the second round on it carries only faults."""

    parcel: Parcel
    checks_passed: int = 0
    checks_open: int = 0
    """Items with a rule that did not pass: the giver submits them knowingly."""


class Submitted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="submitted"):
    """The giver offers the prepared package."""

    round: int
    consignment: UUID
    """Under which its files are drawn."""
    manifest: str
    list_digest: str = ""
    """Digest of the list of its files (``protocol.consignments.list_digest``)."""
    by_disk: bool = False
    """A courier brings the files: the receiver waits for the disk, unless it says that the line is to carry them."""


class Checking(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="checking"):
    """The receiver has drawn every file of a round, each equal to its digest."""

    round: int
    manifest: str


class Counted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="counted"):
    """The receiver counted physical boxes; a box that is counted again replaces its count."""

    boxes: tuple[BoxCount, ...]


class Ruled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="ruled"):
    """The receiver rules on items of a round; the last word on an item before ``Decided`` counts."""

    round: int
    rulings: tuple[ItemRuling, ...]


class Decided(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="decided"):
    """The receiver closes its look at a round: what was not returned or held is accepted.

    Once nothing is returned or held the transfer is accepted, and these words go into the handover certificate. With
    ``is_final`` it is accepted without the items that are still open: they leave the transfer.
    """

    round: int
    receiver: Party
    opinion: str = ""
    """接收单位意见"""
    dated: datetime.date | None = None
    """Date of the certificate: what it says, nothing is ordered by it."""
    is_final: bool = False
    items_digest: str = ""
    """Digest of the list of all accepted items (``items_digest``): both ends hold that list, and sign its digest."""


class Signed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="signed"):
    """A party signs the handover certificate."""

    certificate: str
    """SHA-256 of the certificate's canonical form, in hex."""
    key: str
    """Public key of the installation that signs."""
    signature: bytes
    """Ed25519 over ``protocol.handovers.SIGNED_PREFIX`` and the certificate's bytes."""
    signer: str = ""
    """Who answers for it, as it stands on paper."""


class SignatureRefused(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="signature_refused"):
    """The receiver does not take the giver's signature: wrong, or by a key that was revoked."""

    reason: Text


class CustodyMoved(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="custody_moved"):
    """The owner has described every record as kept by the receiver."""

    records: int
    epoch: str
    position: int
    """Up to where the catalogue has to come to show all of it."""


class Loaded(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="loaded"):
    """The catalogue shows the new custody, and the files are in the receiver's holdings."""

    accession: str
    """Number in the receiver's accession register 接收登记号."""


class Closed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="closed"):
    """The receiver has reported; nothing follows."""


class Cancelled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="cancelled"):
    """One side gives the transfer up."""

    reason: str = ""


class SentBack(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="sent_back"):
    """The receiver cannot look at a package at all: files are missing or not as listed. The round is made again."""

    round: int
    reason: Text


What = (
    Opened
    | Prepared
    | Submitted
    | Checking
    | Counted
    | Ruled
    | Decided
    | Signed
    | SignatureRefused
    | CustodyMoved
    | Loaded
    | Closed
    | Cancelled
    | SentBack
)


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of a transfer."""

    transfer: UUID
    side: Side
    number: int
    """1, 2, … among the steps of this side."""
    heard: int = 0
    """How many steps of the other side its writer had."""
    previous: str = ""
    """Digest of this side's step before it."""
    at_ms: int = 0
    """Wall-clock milliseconds since 1970 at the writer: for display, never for order."""
    by: str = ""
    """Which part of the site acted: ``keeper``, ``checks`` …; never a person's name."""
    what: What


class SealedStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step as it travels and is kept: its exact bytes, and who wrote them."""

    step: bytes
    key: str
    """Public key of the installation."""
    seal: bytes
    """Ed25519 over ``SEAL_PREFIX`` and the bytes."""


class StepsWanted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody asks for steps that it lost: all after these numbers (kind ``transfer_steps_wanted``)."""

    transfer: UUID
    giver: int = 0
    receiver: int = 0


WANTED_KIND: Final = "transfer_steps_wanted"
"""Kind of the letters that carry ``StepsWanted``."""
