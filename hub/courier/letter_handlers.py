"""What the hub does with each kind of letter, on the line as on a stick."""

from collections.abc import Callable

from hub.decisions import proposal_answers
from hub.home import HubHome
from hub.transfers.office import receiver_log
from hub.transfers.relaying import TransferRelay
from hub.window import certificates
from hub.window.late_answers import window_letters
from replication.letters import Handlers


def letter_handlers(home: HubHome, relay: TransferRelay, clock_ms: Callable[[], int]) -> Handlers:
    """Return them by kind: lookups, audit heads, copies and certificates, transfers, proposals."""
    return {
        **window_letters(clock_ms),
        **certificates.handlers(clock_ms),
        **relay.handlers(receiver_log(home)),
        **proposal_answers.handlers(clock_ms),
    }
