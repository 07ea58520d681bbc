"""Changes: what a row that was read means for the records that are stored. Pure: values in, values out.

A record is found again by what it says, not by where it stands: rows are sorted, inserted, renumbered and moved between
files all the time, and a reference code is data (see ``protocol.records``). ``paired`` looks, in this order, for

1. the same code and the same content in the same file;
2. the same content in the same file: the row was renumbered, and the record keeps its id and remembers the old code;
3. the same code in the same file: the row was corrected;
4. for rows without a code, the same place in the same file with the same document number, title, or date and maker;
5. the same content in a file that is gone, or in a row that its own file no longer lists: the row was moved;
6. the same content in a file that still lists it: a copy, which is reported and never described twice.

What was withdrawn before this computer was replaced (``node.restoration``) is not described again because an old sheet
still lists it: such a row is reported, and a person decides.

Content comes before code, because one row inserted at the top of a list renumbers every row below it, and the records
have not become one another.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from uuid import UUID

import msgspec

from node.volumes import VolumeKey, volume_key
from protocol.codec import decode_record
from protocol.records import Record
from protocol.vocabularies import Level

CodeKey = tuple[str, str, str]
"""Fonds number, reference code and level: what may stand only once in a file."""

Place = tuple[str, int]
"""Sheet and line."""

NOWHERE = 0
"""Line of a record that its file no longer lists."""

SPOILT = -1
"""Line of a record whose row cannot be read now: it stays as it was last read."""


class Standing(StrEnum):
    """Where a record stands at its own site."""

    LISTED = "listed"
    """In the catalogue and published."""
    WITHHELD = "withheld"
    """In the catalogue, but its secrecy keeps it at home (promise 8)."""
    GONE = "gone"
    """Withdrawn: a tombstone that keeps the id for the day the row comes back."""


class StoredRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A record as the store has it; ``line`` 0 is one that its file no longer lists."""

    docid: int
    record_id: UUID
    file_id: int
    sheet: str
    line: int
    ref_code: str
    level: str
    fonds_no: str
    content_key: int
    standing: Standing
    withdrawn_cause: str
    body: bytes
    digest: int
    seq: int
    is_file_missing: bool = False
    is_kept_back: bool = False
    """A tombstone that the hub told to this node, its site's newest: no row brings it back until a person says so."""

    @property
    def is_free(self) -> bool:
        """True if no file lists it now, so that a row elsewhere may take it over."""
        return not self.is_kept_back and (self.standing is Standing.GONE or self.line == 0 or self.is_file_missing)

    @property
    def volume_key(self) -> VolumeKey | None:
        """By what the record is found as a volume that others lie in; None if it is none."""
        return volume_key(self.fonds_no, self.ref_code, self.level, is_listed=self.standing is Standing.LISTED)


class IncomingRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row that was read and described, and is not the same as any stored row."""

    sheet: str
    line: int
    row_digest: bytes
    record: Record
    content_key: int
    warnings: str = ""
    """Finding codes, joined by commas."""
    raw: bytes = b""
    """JSON of the cells that no field took, by their headers."""
    volume_code: str = ""
    """Code of the volume that the row names (``node.volumes``)."""


class Pair(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a row is: a stored record (found again), a repetition, or, with neither, something new."""

    row: IncomingRow
    stored: StoredRecord | None = None
    repeats_place: Place | None = None
    """The row has the code of another row of its file, which stands there."""
    repeats_record: StoredRecord | None = None
    """The row says what a row of another file says."""
    withdrawn_as: StoredRecord | None = None
    """The row is one that was withdrawn before this computer was replaced."""

    @property
    def is_new(self) -> bool:
        """True if nothing that is known is this row."""
        return self.stored is None and not self.is_reported

    @property
    def is_reported(self) -> bool:
        """True if the row is not described but reported."""
        # Asked twice of every row: a loop over the three takes longer than pairing the row.
        return self.repeats_place is not None or self.repeats_record is not None or self.withdrawn_as is not None


