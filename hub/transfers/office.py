"""The hub's end of all transfers: those that it receives, and those of two sites that pass through it."""

from hub.home import HubHome
from hub.membership import keyring
from hub.transfers.relaying import TransferRelay
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


def relay_of(home: HubHome, county: str) -> TransferRelay:
    """Return what carries the steps of two sites from one to the other.

    Raises:
        BadSetting: the hub's key is missing.

    """
    return TransferRelay(load_identity(home.hub_seed), county, keyring.keys_now, clock_ms)
