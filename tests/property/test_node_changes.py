"""Finding records again: whatever is done to a sheet, no record is lost, doubled or taken for another."""

import hashlib
import random
from collections.abc import Sequence
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from node.changes import CodeKey, IncomingRow, Pair, Place, StoredRecord, Unclaimed, code_key, paired
from node.revisions import first_version, record_ids, revised
from protocol.codec import decode_record
from protocol.events import EventHead
from protocol.fingerprints import content_key
from protocol.records import Record

SITE = "330523108204"


class Row(msgspec.Struct, frozen=True):
    """What a test's sheet says: a code (maybe none), a title, a remark that is no part of the identity."""

    code: str
    title: str
    note: str = ""


class Sheet:
    """One file's records, kept as the store keeps them, and read as the import reads them."""

    def __init__(self) -> None:
        self.stored: dict[int, tuple[StoredRecord, bytes]] = {}
        self.chance = random.Random(7)
        self.serial = 0

    def read(self, rows: Sequence[Row]) -> tuple[list[EventHead], int]:
        """Read a sheet; returns the events and how many rows were rejected as repeated."""
        unclaimed = Unclaimed(
            (docid, stored.sheet, stored.line, digest) for docid, (stored, digest) in sorted(self.stored.items())
        )
        incoming: list[IncomingRow] = []
        for line, row in enumerate(rows, 2):
            claimed = unclaimed.claim(digest_of(row))
            if claimed is None:
                incoming.append(incoming_row(row, line))
            else:
                stored, digest = self.stored[claimed[0]]
                self.stored[claimed[0]] = msgspec.structs.replace(stored, line=line), digest
        taken: dict[CodeKey, Place] = {}
        for docid, (stored, _) in self.stored.items():
            code = code_key(stored.fonds_no, stored.ref_code, stored.level)
            if docid not in unclaimed.docids and code is not None:
                taken[code] = (stored.sheet, stored.line)
        pairs = paired(incoming, [self.stored[docid][0] for docid in sorted(unclaimed.docids)], (), taken)
        return self._written(pairs), sum(pair.repeats_place is not None for pair in pairs)

    def _written(self, pairs: Sequence[Pair]) -> list[EventHead]:
        events: list[EventHead] = []
        for pair in pairs:
            if pair.repeats_place is not None:
                continue
            if pair.stored is None:
                (record_id,) = record_ids(1, 1, self.chance.randbytes)
                revision = first_version(pair.row.record, record_id, 1)
                self.serial += 1
                docid = self.serial
            else:
                found = revised(pair, 1)
                docid = pair.stored.docid
                if found is None:
                    self.stored[docid] = msgspec.structs.replace(pair.stored, line=pair.row.line), pair.row.row_digest
                    continue
                revision = found
            if revision.event is not None:
                events.append(revision.event)
            record = revision.record
            self.stored[docid] = (
                StoredRecord(
                    docid=docid,
                    record_id=record.record_id,
                    file_id=1,
                    sheet="S",
                    line=pair.row.line,
                    ref_code=record.ref_code,
                    level=record.level,
                    fonds_no=record.fonds_no,
                    content_key=pair.row.content_key,
                    standing=revision.standing,
                    withdrawn_cause="",
                    body=revision.body,
                    digest=revision.digest,
                    seq=1,
                ),
                pair.row.row_digest,
            )
        return events

    def ids_by_title(self) -> dict[str, list[UUID]]:
        """Return the ids of the records by what they say."""
        found: dict[str, list[UUID]] = {}
        for stored, _ in self.stored.values():
            found.setdefault(decode_record(stored.body).title, []).append(stored.record_id)
        return {title: sorted(ids) for title, ids in found.items()}


def digest_of(row: Row) -> bytes:
    return hashlib.blake2b(repr(row).encode(), digest_size=8).digest()


def incoming_row(row: Row, line: int) -> IncomingRow:
    record = Record(record_id=UUID(int=0), repository_id=SITE, title=row.title, ref_code=row.code, note=row.note)
    return IncomingRow(sheet="S", line=line, row_digest=digest_of(row), record=record, content_key=content_key(record))


titles = st.text("甲乙丙丁", min_size=1, max_size=2)
uncoded = st.lists(st.builds(Row, st.just(""), titles, st.sampled_from(["", "x"])), max_size=12)


@st.composite
def coded(draw: st.DrawFn) -> list[Row]:
    """A sheet in which every row has its own code; titles repeat."""
    count = draw(st.integers(0, 12))
    return [Row(f"A-{number:03d}", draw(titles), draw(st.sampled_from(["", "x"]))) for number in range(count)]


sheets = st.one_of(coded(), uncoded, st.tuples(coded(), uncoded).map(lambda both: [*both[0], *both[1]]))


@given(sheets)
def test_reading_the_same_sheet_again_yields_no_events(rows: list[Row]) -> None:
    sheet = Sheet()
    sheet.read(rows)
    assert sheet.read(rows) == ([], 0)


@given(sheets, st.randoms(use_true_random=False))
def test_no_order_of_the_rows_yields_events(rows: list[Row], chance: random.Random) -> None:
    sheet = Sheet()
    sheet.read(rows)
    shuffled = rows.copy()
    chance.shuffle(shuffled)
    assert sheet.read(shuffled) == ([], 0)


@given(coded(), st.integers(1, 20))
def test_renumbering_every_row_keeps_every_id(rows: list[Row], shift: int) -> None:
    """Also where the new codes are the old codes of other rows."""
    sheet = Sheet()
    sheet.read(rows)
    before = sheet.ids_by_title()
    sheet.read([Row(f"A-{number + shift:03d}", row.title, row.note) for number, row in enumerate(rows)])
    assert sheet.ids_by_title() == before


@given(coded(), st.data())
def test_correcting_a_row_keeps_its_id(rows: list[Row], data: st.DataObject) -> None:
    sheet = Sheet()
    sheet.read(rows)
    if not rows:
        return
    index = data.draw(st.integers(0, len(rows) - 1))
    before = {stored.ref_code: stored.record_id for stored, _ in sheet.stored.values()}
    corrected = [*rows[:index], Row(rows[index].code, "全新的题名"), *rows[index + 1 :]]
    events, _ = sheet.read(corrected)
    assert {stored.ref_code: stored.record_id for stored, _ in sheet.stored.values()} == before
    assert len(events) == 1


@given(sheets, sheets)
def test_every_row_has_one_record_of_its_own(first: list[Row], second: list[Row]) -> None:
    """Whatever a sheet turns into, its rows and the records that stand in it match one to one."""
    sheet = Sheet()
    sheet.read(first)
    _, repeated = sheet.read(second)
    assert repeated == 0
    ids = [stored.record_id for stored, _ in sheet.stored.values()]
    assert len(ids) == len(set(ids))
    said = sorted((stored.ref_code, decode_record(stored.body).title) for stored, _ in sheet.stored.values())
    for row in second:
        assert (row.code, row.title) in said
        said.remove((row.code, row.title))


@given(st.lists(st.builds(Row, st.sampled_from(["A-1", "A-2", "A-3"]), titles), max_size=10))
def test_no_code_stands_twice(rows: list[Row]) -> None:
    sheet = Sheet()
    _, repeated = sheet.read(rows)
    codes = [stored.ref_code for stored, _ in sheet.stored.values()]
    assert len(codes) == len(set(codes))
    assert repeated == len(rows) - len(codes)
    events, again = sheet.read(rows)
    assert (events, again) == ([], repeated)
