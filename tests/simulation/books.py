"""What the hub keeps of the sites: a ledger, or the real unified catalogue, and how to read either from outside.

Most schedules use the ledger: it says what any sink must come to and is several times faster. The catalogue shows that
the hub's own sink comes to the same.
"""

from functools import cache

import msgspec
from sqlalchemy import Connection

from hub.application import Application
from hub.catalogue import tally_from, tally_statement
from hub.storage.store import MIGRATIONS
from replication.acceptance import Sink
from replication.digests import Tally
from replication.migrations import REPLICATION
from tests import ledger
from tests.ledger import Ledger
from tests.simulation.disk import Disk, new_image
from tests.simulation.witness import HUB_RULES


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two; ``is_real`` means the unified catalogue."""

    is_real: bool = False

    def sink(self) -> Sink:
        """Return what applies events."""
        return Application(lambda: 0) if self.is_real else Ledger()

    def image(self) -> bytes:
        """Return the hub's database before its first start."""
        return _catalogue_image() if self.is_real else _ledger_image()

    def records(self, disk: Disk, site: str) -> dict[object, object]:
        """Return the records that the hub has of a site: their bodies by their ids."""
        table = "entry" if self.is_real else "ledger"
        return dict(disk.pairs(f"SELECT record_id, body FROM {table} WHERE site = ? AND body IS NOT NULL", site))

    def tally(self, connection: Connection, site: str) -> Tally:
        """Return their tally as the hub makes it."""
        if self.is_real:
            return tally_from(tuple(connection.execute(tally_statement(site)).one()))
        return ledger.tally(connection, site)


@cache
def _ledger_image() -> bytes:
    return new_image([REPLICATION], ledger.SCHEMA, *HUB_RULES)


@cache
def _catalogue_image() -> bytes:
    return new_image(MIGRATIONS, *HUB_RULES)
