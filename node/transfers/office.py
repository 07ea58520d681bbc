"""What the commands of transfers work with at a node: its settings, its key, its database, whether the daemon runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node.config import NodeConfig, load
from node.home import NodeHome
from node.tables import SCHEMA
from protocol.transfers import Side
from replication.database import Database, opened
from replication.keys import Identity, load_identity
from replication.migrations import REPLICATION
from replication.transfer_log import RECEIVING, TransferLog, role_of
from replication.wall_clock import clock_ms


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """A node's home, opened."""

    home: NodeHome
    config: NodeConfig
    database: Database
    log: TransferLog
    receiver: TransferLog
    """The end of those transfers that this site receives."""

    def log_of(self, connection: Connection, transfer_id: UUID) -> TransferLog:
        """Return our end of a transfer: as its receiver, or as its giver."""
        return self.receiver if role_of(connection, transfer_id) == RECEIVING else self.log


def giver_log(config: NodeConfig, identity: Identity) -> TransferLog:
    """Return this site's end of its transfers; only the hub's key may write for the other end."""
    keys = frozenset((config.hub.key,))
    return TransferLog(Side.GIVER, identity, lambda _connection, _peer: keys, clock_ms)


def receiver_log(identity: Identity) -> TransferLog:
    """Return this site's end of what other sites hand over to it: the hub vouches for their keys, step by step."""
    return TransferLog(Side.RECEIVER, identity, lambda _connection, _peer: (), clock_ms, RECEIVING)


@asynccontextmanager
async def office_opened(home: NodeHome) -> AsyncIterator[Office]:
    """Open a home for a command; it works beside the running daemon.

    Raises:
        BadSetting: a setting or the key is missing.

    """
    config = load(home.settings)
    identity = load_identity(home.seed)
    async with opened(home.database, (REPLICATION, SCHEMA)) as database:
        yield Office(
            home=home,
            config=config,
            database=database,
            log=giver_log(config, identity),
            receiver=receiver_log(identity),
        )
