"""Custody: the owner describes its records as kept by the receiver, once both parties have signed.

The records are changed by the ordinary path: a new version and an event, in one transaction (promises 1 and 2). One
that was changed already is passed by, so that the work may stop anywhere and begin again; the step that tells the
receiver about it is written with the last of them.
"""

from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node import amendments, store
from node.amendments import amended
from node.changes import Standing
from protocol.codec import decode_record
from protocol.events import EventHead
from protocol.records import Alias, Record
from protocol.transfer_folds import Transfer
from protocol.transfers import CustodyMoved, Side, TransferState
from replication import outbox, transfer_items
from replication.database import Database
from replication.outbox import FrameWriter
from replication.transfer_items import ItemState, TransferItem
from replication.transfer_log import TransferLog, transfer_of

ACTOR = "transfer"
"""Who changes records here: the handover that both parties have signed."""

REASON = "handed over"

MOVED_AT_ONCE = 500
"""Records that are described again in one transaction."""

OFFICE_CODE = "室编"
"""Scheme of the alias that keeps the code which the office gave."""

ARCHIVE_CODE = "馆编"
"""Scheme of the alias that the archive gave on accession."""


def handed_over(record: Record, now: Transfer, archive_code: str) -> Record:
    """Return what a record says once it has changed hands; the three facts each for itself (promise 1)."""
    receiver, giver = now.receiver_site, now.giver.site if now.giver is not None else record.repository_id
    since = now.dated.isoformat() if now.dated is not None else ""
    # Where nothing was said the default was the owner, who is the site itself; said outright it outlives the change.
    owner = receiver if now.nature.moves_ownership else record.owner or giver
    given = [Alias(code=record.ref_code, scheme=OFFICE_CODE, assigner=giver, valid_to=since)] if record.ref_code else []
    if archive_code:
        given.append(Alias(code=archive_code, scheme=ARCHIVE_CODE, assigner=receiver, valid_from=since))
    told = {(one.code, one.scheme) for one in given}
    return msgspec.structs.replace(
        record,
        aliases=(*(one for one in record.aliases if (one.code, one.scheme) not in told), *given),
        owner=owner,
        custodian=receiver,
        releaser=receiver if now.nature.moves_release else record.releaser or owner,
        handover=now.transfer_id,
    )


class CustodyMover:
    """Describes the records of signed transfers anew."""

    def __init__(
        self,
        database: Database,
        writer: FrameWriter,
        log: TransferLog,
        on_events: Callable[[], None],
        clock_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._writer = writer
        self._log = log
        self._on_events = on_events
        self._clock_ms = clock_ms

    async def move(self, transfer_id: UUID) -> bool:
        """Describe all records of a transfer anew, and say so; False if it is not the time for it.

        Raises:
            StorageFull: the disk has no room; what is done stays done.

        """
        while (is_done := await self._database.write(partial(self._step, transfer_id=transfer_id))) is False:
            self._on_events()
        self._on_events()
        return bool(is_done)

    def _step(self, connection: Connection, transfer_id: UUID) -> bool | None:
        """Describe some records; True when all are done, None where nothing is to be done."""
        now = transfer_of(connection, transfer_id)
        if now is None or now.state is not TransferState.SIGNED or now.turn is not Side.GIVER:
            return None
        items = transfer_items.listed(connection, transfer_id, states=(ItemState.ACCEPTED,), limit=MOVED_AT_ONCE)
        if items:
            self._describe(connection, now, items)
            return False
        here = outbox.head(connection)
        count = transfer_items.counts(connection, transfer_id).get(ItemState.MOVED, 0)
        epoch, position = (here.epoch, here.seq) if here is not None else ("", 0)
        moved = CustodyMoved(records=count, epoch=epoch, position=position)
        self._log.append(connection, transfer_id, moved, by=ACTOR)
        return True

    def _describe(self, connection: Connection, now: Transfer, items: Sequence[TransferItem]) -> None:
        by_id = {item.record_id: item for item in items}
        versions: dict[int, list[store.Version]] = {}
        for stored, row in amendments.standing(connection, list(by_id)):
            old = decode_record(stored.body)
            record = handed_over(old, now, by_id[stored.record_id].archive_code)
            if stored.standing is Standing.LISTED and record != old:
                revision = amended(stored, record, by=ACTOR, reason=REASON, now_ms=self._clock_ms())
                versions.setdefault(stored.file_id, []).append((revision, row, stored))
        for file_id, some in versions.items():
            drafts: list[EventHead] = [revision.event for revision, _, _ in some if revision.event is not None]
            positions = list(outbox.append(connection, self._writer, drafts))
            store.replace(connection, store.written(some, file_id), positions)
        transfer_items.set_state(connection, now.transfer_id, by_id, ItemState.MOVED)
