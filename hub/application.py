"""Applying accepted frames to the unified catalogue: the hub's sink.

- ``prepare`` does what needs no database; ``apply`` runs inside the transaction that moves the watermarks (promise 2).
- What is held of a record is read once, folded in memory through all the frames of the batch, and written once.
- A record that the hub does not know and that occurs once, as in a first load, goes past the fold as it was described.
- All is written in batches, in the order of the row ids.
"""

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from itertools import repeat
from operator import itemgetter
from typing import cast

from sqlalchemy import Connection, select, update

from hub.catalogue import (
    DESCRIBED_COLUMNS,
    ENTRY_COLUMNS,
    INSERT_HISTORY,
    MOVED_COLUMNS,
    REWRITTEN_COLUMNS,
    SERIALS_A_YEAR,
    Stored,
    docid_of,
    encode_provenance,
    epoch_ordinals,
    floors,
    keep_serial,
    next_serial,
    rewritten,
    rows_below,
    stored_from,
    stored_of,
    tally_from,
    tally_statement,
)
from hub.merge import Conflict, Held, Place, fold, sweep
from hub.preparation import RECORD_COLUMNS, Description, Prepared, Removal, preparing
from hub.repair import comparisons, withdrawn_content
from hub.repair.comparisons import Comparison, Sameness
from hub.storage.reindexing import refresh_index, write_index
from hub.tables import baseline, conflict, entry
from protocol.events import BaselineMarked, BaselinePhase, WithdrawalCause
from protocol.index_rows import IndexRow, with_access
from protocol.vocabularies import Level, Secrecy
from replication.acceptance import AcceptedFrame
from replication.dialects import insert_rows, update_rows, upsert
from replication.precedence import GoOn, in_lots, undisturbed

SWEEP_ROWS = 5_000
"""Rows withdrawn in one step at the end of a baseline; some megabytes of memory."""

_TRACEABLE = frozenset({None, *WithdrawalCause}) - {WithdrawalCause.SECRECY_RAISED}
"""Causes of a tombstone that may tell which record it was of; a cause of a later version may be a grave one."""

_ACCESS = RECORD_COLUMNS.index("access_status")
_derived = itemgetter(*map(RECORD_COLUMNS.index, ("digest", "bucket", "level", "fonds_no", "ref_code")))


