"""Carrying out what the keeper accepted: the record's next version, its event, the correction and the answer at once.

It runs between two imports and never beside one: an import that has read a record already would write over it.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
import structlog
from sqlalchemy import Connection

from node import amendments, corrections, proposals, store
from node.changes import Standing, StoredRecord
from node.corrections import Correction, with_value
from node.proposals import Proposal, ProposalState
from node.revisions import Revision
from protocol.codec import decode_record
from protocol.proposals import ProposedField, said_of
from protocol.records import Record
from protocol.wording import Text
from replication import outbox
from replication.database import Database
from replication.outbox import FrameWriter

KEEPER: Final = "keeper"
"""Who changes a record here: the person who looks after it, not the reading of a file."""

REASON: Final = "proposal accepted"

_GONE: Final = Text(zh="该条目已不在本站的目录中。", en="the site does not list this record any more")
_LARGE: Final = Text(zh="修改后的条目过长。", en="the record would be too large")

log = structlog.get_logger(__name__)


class Corrector:
    """Carries acceptances out."""

    def __init__(
        self, database: Database, writer: FrameWriter, on_events: Callable[[], None], clock_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._writer = writer
        self._on_events = on_events
        self._clock_ms = clock_ms

    async def settle(self) -> int:
        """Carry out what waits; returns how many acceptances there were.

        Raises:
            StorageFull: the disk has no room; the rest is carried out the next time.

        """
        waiting = await self._database.read(proposals.accept_asked)
        for one in waiting:
            await self._database.write(partial(self._carry_out, one=one))
            self._on_events()
        if waiting:
            log.info("proposals_carried_out", count=len(waiting))
        return len(waiting)

    def _carry_out(self, connection: Connection, one: Proposal) -> None:
        now_ms = self._clock_ms()
        found = amendments.standing(connection, [one.record_id])
        if not found or found[0][0].standing is not Standing.LISTED:
            proposals.settle(connection, one, ProposalState.VOID, _GONE, one.decided_by, now_ms)
            return
        ((stored, row),) = found
        values = [(ProposedField(value.field), value.new) for value in one.values]
        revision = _revised(stored, values, now_ms)
        if revision is not None and revision.is_too_large:
            proposals.settle(connection, one, ProposalState.VOID, _LARGE, one.decided_by, now_ms)
            return
        self._keep(connection, one, row.record, now_ms)
        if revision is not None and revision.event is not None:
            (position,) = outbox.append(connection, self._writer, [revision.event])
            row = msgspec.structs.replace(row, record=revision.record)
            store.replace(connection, store.written([(revision, row, stored)], stored.file_id), [position])
        proposals.settle(connection, one, ProposalState.ACCEPTED, one.because, one.decided_by, now_ms)

    def _keep(self, connection: Connection, one: Proposal, before: Record, now_ms: int) -> None:
        """Keep the values beside the sheet, with what the sheet says there."""
        for value in one.values:
            field = ProposedField(value.field)
            corrections.set_value(
                connection,
                Correction(
                    record_id=one.record_id,
                    field=field,
                    value=said_of(with_value(before, field, value.new), field),
                    was=said_of(before, field),
                    proposal_id=one.proposal_id,
                    made_at_ms=now_ms,
                ),
            )


def _revised(stored: StoredRecord, values: list[tuple[ProposedField, str]], now_ms: int) -> Revision | None:
    """Return the next version of a record with other values; None if it says them already."""
    old = decode_record(stored.body)
    new = old
    for field, text in values:
        new = with_value(new, field, text)
    if new == old:
        return None
    return amendments.amended(stored, new, by=KEEPER, reason=REASON, now_ms=now_ms)
