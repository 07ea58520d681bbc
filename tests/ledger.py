"""A ledger: the smallest sink there is. It keeps, per site, the latest body of every record, in one table.

Used to test replication without the hub's catalogue, and as the statement of what any sink must come to.
"""

from collections.abc import Generator, Sequence

from sqlalchemy import Connection

from protocol.codec import decode_record
from protocol.events import AccessChanged, BaselineMarked, BaselinePhase, Described, Withdrawn
from replication.acceptance import AcceptedFrame
from replication.dialects import is_postgres, schema_words
from replication.digests import Tally, record_digest
from replication.precedence import GoOn, undisturbed
from tests.tallies import tally_of

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    site TEXT NOT NULL, record_id BLOB NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL, body BLOB,
    PRIMARY KEY (site, record_id)
)
"""


def schema_of(connection: Connection) -> str:
    """The table in the words of a store."""
    return schema_words(SCHEMA) if is_postgres(connection) else SCHEMA


_BASELINE = b""
"""Stands where a record's id would, in the line that remembers where the site's latest baseline began."""


class Ledger:
    """Applies events by position only; counts how often it was asked to."""

    def __init__(self) -> None:
        self.applied: list[int] = []

    def preparing(self, frame: AcceptedFrame) -> Generator[None, None, object]:
        """Nothing needs preparing; the frame's end shows that it passed here."""
        yield
        return frame.last

    def apply(self, connection: Connection, frames: Sequence[AcceptedFrame], go_on: GoOn = undisturbed) -> None:
        """Keep the latest word on each record."""
        for frame in frames:
            go_on()
            for event in frame.events:
                self.applied.append(event.seq)
                if isinstance(event, Described | AccessChanged):
                    record_id = decode_record(event.record).record_id.bytes
                    self._keep(connection, frame, record_id, event.seq, bytes(event.record))
                elif isinstance(event, Withdrawn):
                    self._keep(connection, frame, event.record_id.bytes, event.seq, None)
                elif isinstance(event, BaselineMarked):
                    self._mark(connection, frame, event)

    @staticmethod
    def _keep(connection: Connection, frame: AcceptedFrame, record_id: bytes, seq: int, body: bytes | None) -> None:
        connection.exec_driver_sql(
            "INSERT INTO ledger VALUES (?, ?, ?, ?, ?) ON CONFLICT (site, record_id) DO UPDATE"
            " SET epoch = excluded.epoch, seq = excluded.seq, body = excluded.body"
            " WHERE excluded.epoch <> ledger.epoch OR excluded.seq > ledger.seq",
            (frame.site.code, record_id, frame.epoch, seq, body),
        )

    def _mark(self, connection: Connection, frame: AcceptedFrame, mark: BaselineMarked) -> None:
        if mark.phase is BaselinePhase.BEGIN:
            self._keep(connection, frame, _BASELINE, mark.seq, None)
            return
        # What was not described since the baseline began is withdrawn, whatever epoch it came from.
        connection.exec_driver_sql(
            "UPDATE ledger SET body = NULL, epoch = began.epoch, seq = began.seq"
            " FROM (SELECT epoch, seq FROM ledger WHERE site = ?1 AND record_id = ?2 AND epoch = ?3 AND seq < ?4) began"
            " WHERE site = ?1 AND body IS NOT NULL AND (ledger.epoch <> began.epoch OR ledger.seq < began.seq)",
            (frame.site.code, _BASELINE, frame.epoch, mark.seq),
        )


def tally(connection: Connection, site: str) -> Tally:
    """Return the tally of what the ledger has of a site."""
    rows = connection.exec_driver_sql("SELECT body FROM ledger WHERE site = ? AND body IS NOT NULL", (site,))
    return tally_of([record_digest(row[0]) for row in rows])