class Application:
    """The sink that keeps the unified catalogue; made once per process that applies."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms

    def preparing(self, frame: AcceptedFrame) -> Generator[None, None, object]:
        """Read the records of a frame and cut their terms; unreadable ones join ``frame.spoilt``."""
        return preparing(frame)

    def apply(self, connection: Connection, frames: Sequence[AcceptedFrame], go_on: GoOn = undisturbed) -> None:
        """Apply frames that are in order and not yet applied; what ``go_on`` raises between two steps ends it."""
        refresh_index(connection)
        batch = _Batch(connection, frames, self._clock_ms(), go_on)
        for frame in frames:
            go_on()
            batch.take(frame)
        batch.write()


class _Slot:
    """One record of one site within a batch."""

    __slots__ = ("held", "latest", "stored")

    def __init__(self, stored: Stored | None) -> None:
        self.stored = stored
        self.held: Held | None = stored.held if stored else None
        self.latest: Description | None = None


class _SiteBatch:
    """The records of one site within a batch."""

    __slots__ = ("floor", "fresh", "slots")

    def __init__(self, floor: Place) -> None:
        self.floor = floor
        self.fresh: dict[bytes, tuple[int, Description]] = {}
        """New records that occur once so far, with the number of their epoch."""
        self.slots: dict[bytes, _Slot] = {}


class _Batch:
    """The records that some frames touch, as they change, until they are written."""

    def __init__(self, connection: Connection, frames: Sequence[AcceptedFrame], now_ms: int, go_on: GoOn) -> None:
        self._connection = connection
        self._go_on = go_on
        self._now_ms = now_ms
        self._ordinals = epoch_ordinals(connection, list(dict.fromkeys((f.site.code, f.epoch) for f in frames)))
        beginnings = floors(connection, {frame.site.code for frame in frames})
        self._sites = {site: _SiteBatch(floor) for site, floor in beginnings.items()}
        self._history: list[tuple[object, ...]] = []
        self._conflicts: list[tuple[str, bytes, Conflict]] = []
        self._serial = self._first_serial = next_serial(connection)

    def take(self, frame: AcceptedFrame) -> None:
        """Fold the events of one frame into what is held."""
        site, epoch = frame.site.code, self._ordinals[frame.site.code, frame.epoch]
        ready = cast("Prepared", frame.prepared)
        if ready.by_record and self._take_new(site, Place(epoch, frame.previous + 1), ready.by_record):
            return
        run: list[Description | Removal] = []
        for event in ready.events:
            if isinstance(event, BaselineMarked):
                self._fold(site, epoch, run)
                run = []
                self._mark(frame, epoch, event)
            else:
                run.append(event)
        self._fold(site, epoch, run)

    def _take_new(self, site: str, first: Place, descriptions: Mapping[bytes, Description]) -> bool:
        """Take descriptions from a place on, if none of the records is known and none is void: most of a first load."""
        here = self._sites[site]
        names = descriptions.keys()
        self._load(site, here, names)
        if first < here.floor or not (names.isdisjoint(here.slots.keys()) and names.isdisjoint(here.fresh.keys())):
            return False
        here.fresh.update(zip(names, zip(repeat(first.epoch), descriptions.values(), strict=False), strict=True))
        return True

    def _fold(self, site: str, epoch: int, run: Sequence[Description | Removal]) -> None:
        here = self._sites[site]
        self._load(site, here, {event.record_id for event in run})
        fresh, slots, floor = here.fresh, here.slots, here.floor
        for event in run:
            record_id = event.record_id
            slot = slots.get(record_id)
            if slot is None:
                first = fresh.pop(record_id) if record_id in fresh else None
                if first is None and isinstance(event, Description) and (epoch, event.seq) >= floor:
                    fresh[record_id] = (epoch, event)
                    continue
                slot = slots[record_id] = _Slot(None)
                if first is not None:
                    self._fold_one(site, slot, *first)
            self._fold_one(site, slot, epoch, event)

    def _load(self, site: str, here: _SiteBatch, names: Collection[bytes]) -> None:
        """Read what is held of some records, unless this batch knows already."""
        fresh, slots = here.fresh, here.slots
        unknown = sorted([name for name in names if name not in fresh and name not in slots])
        for stored in stored_of(self._connection, site, unknown):
            here.slots[stored.record_id] = _Slot(stored)

    def _fold_one(self, site: str, slot: _Slot, epoch: int, event: Description | Removal) -> None:
        before = slot.held
        folded = fold(before, event.change(epoch), self._sites[site].floor)
        if folded.conflict is not None:
            self._conflicts.append((site, event.record_id, folded.conflict))
        if not folded.moved:
            return
        slot.held = folded.held
        if isinstance(event, Description):
            slot.latest = event
        if before is not None and (folded.fields or _has_body(before) != _has_body(folded.held)):
            cause = event.withdrawn if isinstance(event, Removal) else None
            what = cause or ",".join(folded.fields)
            self._history.append((event.record_id, site, epoch, event.seq, event.at_ms, event.kind, event.actor, what))

    # Baselines

    def _mark(self, frame: AcceptedFrame, epoch: int, mark: BaselineMarked) -> None:
        site = frame.site.code
        if mark.phase is BaselinePhase.BEGIN:
            begun = upsert(baseline).values(
                site=site, epoch=epoch, began=mark.seq, cause=mark.cause, began_at_ms=self._now_ms
            )
            self._connection.execute(begun.on_conflict_do_nothing())
            return
        self.write()
        began = self._connection.execute(
            select(baseline.c.began)
            .where(baseline.c.site == site, baseline.c.epoch == epoch, baseline.c.began < mark.seq)
            .order_by(baseline.c.began.desc())
            .limit(1)
        ).scalar_one_or_none()
        swept = 0
        if began is not None:
            self._sites[site].floor = floor = max(self._sites[site].floor, Place(epoch, began))
            swept = self._sweep(site, floor, mark)
        self._compare(frame, epoch, began, mark, swept)

    def _sweep(self, site: str, floor: Place, mark: BaselineMarked) -> int:
        """Withdraw what the baseline did not describe."""
        swept = 0
        while rows := self._connection.execute(rows_below(site, floor, SWEEP_ROWS)).all():
            for row in rows:
                stored = stored_from(row)
                slot = self._sites[site].slots[stored.record_id] = _Slot(stored)
                slot.held = sweep(stored.held, floor, mark.at_ms).held
                what = str(WithdrawalCause.NOT_IN_BASELINE)
                self._history.append((stored.record_id, site, *floor, mark.at_ms, "withdrawn", mark.actor, what))
            self.write()
            swept += len(rows)
        return swept

    def _compare(self, frame: AcceptedFrame, epoch: int, began: int | None, mark: BaselineMarked, swept: int) -> None:
        """Note whether the hub now holds what the site says it has (promise 4)."""
        site = frame.site.code
        held = tally_from(self._connection.execute(tally_statement(site)).one())
        same = (held.count, held.digest) == (mark.record_count, mark.digest)
        self._connection.execute(
            update(baseline)
            .where(baseline.c.site == site, baseline.c.epoch == epoch, baseline.c.began == began)
            .values(
                ended=mark.seq,
                promised_count=mark.record_count,
                promised_digest=mark.digest,
                held_count=held.count,
                held_digest=held.digest,
                swept=swept,
            )
        )
        comparisons.keep(
            self._connection,
            Comparison(
                site=site,
                state=Sameness.EQUAL if same else Sameness.DIFFERENT,
                epoch=frame.epoch,
                seq=mark.seq,
                site_records=mark.record_count,
                hub_records=held.count,
                compared_at_ms=self._now_ms,
            ),
        )

    # Writing

    def write(self) -> None:
        """Write what has changed so far."""
        fresh = self._fresh()
        for lot in in_lots([(docid, site, epoch, *one.columns) for docid, site, epoch, one in fresh], self._go_on):
            insert_rows(self._connection, entry.name, DESCRIBED_COLUMNS, lot)
        rows: list[tuple[object, ...]] = []
        new = [(docid, one.terms) for docid, _, _, one in fresh]
        gone: dict[int, IndexRow] = {}
        for site, here in self._sites.items():
            self._write_slots(site, here.slots, rows, gone, new)
            here.fresh, here.slots = {}, {}
        if rows:
            rows.sort()
            insert_rows(self._connection, entry.name, ENTRY_COLUMNS, rows)
        write_index(self._connection, gone, new, self._go_on)
        self._write_facts()
        if self._serial != self._first_serial:
            keep_serial(self._connection, self._serial)
            self._first_serial = self._serial

    def _fresh(self) -> list[tuple[int, str, int, Description]]:
        """The new records that occurred once, with docid, site and number of the epoch, in the order of the docids."""
        found = []
        for site, here in self._sites.items():
            for serial, (epoch, one) in enumerate(here.fresh.values(), self._serial):
                found.append((one.year * SERIALS_A_YEAR + serial, site, epoch, one))
            self._serial += len(here.fresh)
        found.sort()
        return found

    def _write_slots(
        self,
        site: str,
        slots: dict[bytes, _Slot],
        rows: list[tuple[object, ...]],
        gone: dict[int, IndexRow],
        new: list[tuple[int, IndexRow]],
    ) -> None:
        updates: list[tuple[object, ...]] = []
        rewrites: list[tuple[object, ...]] = []
        moves: list[tuple[object, ...]] = []
        withdrawn_content.note(self._connection, site, slots)
        for record_id, slot in slots.items():
            held, stored = slot.held, slot.stored
            if held is None or (stored is not None and held is stored.held):
                continue
            if stored is not None and _only_moves(slot, stored, held):
                provenance = encode_provenance(held.provenance)
                moves.append((*held.place, held.at_ms, held.access_status.value, provenance, stored.docid))
                for before, after in stored.terms_under(held.access_status):
                    gone[stored.docid] = before
                    new.append((stored.docid, after))
                continue
            docid = self._docid(slot)
            row = _row(docid, site, record_id, slot, held)
            if stored is None:
                rows.append(row)
            elif docid == stored.docid:
                rewrites.append(rewritten(row))
            else:
                updates.append((*row, stored.docid))
            _reindex(slot, docid, gone, new)
        told = ((MOVED_COLUMNS, moves), (REWRITTEN_COLUMNS, rewrites), (ENTRY_COLUMNS, updates))
        for columns, some in told:
            if some:
                update_rows(self._connection, entry.name, columns, "docid", some)

    def _docid(self, slot: _Slot) -> int:
        year = slot.latest.year if slot.latest and slot.held and slot.held.body else None
        if slot.stored is not None and year in (None, slot.stored.year):
            return slot.stored.docid
        self._serial += 1
        return docid_of(year or 0, self._serial - 1)

    def _write_facts(self) -> None:
        if self._history:
            self._connection.exec_driver_sql(INSERT_HISTORY, self._history)
        for site, record_id, found in self._conflicts:
            self._connection.execute(
                upsert(conflict)
                .values(
                    record_id=record_id,
                    site=site,
                    epoch=found.place.epoch,
                    seq=found.place.seq,
                    held_digest=found.held_digest,
                    offered_digest=found.offered_digest,
                    noted_at_ms=self._now_ms,
                )
                .on_conflict_do_nothing()
            )
        self._history, self._conflicts = [], []


def _has_body(held: Held | None) -> bool:
    return held is not None and held.body is not None


def _only_moves(slot: _Slot, stored: Stored, held: Held) -> bool:
    """Tell whether a row will say what it says now but for its place, its moment and its access status.

    What stands beside a body follows from it and is looked at too: a digest or a fonds that the disk has spoilt would
    differ from the site's for ever if the same body, told anew, left it alone.
    """
    if held.body != stored.held.body or held.withdrawn != stored.held.withdrawn:
        return False
    if held.body is None or slot.latest is None:
        return True
    kept = (stored.held.digest, stored.bucket, stored.level, stored.fonds_no, stored.ref_code, stored.year)
    return kept == (*_derived(slot.latest.columns), slot.latest.year)


def _reindex(slot: _Slot, docid: int, gone: dict[int, IndexRow], new: list[tuple[int, IndexRow]]) -> None:
    before = slot.stored.terms() if slot.stored else None
    after, now, held = None, slot.latest, slot.held
    if now and held and held.body is not None:
        # A closing whose record part was unreadable may be newer than this description.
        after = with_access(now.terms, now.access_status, held.access_status)
    if slot.stored is not None and before == after and docid == slot.stored.docid:
        return
    if slot.stored is not None and before is not None:
        gone[slot.stored.docid] = before
    if after is not None:
        new.append((docid, after))


def _row(docid: int, site: str, record_id: bytes, slot: _Slot, held: Held) -> tuple[object, ...]:
    """Return the whole row of a record that is not simply new."""
    columns = _described_columns(slot, held) if held.body is not None else _bare_columns(record_id, slot, held)
    return (docid, site, held.place.epoch, *columns, held.withdrawn, encode_provenance(held.provenance))


def _described_columns(slot: _Slot, held: Held) -> Iterable[object]:
    if slot.latest is None:
        message = "a described entry without its description"
        raise AssertionError(message)
    columns = list(slot.latest.columns)
    # A closing whose record part was unreadable may be newer than this description.
    columns[_ACCESS] = held.access_status.value
    return columns


def _bare_columns(record_id: bytes, slot: _Slot, held: Held) -> Iterable[object]:
    """The columns of a tombstone: its reference code remains, unless even that must not be known, or may not be."""
    before = slot.stored if held.withdrawn in _TRACEABLE else None
    level, fonds_no, ref_code = (before.level, before.fonds_no, before.ref_code) if before else (Level.ITEM, "", "")
    return (
        *(record_id, held.place.seq, held.at_ms, 0, record_id[-1], str(level), Secrecy.NONE.value),
        *(held.access_status.value, "", fonds_no, ref_code, None, None, None, None),
    )
