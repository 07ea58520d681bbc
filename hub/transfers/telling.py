"""What comes next at the archive, as a page says it. Pure."""

from typing import Final

from protocol.transfer_folds import Transfer
from protocol.transfers import Side, TransferState
from replication.transfer_rounds import Round
from replication.transfer_telling import RULINGS, told

__all__ = ["COURSE", "RULINGS", "is_ours", "next_name", "told"]


def next_name(now: Transfer, work: Round | None) -> str:
    """Return the name of the words for what comes next (``hub.web.words.transfers``)."""
    if now.state.is_over:
        return "next_over"
    if now.state is TransferState.CHECKING:
        return "next_decide" if work is not None and work.standing else "next_checks"
    if now.state is TransferState.ACCEPTED:
        return "next_sign_giver" if now.giver_signature is None else "next_sign"
    return _NEXT.get(now.state, "next_giver")


_NEXT: Final = {
    TransferState.SUBMITTED: "next_submitted",
    TransferState.SIGNED: "next_custody",
    TransferState.LOADED: "next_loaded",
}

COURSE: Final = (
    TransferState.PLANNED,
    TransferState.PREPARED,
    TransferState.SUBMITTED,
    TransferState.CHECKING,
    TransferState.ACCEPTED,
    TransferState.SIGNED,
    TransferState.CLOSED,
)
"""The states that a transfer passes when all goes well, as a page shows how far it is."""


def is_ours(now: Transfer) -> bool:
    """Tell whether the archive has to act next."""
    return now.turn is Side.RECEIVER
