"""Custody: the owner describes its records as kept by the receiver, once both parties have signed.

The records are changed by the ordinary path: a new version and an event, in one transaction (promises 1 and 2). One
that was changed already is passed by, so that the work may stop anywhere and begin again; the step that tells the
receiver about it is written with the last of them.
"""

import datetime
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node import amendments, store
from node.changes import Standing, StoredRecord
from node.revisions import EVENT_HEAD_BYTES_MAX, Revision
from protocol.codec import decode_record
from protocol.errors import Refused
from protocol.events import EventHead
from protocol.limits import EVENT_BYTES_MAX
from protocol.records import Alias, Record
from protocol.reference_codes import REF_CODE_CHARS_MAX
from protocol.transfer_folds import Transfer
from protocol.transfers import CustodyMoved, Side, TransferState
from protocol.wording import Text
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

HANDOVER_BYTES_MAX = 4 * 1024
"""Bytes that a handover may add to a record: two codes of a hundred characters, and who has it from now on."""

TOO_LONG_NAMED_MAX = 5
"""Records without room for a handover that are named."""

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


def check_room(connection: Connection, now: Transfer, items: Sequence[TransferItem]) -> None:
    """Go on only if every record can carry what the handover will add to it: after the signatures it is too late.

    Raises:
        Refused: some entry is as long as an event may be; names the first of them.

    """
    dated = msgspec.structs.replace(now, dated=now.dated or datetime.date.max)
    too_long: list[str] = []
    for start in range(0, len(items), transfer_items.ITEMS_AT_ONCE):
        codes = {one.record_id: one.archive_code for one in items[start : start + transfer_items.ITEMS_AT_ONCE]}
        for stored, _ in amendments.standing(connection, _long(connection, list(codes))):
            # Which code the archive will give is not known before it has accepted.
            record = handed_over(
                decode_record(stored.body), dated, codes[stored.record_id] or "馆" * REF_CODE_CHARS_MAX
            )
            if stored.standing is Standing.LISTED and _next_version(stored, record, 0).is_too_large:
                too_long.append(record.ref_code or record.ref_code_as_given)
    if too_long:
        raise _no_room(too_long)


def _long(connection: Connection, record_ids: Sequence[UUID]) -> list[UUID]:
    marks = ", ".join("?" * len(record_ids))
    rows = connection.exec_driver_sql(
        f"SELECT record_id FROM record WHERE record_id IN ({marks}) AND length(body) > ?",  # noqa: S608 - marks
        (*(one.bytes for one in record_ids), EVENT_BYTES_MAX - EVENT_HEAD_BYTES_MAX - HANDOVER_BYTES_MAX),
    )
    return [UUID(bytes=record_id) for (record_id,) in rows]


def _next_version(stored: StoredRecord, record: Record, now_ms: int) -> Revision:
    return amendments.amended(stored, record, by=ACTOR, reason=REASON, now_ms=now_ms)


def _no_room(codes: Sequence[str]) -> Refused:
    named = codes[:TOO_LONG_NAMED_MAX]
    return Refused(
        Text(
            zh=f"{len(codes)} 条的著录过长，加不下移交记录：{'、'.join(named)}",
            en=f"entries that are too long to take the note of the handover: {len(codes)}, as {', '.join(named)}",
        ),
        Text(
            zh="请在目录文件中缩短其题名或附注等内容，节点读入后再办；"
            "或用 transfer cancel 写明理由取消，接收单位会看到。",
            en="Shorten them in the catalogue file and go on once the node has read it; or cancel with a reason"
            " (transfer cancel), which the receiver is told.",
        ),
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
            Refused: a record that has grown since the signatures cannot carry the handover; it is named.

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
                revision = _next_version(stored, record, self._clock_ms())
                if revision.is_too_large:
                    raise _no_room([record.ref_code or record.ref_code_as_given])
                versions.setdefault(stored.file_id, []).append((revision, row, stored))
        for file_id, some in versions.items():
            drafts: list[EventHead] = [revision.event for revision, _, _ in some if revision.event is not None]
            positions = list(outbox.append(connection, self._writer, drafts))
            store.replace(connection, store.written(some, file_id), positions)
        transfer_items.set_state(connection, now.transfer_id, by_id, ItemState.MOVED)
