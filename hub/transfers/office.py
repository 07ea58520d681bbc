"""The receiver's end of all transfers, for the daemon and for the commands beside it."""

import time

from hub.home import HubHome
from hub.transfers.signing import keys_of
from protocol.transfers import Side
from replication.keys import load_identity
from replication.transfer_log import TransferLog


def clock_ms() -> int:
    """Return the wall clock in milliseconds since 1970: for display, never for order."""
    return time.time_ns() // 1_000_000


def receiver_log(home: HubHome) -> TransferLog:
    """Return the hub's end of all transfers; a site writes with the keys that are enrolled for it.

    Raises:
        BadSetting: the hub's key is missing.

    """
    return TransferLog(Side.RECEIVER, load_identity(home.hub_seed), keys_of, clock_ms)
