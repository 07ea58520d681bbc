"""Which transfer a courier's disk belongs to: a wrong, a foreign and a repeated disk are told apart."""

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from protocol.disk_consignments import DiskConsignment
from protocol.errors import Refused
from protocol.transfer_folds import Transfer
from protocol.transfers import Side, Submitted, TransferState
from protocol.wording import Text
from replication.transfer_log import logged, opened_transfers
from replication.transfer_words import STATES


class DiskStanding(StrEnum):
    """What a disk is to this end."""

    WANTED = "wanted"
    """It holds the package that a transfer waits for."""
    REPEATED = "repeated"
    """Its files are here already."""


class MatchedDisk(msgspec.Struct, frozen=True, kw_only=True):
    """A disk and its transfer."""

    standing: DiskStanding
    transfer: Transfer
    words: Text


def matched(connection: Connection, listed: DiskConsignment, roles: Iterable[str]) -> MatchedDisk:
    """Return which transfer that this end receives a disk belongs to.

    Raises:
        Refused: it belongs to none; the words say what it may be.

    """
    for role in roles:
        for now in opened_transfers(connection, role=role):
            if now.consignment == listed.consignment_id and now.state is TransferState.SUBMITTED:
                return MatchedDisk(standing=DiskStanding.WANTED, transfer=now, words=Text(zh="", en=""))
            if listed.consignment_id in _consigned(connection, now.transfer_id):
                return MatchedDisk(standing=DiskStanding.REPEATED, transfer=now, words=_repeated(now))
    raise Refused(
        Text(
            zh=f"这块盘来自 {listed.site}，但本端没有等着它的移交",
            en=f"the disk is of site {listed.site}, and no transfer here waits for it",
        ),
        Text(
            zh="可能拿错了盘，或是交给别处的；也可能该站还没联过网，移交的通知未到：请该站联网片刻再试。",
            en="A wrong disk, or one for somebody else; or the site was not on line since: its letter must come first.",
        ),
    )


def _consigned(connection: Connection, transfer_id: UUID) -> set[UUID]:
    """Return every consignment that a transfer ever submitted: those of former rounds, and of rounds made again."""
    steps = logged(connection, transfer_id, Side.GIVER)
    return {one.step.what.consignment for one in steps if isinstance(one.step.what, Submitted)}


def _repeated(now: Transfer) -> Text:
    state = STATES[now.state]
    return Text(
        zh=f"这块盘的内容已经收过：移交 {now.transfer_id} 现在是“{state.zh}”，第 {now.round} 批。没有改动任何东西。",
        en=f"this disk was taken in before: transfer {now.transfer_id} is {state.en}, round {now.round}."
        " Nothing was changed.",
    )
