"""Submitting, signing, giving up: the giver's steps, each in one transaction with what it offers to the receiver."""

import uuid
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection

from node.consigning import offer, withdraw
from node.transfers.custody import check_room
from node.transfers.packaging import Packed
from protocol.consignments import ConsignedFile, list_digest
from protocol.errors import Refused
from protocol.handovers import certificate_of
from protocol.transfer_codec import items_digest
from protocol.transfer_folds import Transfer
from protocol.transfers import WORDS_CHARS_MAX, Cancelled, Prepared, Submitted, TransferState
from protocol.wording import Text
from replication import transfer_items, transfer_rounds
from replication.keys import Identity
from replication.transfer_checks import Checked
from replication.transfer_items import ItemState
from replication.transfer_log import TransferLog, no_such, transfer_of
from replication.transfer_rounds import Round
from replication.transfer_signing import signed_by


def consignment_id(transfer_id: UUID, number: int, manifest: str) -> UUID:
    """Return under which id the files of a package are offered: the same package always has the same one."""
    return uuid.uuid5(transfer_id, f"{number}/{manifest}")


def prepare(
    connection: Connection,
    log: TransferLog,
    transfer_id: UUID,
    made: Packed,
    checked: Checked,
    package: str,
    now_ms: int,
) -> Transfer:
    """Note a package with what its checks found, and say that the round is prepared."""
    transfer_items.put_round(connection, transfer_id, made.items, made.parcel.round)
    transfer_rounds.put_faults(connection, transfer_id, made.parcel.round, checked.faults)
    work = Round(
        round=made.parcel.round,
        package=package,
        done_bytes=made.parcel.size_bytes,
        total_bytes=made.parcel.size_bytes,
        standing=checked.standing.value,
        report=f"{package}.report.jsonl",
        at_ms=now_ms,
    )
    transfer_rounds.note(connection, transfer_id, work)
    step = Prepared(
        parcel=made.parcel,
        checks_passed=made.parcel.items - checked.items_open,
        checks_open=checked.items_open,
    )
    return log.append(connection, transfer_id, step, by="keeper")


def submit(
    connection: Connection,
    log: TransferLog,
    transfer_id: UUID,
    files: Sequence[ConsignedFile],
    root: Path,
    now_ms: int,
    *,
    by_disk: bool = False,
) -> Transfer:
    """Offer the prepared package and say so; submitted twice it is submitted once.

    Raises:
        Refused: nothing is prepared.
        BadValue: the name of a file cannot travel.

    """
    now = transfer_of(connection, transfer_id)
    if now is None:
        raise no_such(str(transfer_id))
    if now.state is TransferState.SUBMITTED:
        return now
    if now.state is not TransferState.PREPARED or now.prepared is None:
        raise Refused(
            Text(zh="还没有打好的包可以提交。", en="no package is prepared to be submitted"),
            Text(zh="先运行 danglian-node transfer check。", en="Run danglian-node transfer check first."),
        )
    parcel = now.prepared
    consigned = consignment_id(transfer_id, parcel.round, parcel.manifest)
    offer(connection, consigned, files, root, now_ms)
    step = Submitted(
        round=parcel.round,
        consignment=consigned,
        manifest=parcel.manifest,
        list_digest=list_digest(files),
        by_disk=by_disk,
    )
    return log.append(connection, transfer_id, step, by="keeper")


def sign(
    connection: Connection, log: TransferLog, transfer_id: UUID, signer: str, *, seal: Identity | None = None
) -> Transfer:
    """Sign the certificate for the giver, if it is about the items that the giver itself has as accepted.

    ``seal`` is the giver's own key where its steps are written by the node that keeps its fonds.

    Raises:
        Refused: there is nothing to be signed now, the list of accepted items is another, or an entry cannot take what
            the handover adds to it.

    """
    now = transfer_of(connection, transfer_id)
    if now is None:
        raise no_such(str(transfer_id))
    if now.giver_signature is not None:
        return now
    accepted = transfer_items.listed(connection, transfer_id, states=(ItemState.ACCEPTED,))
    certificate = certificate_of(now)
    if certificate is not None and certificate.items_digest != items_digest(one.record_id for one in accepted):
        raise Refused(
            Text(zh="接收单位列出的接收条目与本站不一致。", en="the receiver's list of accepted items is not ours"),
            Text(zh="请联系县档案馆核对，不要签字。", en="Do not sign; ask the county archive."),
        )
    check_room(connection, now, accepted)
    return log.append(connection, transfer_id, signed_by(now, seal or log.identity, signer), by="keeper")


def cancel(connection: Connection, log: TransferLog, transfer_id: UUID, reason: str) -> Transfer:
    """Give a transfer up, and take back what is offered.

    Raises:
        Refused: this end has signed, or it is over.

    """
    now = log.append(connection, transfer_id, Cancelled(reason=reason[:WORDS_CHARS_MAX]), by="keeper")
    if now.consignment is not None:
        withdraw(connection, now.consignment)
    return now
