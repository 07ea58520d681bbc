"""What the commands of transfers work with at a node: its settings, its key, its database, whether the daemon runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from node.config import NodeConfig, load
from node.home import NodeHome
from node.tables import SCHEMA
from protocol.transfers import Side
from replication.database import Database, opened
from replication.keys import Identity, load_identity
from replication.migrations import REPLICATION
from replication.transfer_log import TransferLog
from replication.wall_clock import clock_ms


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """A node's home, opened."""

    home: NodeHome
    config: NodeConfig
    database: Database
    log: TransferLog


def giver_log(config: NodeConfig, identity: Identity) -> TransferLog:
    """Return this site's end of its transfers; only the hub's key may write for the other end."""
    keys = frozenset((config.hub.key,))
    return TransferLog(Side.GIVER, identity, lambda _connection, _peer: keys, clock_ms)


@asynccontextmanager
async def office_opened(home: NodeHome) -> AsyncIterator[Office]:
    """Open a home for a command; it works beside the running daemon.

    Raises:
        BadSetting: a setting or the key is missing.

    """
    config = load(home.settings)
    identity = load_identity(home.seed)
    async with opened(home.database, (REPLICATION, SCHEMA)) as database:
        yield Office(home=home, config=config, database=database, log=giver_log(config, identity))
