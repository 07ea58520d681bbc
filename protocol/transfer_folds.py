"""What the steps of a transfer come to: the value that both ends get from the same log, and whose turn it is. Pure."""

import datetime
from uuid import UUID

import msgspec

from protocol.transfers import (
    BoxCount,
    CustodyMoved,
    ItemRuling,
    Nature,
    Parcel,
    Party,
    Ruling,
    Side,
    Signed,
    TransferState,
)
from protocol.wording import Text


class Transfer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One transfer as its log tells it."""

    transfer_id: UUID
    state: TransferState = TransferState.PLANNED
    title: str = ""
    nature: Nature = Nature.TRANSFER
    giver: Party | None = None
    """None until the first step of the giver is here."""
    receiver_site: str = ""
    receiver: Party | None = None
    plan: UUID | None = None
    copy_kept_until: datetime.date | None = None
    note: str = ""

    prepared: Parcel | None = None
    """The package of the round that is prepared, submitted or checked."""
    parcels: tuple[Parcel, ...] = ()
    """The packages of the rounds that were decided on."""
    consignment: UUID | None = None
    list_digest: str = ""
    """Digest of the list of files that is offered under it."""
    by_disk: bool = False
    """A courier brings them."""

    checks_open: int = 0
    """Items of that package with a mandatory rule that did not pass at the giver."""
    rulings: tuple[ItemRuling, ...] = ()
    """Rulings of the present round, which ``Decided`` has not closed yet; the last word on each item."""
    returned: tuple[ItemRuling, ...] = ()
    """Items that the giver is to mend, in the order of their ids."""
    held: tuple[ItemRuling, ...] = ()
    """Items that the receiver has not decided on."""
    left_out: int = 0
    """Items that have left the transfer."""
    boxes: tuple[BoxCount, ...] = ()

    opinion: str = ""
    dated: datetime.date | None = None
    items_digest: str = ""
    giver_signature: Signed | None = None
    receiver_signature: Signed | None = None
    signature_refused: Text | None = None
    custody: CustodyMoved | None = None
    accession: str = ""
    sent_back: Text | None = None
    """Why the package of the present round could not be looked at."""
    cancelled_by: Side | None = None
    cancel_reason: str = ""

    giver_steps: int = 0
    """Steps of the giver that count here."""
    receiver_steps: int = 0
    void: tuple[tuple[Side, int], ...] = ()
    """Steps that came too late to mean anything: they crossed a cancellation."""

    @property
    def round(self) -> int:
        """The present round, 0 before the first package."""
        return self.prepared.round if self.prepared is not None else len(self.parcels)

    @property
    def items(self) -> int:
        """Items of the transfer as it was first submitted."""
        first = self.parcels[0] if self.parcels else self.prepared
        return first.items if first is not None else 0

    @property
    def accepted(self) -> int:
        """Items that the receiver has accepted in the rounds that it decided on."""
        return self.items - len(self.returned) - len(self.held) - self.left_out if self.parcels else 0

    @property
    def size_bytes(self) -> int:
        """Bytes of all packages."""
        return sum(parcel.size_bytes for parcel in self.all_parcels)

    @property
    def files(self) -> int:
        """Files of all packages."""
        return sum(parcel.files for parcel in self.all_parcels)

    @property
    def all_parcels(self) -> tuple[Parcel, ...]:
        """Every round's package, the present one last."""
        return self.parcels if self.prepared is None else (*self.parcels, self.prepared)

    @property
    def volumes_expected(self) -> int:
        """Physical volumes that the giver announced."""
        return sum(parcel.volumes for parcel in self.all_parcels)

    @property
    def volumes_seen(self) -> int:
        """Physical volumes that the receiver counted."""
        return sum(box.seen for box in self.boxes)

    @property
    def turn(self) -> Side | None:
        """Who has to act next; None once it is over."""
        return turn_of(self)


def turn_of(transfer: Transfer) -> Side | None:
    """Return who has to act next: a side out of turn may do nothing but give the transfer up."""
    match transfer.state:
        case TransferState.PLANNED | TransferState.PREPARED | TransferState.RETURNED:
            return Side.GIVER
        case TransferState.SUBMITTED | TransferState.CHECKING | TransferState.LOADED:
            return Side.RECEIVER
        case TransferState.ACCEPTED:
            return Side.GIVER if transfer.giver_signature is None else Side.RECEIVER
        case TransferState.SIGNED:
            return Side.GIVER if transfer.custody is None else Side.RECEIVER
        case TransferState.CLOSED | TransferState.CANCELLED:
            return None


def last_rulings(transfer: Transfer) -> tuple[ItemRuling, ...]:
    """Return the last word on every item that was held back before or is ruled on in the present round."""
    return tuple({one.record_id: one for one in (*transfer.held, *transfer.rulings)}.values())


def by_ruling(rulings: tuple[ItemRuling, ...], ruling: Ruling) -> tuple[ItemRuling, ...]:
    """Return the rulings of one kind, in the order of their items."""
    return tuple(sorted((one for one in rulings if one.ruling is ruling), key=lambda one: one.record_id))
