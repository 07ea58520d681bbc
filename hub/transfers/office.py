"""The receiver's end of all transfers, for the daemon and for the commands beside it."""

from hub.home import HubHome
from hub.membership import keyring
from protocol.transfers import Side
from replication.keys import load_identity
from replication.transfer_log import TransferLog
from replication.wall_clock import clock_ms


def receiver_log(home: HubHome) -> TransferLog:
    """Return the hub's end of all transfers; a site writes with the keys that are enrolled for it.

    Raises:
        BadSetting: the hub's key is missing.

    """
    return TransferLog(Side.RECEIVER, load_identity(home.hub_seed), keyring.keys_now, clock_ms)
