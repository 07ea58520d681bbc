"""Transfers that wait for people of the archive: what is checked and to be decided, what the giver has signed."""

import msgspec
from sqlalchemy import Connection, Row, Select, func, select

from protocol.transfers import Side, TransferState
from replication.transfer_log import USUAL
from replication.transfer_tables import transfer, transfer_work


class WaitingTransfers(msgspec.Struct, frozen=True, kw_only=True):
    """What of one site waits."""

    to_decide: int = 0
    """The checks have run; a person has not decided."""
    to_sign: int = 0
    """The giver has signed the certificate, the archive has not."""
    since_ms: int = 0
    """When the one moved last that has waited longest."""


def waiting(connection: Connection) -> dict[str, WaitingTransfers]:
    """Return what waits for people of the archive, by the site that hands over."""
    found: dict[str, WaitingTransfers] = {}
    for row in connection.execute(waiting_statement()):
        found[row.site] = _with(found.get(row.site), row)
    return found


def waiting_statement() -> Select[*tuple[object, ...]]:
    """Transfers that the receiver's people have to go on with, counted by site and state."""
    checked = (transfer_work.c.transfer_id == transfer.c.transfer_id) & (transfer_work.c.round == transfer.c.round)
    to_decide = (transfer.c.state == TransferState.CHECKING.value) & (transfer_work.c.standing != "")
    return (
        select(
            *(transfer.c.site, transfer.c.state),
            func.count().label("held"),
            func.min(transfer.c.moved_at_ms).label("since_ms"),
        )
        .outerjoin(transfer_work, checked)
        .where(
            transfer.c.role == USUAL,
            transfer.c.turn == Side.RECEIVER.value,
            transfer.c.state.in_((TransferState.CHECKING.value, TransferState.ACCEPTED.value)),
            to_decide | (transfer.c.state == TransferState.ACCEPTED.value),
        )
        .group_by(transfer.c.site, transfer.c.state)
    )


def _with(before: WaitingTransfers | None, row: Row[*tuple[object, ...]]) -> WaitingTransfers:
    is_checked = row.state == TransferState.CHECKING.value
    had = before or WaitingTransfers(since_ms=row.since_ms)
    return WaitingTransfers(
        to_decide=had.to_decide + (row.held if is_checked else 0),
        to_sign=had.to_sign + (0 if is_checked else row.held),
        since_ms=min(had.since_ms, row.since_ms),
    )
