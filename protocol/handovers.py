"""The handover certificate 交接文据: what both parties sign, the same to the byte at both ends. Pure.

Its three parts are those of the official form: who gives and who receives, under which title and of which years; what
and how much; the giver's note and the receiver's opinion. It follows from the log of the transfer alone, so that
neither side sends it to the other: each makes it, and signs its digest. Inside stand the digests of the manifests of
all rounds and of the list of accepted items.
"""

import datetime
import hashlib
from typing import Final
from uuid import UUID

import msgspec

from protocol.transfer_folds import Transfer
from protocol.transfers import BoxCount, Nature, Party, Quantity

SIGNED_PREFIX: Final = b"danglian handover certificate 1\n"
"""What stands before the certificate's bytes when they are signed."""


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """One round's package, as the certificate names it."""

    round: int
    manifest_name: str
    manifest_sha256: str
    items: int
    files: int
    size_bytes: int


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The handover certificate of one transfer."""

    transfer: UUID
    title: str
    nature: Nature
    giver: Party
    receiver: Party
    dated: datetime.date | None
    fonds: tuple[str, ...]
    year_first: int | None
    year_last: int | None
    quantities: tuple[Quantity, ...]
    items: int
    """Items that change hands."""
    items_digest: str
    left_out: int
    """Items that were submitted and do not."""
    files: int
    size_bytes: int
    packages: tuple[Package, ...]
    volumes_expected: int
    volumes_seen: int
    boxes: tuple[BoxCount, ...]
    copy_kept_until: datetime.date | None
    note: str
    """移交单位说明"""
    opinion: str
    """接收单位意见"""


def certificate_of(transfer: Transfer) -> Certificate | None:
    """Return the certificate of a transfer that was accepted; None of one that was not, or not yet."""
    if transfer.giver is None or transfer.receiver is None or not transfer.parcels:
        return None
    first = transfer.parcels[0]
    years = [year for one in transfer.parcels for year in (one.year_first, one.year_last) if year is not None]
    return Certificate(
        transfer=transfer.transfer_id,
        title=transfer.title,
        nature=transfer.nature,
        giver=transfer.giver,
        receiver=transfer.receiver,
        dated=transfer.dated,
        fonds=tuple(sorted({one for parcel in transfer.parcels for one in parcel.fonds})),
        year_first=min(years, default=None),
        year_last=max(years, default=None),
        quantities=first.quantities,
        items=transfer.accepted,
        items_digest=transfer.items_digest,
        left_out=transfer.left_out,
        files=transfer.files,
        size_bytes=transfer.size_bytes,
        packages=tuple(
            Package(
                round=parcel.round,
                manifest_name=parcel.manifest_name,
                manifest_sha256=parcel.manifest,
                items=parcel.items,
                files=parcel.files,
                size_bytes=parcel.size_bytes,
            )
            for parcel in transfer.parcels
        ),
        volumes_expected=transfer.volumes_expected,
        volumes_seen=transfer.volumes_seen,
        boxes=transfer.boxes,
        copy_kept_until=transfer.copy_kept_until,
        note=transfer.note,
        opinion=transfer.opinion,
    )


def canonical(certificate: Certificate) -> bytes:
    """Return the bytes that are signed: JSON with every field, in the order of the form."""
    return msgspec.json.encode(certificate)


def certificate_digest(certificate: Certificate) -> str:
    """Return the SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(canonical(certificate)).hexdigest()
