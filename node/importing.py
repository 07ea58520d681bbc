"""The import of one file: compares what was read with what is stored, and prepares what has to be written.

Everything here runs in a worker thread and touches neither the database nor a clock: the shell (``node.ingest``)
fetches what is stored and writes what comes out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from uuid import UUID

import msgspec

from node.catalogues.rows import RawRow, SheetReading
from node.changes import CodeKey, IncomingRow, Pair, Place, StoredRecord, Unclaimed, paired
from node.corrections import Correction, Corrections
from node.courtesy import Courtesy
from node.files import RejectedRow
from node.reading import FileReading
from node.revisions import Revision, first_version, revised
from node.store import Seat, Seen, Version, Written, written
from node.volumes import VolumeKey, Volumes, volume_key
from protocol.codec import decode_record
from protocol.findings import Severity, finding
from protocol.records import Record
from protocol.vocabularies import Level

CHUNK_ROWS = 4_000
"""Rows written in one transaction: a fraction of a second, so that a change elsewhere need not wait long."""

FIRST_CHUNK_ROWS = 500
"""Rows of the first transaction of a new file; each following one has twice as many, up to ``CHUNK_ROWS``: the hub
begins while nearly all of the file is still to be described. Small ones throughout would cost a large store a third
more pages."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that were read and described, in the order of the file."""

    rows: Sequence[IncomingRow]
    rejects: Sequence[RejectedRow]


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """What one transaction writes, in the order of the file."""

    new: tuple[Written, ...] = ()
    changed: tuple[Written, ...] = ()
    moved: tuple[Seat, ...] = ()
    volumes: tuple[VolumeKey, ...] = ()
    """Codes that a volume takes or leaves."""
    dropped: tuple[Correction, ...] = ()
    settled: tuple[Correction, ...] = ()
    """Corrections that the sheet has overtaken."""


StoredPlace = tuple[int, str, int, bytes]
"""Number, sheet, line and row digest of a stored record."""


class Tally(msgspec.Struct, kw_only=True):
    """How many rows came to what."""

    unchanged: int = 0
    new: int = 0
    changed: int = 0
    renumbered: int = 0
    moved: int = 0
    copies: int = 0
    duplicates: int = 0