def code_key(fonds_no: str, ref_code: str, level: str) -> CodeKey | None:
    """Return what may stand only once in a file, or None where a code is missing or names many rows by design."""
    return (fonds_no, ref_code, level) if ref_code and level != Level.PERSON_INDEX_ROW else None


def _code_of(row: IncomingRow) -> CodeKey | None:
    return code_key(row.record.fonds_no, row.record.ref_code, row.record.level)


def _stored_code(stored: StoredRecord) -> CodeKey | None:
    return code_key(stored.fonds_no, stored.ref_code, stored.level)


class Unclaimed:
    """The stored rows of a file that no row read so far is equal to."""

    def __init__(self, rows: Iterable[tuple[int, str, int, bytes]]) -> None:
        """Take the stored rows as (docid, sheet, line, row digest), in the order of their places."""
        self._places: dict[int, Place] = {}
        self._by_digest: dict[bytes, list[int]] = {}
        for docid, sheet, line, digest in rows:
            self._places[docid] = (sheet, line)
            self._by_digest.setdefault(digest, []).append(docid)
        for docids in self._by_digest.values():
            docids.reverse()

    def claim(self, digest: bytes) -> tuple[int, Place] | None:
        """Take the first stored row with this digest out of the set, and say which it is and where it stood."""
        docids = self._by_digest.get(digest)
        if not docids:
            return None
        docid = docids.pop()
        return docid, self._places.pop(docid)

    @property
    def docids(self) -> frozenset[int]:
        """The stored rows that nothing was equal to."""
        return frozenset(self._places)


def paired(
    rows: Sequence[IncomingRow],
    here: Sequence[StoredRecord],
    elsewhere: Sequence[StoredRecord] = (),
    taken: dict[CodeKey, Place] | None = None,
) -> list[Pair]:
    """Say what each row is; the rules are in the module's text.

    Args:
        rows: new rows of one file, in its order.
        here: stored records of the same file that no row is equal to.
        elsewhere: records of other files that say the same as one of the rows.
        taken: codes that other rows of the file have, and where; receives the codes of these rows.

    """
    return _Pairing(rows, here, elsewhere, {} if taken is None else taken).pairs()