class FileImport:
    """One reading of one file, step by step.

    - ``stored`` are the records of the file, ``strays`` those of files that are gone: the file may continue both.
    - ``batches`` gives the rows that are not the same as a stored one, described. The first load of a file comes in
      bounded batches. A file that was loaded before comes in one batch, because a row may be found again only among
      all of those that the file does not list any more.
    - ``chunks`` says for one batch what has to be written.
    - When all is done, ``vanished`` are the stored rows that were not found again.
    """

    def __init__(
        self,
        reading: FileReading,
        file_id: int,
        stored: Sequence[StoredPlace],
        strays: Sequence[StoredPlace],
        *,
        is_first_load: bool,
        courtesy: Courtesy | None = None,
    ) -> None:
        self.rejects: list[RejectedRow] = []
        self.tally = Tally()
        self.shifted: list[tuple[str, int, int]] = []
        """New sheet and line of rows that are the same as stored ones, with their records."""
        self.volumes = Volumes()
        """Stored volumes that the rows of a batch name, told by the shell; those of the file join by themselves."""
        self.corrections = Corrections()
        """Corrections of stored records that the rows of a batch may be, told by the shell."""
        self._reading = reading
        self._file_id = file_id
        self._strays = frozenset(docid for docid, *_ in strays)
        self._unclaimed = Unclaimed([*stored, *strays])
        self._found: set[int] = set()
        self._is_first_load = is_first_load
        self._courtesy = courtesy or Courtesy()
        self._taken: dict[CodeKey, Place] | None = None

    def batches(self) -> Iterator[Batch]:
        """Read the rows to the end, batch by batch; the next one may be read while ``chunks`` goes through one.

        Raises:
            UnreadableFile: a text file turns out to be damaged further down.

        """
        other: list[tuple[SheetReading, RawRow]] = []
        claim, most = self._unclaimed.claim, min(FIRST_CHUNK_ROWS, CHUNK_ROWS)
        for sheet, raw in self._reading.rows():
            claimed = claim(raw.digest)
            if claimed is None:
                other.append((sheet, raw))
                if self._is_first_load and len(other) >= most:
                    yield self._described(other)
                    other, most = [], min(2 * most, CHUNK_ROWS)
                continue
            docid, place = claimed
            self.tally.unchanged += 1
            is_stray = docid in self._strays
            self.tally.moved += is_stray
            if is_stray or place != (sheet.name, raw.line):
                self.shifted.append((sheet.name, raw.line, docid))
        yield self._described(other)

    def _described(self, rows: Sequence[tuple[SheetReading, RawRow]]) -> Batch:
        incoming, rejects = [], []
        for sheet, raw in rows:
            self._courtesy.give_way()
            row = self._reading.described(sheet, raw)
            if isinstance(row, RejectedRow):
                rejects.append(row)
            else:
                incoming.append(row)
        return Batch(rows=incoming, rejects=rejects)

    @property
    def unclaimed(self) -> frozenset[int]:
        """Stored rows of the file that nothing so far was equal to: known when the file was read to its end."""
        return frozenset() if self._is_first_load else self._unclaimed.docids

    @property
    def has_changed(self) -> bool:
        """True if the file lists other records than before."""
        tally = self.tally
        return bool(tally.new or tally.changed or tally.renumbered or tally.moved or self.vanished)

    @property
    def needs_codes(self) -> bool:
        """True before the first batch: later the codes of the file are known here."""
        return self._taken is None

    @property
    def vanished(self) -> list[int]:
        """Stored rows of the file that were not found again in any form, in their order."""
        return sorted(self._unclaimed.docids - self._found - self._strays)

    def chunks(
        self,
        batch: Sequence[IncomingRow],
        here: Sequence[StoredRecord],
        elsewhere: Sequence[StoredRecord],
        codes: Iterable[tuple[int, CodeKey, Place]],
        ids: Callable[[int], list[UUID]],
        now_ms: int,
    ) -> Iterator[Chunk]:
        """Say what has to be written for a batch.

        Args:
            batch: the rows of what ``batches`` gave.
            here: stored records of the file that the rows may continue.
            elsewhere: stored records of other files that say the same.
            codes: the codes of the file's stored records, while ``needs_codes``.
            ids: mints so many new ids.
            now_ms: the time of the change.

        """
        if self._taken is None:
            # Only now, because before the end of the reading nobody knows which stored rows still have their codes.
            waiting = self._unclaimed.docids
            self._taken = {code: place for docid, code, place in codes if docid not in waiting}
        pairs = paired(batch, here, elsewhere, self._taken)
        start = 0
        while start < len(pairs):
            end = start + self._courtesy.at_once(CHUNK_ROWS)
            yield self._chunk(pairs[start:end], ids, now_ms)
            start = end

    def _chunk(self, pairs: Sequence[Pair], ids: Callable[[int], list[UUID]], now_ms: int) -> Chunk:
        new: list[Version] = []
        changed: list[Version] = []
        moved: list[Seat] = []
        minted = ids(sum(pair.is_new for pair in pairs))
        # Volumes first: an item may stand before the volume that it names.
        volumes = self._volumes_of(pairs, minted) if any(map(_is_about_volume, pairs)) else ()
        fresh = iter(minted)
        for unlinked in pairs:
            self._courtesy.give_way()
            pair = self._linked(unlinked) if unlinked.row.volume_code else unlinked
            if pair.is_reported:
                self.rejects.append(self._reported(pair))
            elif pair.stored is None:
                self._take(new, first_version(pair.row.record, next(fresh), now_ms), pair)
            else:
                self._continue(pair, pair.stored, changed, moved, now_ms)
        self.tally.new += len(new)
        return Chunk(
            new=tuple(written(new, self._file_id)),
            changed=tuple(written(changed, self._file_id)),
            moved=tuple(moved),
            volumes=volumes,
            dropped=self.corrections.take_dropped(),
            settled=self.corrections.take_settled(),
        )

    def _continue(
        self, pair: Pair, stored: StoredRecord, changed: list[Version], moved: list[Seat], now_ms: int
    ) -> None:
        """Take a row as what it says of a stored record now, with the corrections that stand beside its sheet."""
        self._found.add(stored.docid)
        record = self.corrections.corrected(pair.row.record, stored.record_id)
        if record is not pair.row.record:
            pair = msgspec.structs.replace(pair, row=msgspec.structs.replace(pair.row, record=record))
        revision = revised(pair, now_ms)
        if revision is None:
            self.tally.moved += 1
            moved.append(Seat(docid=stored.docid, seen=self._seen(pair.row)))
        else:
            self._take(changed, revision, pair)

    def _linked(self, pair: Pair) -> Pair:
        """Put the row into the volume that it names."""
        row = pair.row
        parent_id = self.volumes.one((row.record.fonds_no, row.volume_code))
        if parent_id is None:
            return pair
        record = msgspec.structs.replace(row.record, parent_id=parent_id)
        return msgspec.structs.replace(pair, row=msgspec.structs.replace(row, record=record))

    def _volumes_of(self, pairs: Sequence[Pair], minted: Sequence[UUID]) -> tuple[VolumeKey, ...]:
        """Learn which volumes come, go and change their codes; returns these codes."""
        fresh, due = iter(minted), set[VolumeKey]()
        for pair in pairs:
            record_id = next(fresh) if pair.is_new else pair.stored.record_id if pair.stored is not None else None
            if record_id is None or not _is_about_volume(pair):
                continue
            before = None if pair.stored is None else pair.stored.volume_key
            after = _key(pair.row.record)
            if before != after:
                self.volumes.move(record_id, before, after)
                due.update(key for key in (before, after) if key is not None)
        return tuple(sorted(due))

    def _take(self, versions: list[Version], revision: Revision, pair: Pair) -> None:
        if revision.is_too_large:
            found = finding("value_too_long", field="", value=pair.row.record.title[:40], severity=Severity.REJECT)
            self.rejects.append(RejectedRow(sheet=pair.row.sheet, line=pair.row.line, findings=(found,)))
            return
        versions.append((revision, pair.row, pair.stored))
        if pair.stored is None:
            return
        if pair.stored.ref_code != revision.record.ref_code:
            self.tally.renumbered += 1
        else:
            self.tally.changed += 1

    def _seen(self, row: IncomingRow) -> Seen:
        return Seen(
            file_id=self._file_id,
            sheet=row.sheet,
            line=row.line,
            row_digest=row.row_digest,
            warnings=row.warnings,
            raw=row.raw,
        )

    def _reported(self, pair: Pair) -> RejectedRow:
        row = pair.row
        given = row.record.ref_code_as_given or row.record.title
        if pair.withdrawn_as is not None:
            found = finding("row_withdrawn_before", field="ref_code", value=given)
            return RejectedRow(sheet=row.sheet, line=row.line, findings=(found,))
        if pair.repeats_record is not None:
            self.tally.copies += 1
            found = finding("row_held_elsewhere", field="ref_code", value=given)
            return RejectedRow(sheet=row.sheet, line=row.line, findings=(found,), docid=pair.repeats_record.docid)
        self.tally.duplicates += 1
        found = finding("ref_code_duplicate", field="ref_code", value=given)
        return RejectedRow(sheet=row.sheet, line=row.line, findings=(found,))


def _is_about_volume(pair: Pair) -> bool:
    return pair.row.record.level is Level.VOLUME or (pair.stored is not None and pair.stored.level == Level.VOLUME)


def _key(record: Record) -> VolumeKey | None:
    return volume_key(record.fonds_no, record.ref_code, record.level, is_listed=record.secrecy.travels)


def spoilt(vanished: Sequence[StoredRecord], rejects: Sequence[RejectedRow]) -> list[int]:
    """Return those vanished records whose row is still there, but cannot be read now: they stay as they were.

    The row is known by the code as it was given, or by the title where there is no code.
    """
    cells = {cell.strip() for row in rejects for cell in row.cells}
    return [
        stored.docid
        for stored in vanished
        if ((record := decode_record(stored.body)).ref_code_as_given.strip() or record.title) in cells
    ]