class _Pairing:
    def __init__(
        self,
        rows: Sequence[IncomingRow],
        here: Sequence[StoredRecord],
        elsewhere: Sequence[StoredRecord],
        taken: dict[CodeKey, Place],
    ) -> None:
        self._rows = rows
        # What is still listed is found again before what was withdrawn.
        self._here = sorted(here, key=lambda stored: stored.standing is Standing.GONE)
        self._elsewhere = elsewhere
        self._taken = taken
        self._used: set[int] = set()
        self._pairs: list[Pair | None] = [None] * len(rows)

    def pairs(self) -> list[Pair]:
        if self._here:
            self._pass(self._here, _code_and_content, _stored_code_and_content)
            self._pass(self._here, _content, _stored_content, allowed=_may_be_renumbered)
            self._pass(self._here, _code_of, _stored_code)
            self._pass(self._here, _uncoded_place, _stored_uncoded_place, allowed=_is_recognisable)
        if self._elsewhere:
            free = [stored for stored in self._elsewhere if stored.is_free]
            self._pass(free, _code_and_content, _stored_code_and_content)
            self._mark_withdrawn([stored for stored in self._elsewhere if stored.is_kept_back])
            self._pass(free, _content, _stored_content, allowed=_may_be_renumbered)
            listed = [stored for stored in self._elsewhere if not (stored.is_free or stored.is_kept_back)]
            self._mark_copies(listed)
        return [self._settled(index) for index in range(len(self._rows))]

    def _pass(
        self,
        stored: Iterable[StoredRecord],
        key: Callable[[IncomingRow], object],
        stored_key: Callable[[StoredRecord], object],
        allowed: Callable[[IncomingRow, StoredRecord], bool] = lambda _row, _stored: True,
    ) -> None:
        waiting: dict[object, deque[StoredRecord]] = defaultdict(deque)
        for candidate in stored:
            found_by = stored_key(candidate)
            if found_by is not None and candidate.docid not in self._used:
                waiting[found_by].append(candidate)
        for index, row in self._open():
            candidates = waiting.get(key(row))
            if candidates and allowed(row, candidates[0]) and self._take_code(index):
                chosen = candidates.popleft()
                self._used.add(chosen.docid)
                self._pairs[index] = Pair(row=row, stored=chosen)

    def _open(self) -> Iterator[tuple[int, IncomingRow]]:
        return ((index, row) for index, row in enumerate(self._rows) if self._pairs[index] is None)

    def _take_code(self, index: int) -> bool:
        """Note the row's code; False, and the row is settled as a repetition, if another row of the file has it."""
        row = self._rows[index]
        code = _code_of(row)
        if code is None:
            return True
        place = self._taken.setdefault(code, (row.sheet, row.line))
        if place == (row.sheet, row.line):
            return True
        self._pairs[index] = Pair(row=row, repeats_place=place)
        return False

    def _mark_withdrawn(self, stones: Sequence[StoredRecord]) -> None:
        """Report rows that say what was withdrawn; of what must not be known the county has kept no code."""
        for key, stored_key, some in (
            (_code_and_content, _stored_code_and_content, [one for one in stones if one.ref_code]),
            (_content, _stored_content, [one for one in stones if not one.ref_code]),
        ):
            waiting: dict[object, deque[StoredRecord]] = defaultdict(deque)
            for stored in some:
                waiting[stored_key(stored)].append(stored)
            for index, row in self._open():
                candidates = waiting.get(key(row))
                if candidates:
                    self._pairs[index] = Pair(row=row, withdrawn_as=candidates.popleft())

    def _mark_copies(self, listed: Sequence[StoredRecord]) -> None:
        waiting: dict[object, deque[StoredRecord]] = defaultdict(deque)
        for stored in listed:
            waiting[_stored_code_and_content(stored)].append(stored)
        for index, row in self._open():
            # The n-th uncoded row that stands elsewhere n times is a copy; the next one is not.
            candidates = waiting.get(_code_and_content(row))
            if candidates:
                self._pairs[index] = Pair(row=row, repeats_record=candidates.popleft())

    def _settled(self, index: int) -> Pair:
        if self._pairs[index] is None:
            self._take_code(index)
        return self._pairs[index] or Pair(row=self._rows[index])


def _content(row: IncomingRow) -> int:
    return row.content_key


def _stored_content(stored: StoredRecord) -> int:
    return stored.content_key


def _code_and_content(row: IncomingRow) -> tuple[object, int]:
    return _code_of(row), row.content_key


def _stored_code_and_content(stored: StoredRecord) -> tuple[object, int]:
    return _stored_code(stored), stored.content_key


def _may_be_renumbered(row: IncomingRow, stored: StoredRecord) -> bool:
    # A tombstone does not come back under another code only because a new row happens to say the same.
    return stored.standing is not Standing.GONE or not row.record.ref_code or not stored.ref_code


def _uncoded_place(row: IncomingRow) -> Place | None:
    return (row.sheet, row.line) if _code_of(row) is None else None


def _stored_uncoded_place(stored: StoredRecord) -> Place | None:
    return (stored.sheet, stored.line) if stored.line and _stored_code(stored) is None else None


def _is_recognisable(row: IncomingRow, stored: StoredRecord) -> bool:
    new, old = row.record, decode_record(stored.body)
    return (
        (new.doc_no != "" and new.doc_no == old.doc_no)
        or new.title == old.title
        or (new.date_edtf == old.date_edtf != "" and new.responsible_parties == old.responsible_parties)
    )
