"""The site's own catalogue: every record it ever described, with the search index over those that stand.

The store is the compacted history of the site: each record knows the position of its last event, so what a receiver
missed, or everything, can be said again from here. Hot statements are plain SQL through the driver's ``executemany``.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node import indexing
from node.changes import IncomingRow, Standing, StoredRecord
from node.indexing import DOCIDS_A_YEAR, Waiting
from node.revisions import ACTOR, Revision
from protocol.codec import decode_record
from protocol.events import Described, EventHead, WithdrawalCause, Withdrawn
from protocol.index_rows import IndexRow, index_rows, year_of
from replication.digests import bucket_of
from replication.wide_inserts import insert_rows

_REPLACE = (
    "UPDATE record SET docid = ?, record_id = ?, file_id = ?, sheet = ?, line = ?, row_digest = ?, ref_code = ?,"
    " level = ?, fonds_no = ?, content_key = ?, standing = ?, withdrawn_cause = ?, date_earliest = ?, date_latest = ?,"
    " livelihood_kind = ?, access_status = ?, warnings = ?, raw = ?, body = ?, digest = ?, bucket = ?, seq = ?,"
    " volume_code = ? WHERE docid = ?"
)


CHANGES_AFTER = (
    "SELECT seq, record_id, withdrawn_cause, CASE WHEN withdrawn_cause = '' THEN body END FROM record"
    " WHERE seq > 0 AND seq > ? ORDER BY seq LIMIT ?"
)
"""What changed after a position, at most so many. Only ``seq > 0``, spelled out, lets the partial index serve it:
without that every catch-up frame reads and sorts the whole table."""


class Written(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record as it will be stored: all columns but its place in the index and its position."""

    year: int
    columns: tuple[object, ...]
    """From ``record_id`` to ``bucket``, in the order of the table."""
    terms: IndexRow | None
    """Of a record in the place of another; a new one waits for its turn in the index (``node.indexing``)."""
    event: EventHead | None
    volume_code: str = ""
    replaces: StoredRecord | None = None


Version = tuple[Revision, IncomingRow, StoredRecord | None]
"""A revision, the row that it was read from, and the record that it replaces."""


def written(versions: Sequence[Version], file_id: int) -> list[Written]:
    """Return what the rows of one file say as it is stored."""
    terms = iter(index_rows([revision.record for revision, _, replaces in versions if replaces is not None]))
    return [
        Written(
            year=year_of(revision.record),
            columns=_columns(revision, row, file_id),
            terms=next(terms) if replaces is not None else None,
            event=revision.event,
            volume_code=row.volume_code,
            replaces=replaces,
        )
        for revision, row, replaces in versions
    ]


def _columns(revision: Revision, row: IncomingRow, file_id: int) -> tuple[object, ...]:
    record = revision.record
    earliest, latest = record.date_earliest, record.date_latest
    first_day = earliest.isoformat() if earliest else None
    # Of every object of bytes the driver asks whether something adapts it; of an array of bytes it does not.
    return (
        bytearray(record.record_id.bytes),
        file_id,
        row.sheet,
        row.line,
        bytearray(row.row_digest),
        record.ref_code,
        # Members of an enumeration would take the driver's slow path.
        record.level._value_,
        record.fonds_no,
        row.content_key,
        revision.standing._value_,
        revision.withdrawn_cause,
        first_day,
        first_day if latest is earliest else latest.isoformat() if latest else None,
        record.livelihood_kind,
        record.access_status._value_,
        row.warnings,
        bytearray(row.raw),
        bytearray(revision.body),
        revision.digest,
        bucket_of(record.record_id),
    )


def insert(connection: Connection, rows: Sequence[Written], positions: Sequence[int]) -> None:
    """Store new records; ``positions`` are those of their events in order, 0 where nothing travels."""
    docids = _new_docids(connection, [row.year for row in rows])
    insert_rows(
        connection,
        "INSERT INTO record",
        [(docid, *row.columns, seq, row.volume_code) for docid, row, seq in zip(docids, rows, positions, strict=True)],
    )
    first = next((seq for seq in positions if seq), 1)
    indexing.postpone(connection, docids, first - 1)


def insert_tombstones(connection: Connection, rows: Sequence[Written]) -> None:
    """Store records that were withdrawn elsewhere; no search finds them."""
    docids = _new_docids(connection, [row.year for row in rows])
    insert_rows(
        connection,
        "INSERT OR IGNORE INTO record",
        [(docid, *row.columns, 0, row.volume_code) for docid, row in zip(docids, rows, strict=True)],
    )


def replace(connection: Connection, rows: Sequence[Written], positions: Sequence[int]) -> None:
    """Store changed records in the place of those they replace; position 0 keeps the one they had."""
    moved = iter(_new_docids(connection, [row.year for row in rows if _year_moves(row)]))
    waiting = indexing.waiting(connection)
    before = dict(_indexed([_replaced(row) for row in rows], waiting))
    outdated, fresh, changed = [], [], []
    for row, seq in zip(rows, positions, strict=True):
        old = _replaced(row)
        docid = next(moved) if _year_moves(row) else old.docid
        changed.append((docid, *row.columns, seq or old.seq, row.volume_code, old.docid))
        terms = before.get(old.docid)
        if docid == old.docid and terms == row.terms:
            continue
        if terms is not None:
            outdated.append((old.docid, terms))
        if row.terms is not None and not waiting.holds(docid):
            fresh.append((docid, row.terms))
    indexing.take_out(connection, outdated)
    connection.exec_driver_sql(_REPLACE, changed)
    indexing.put(connection, fresh)


def _replaced(row: Written) -> StoredRecord:
    if row.replaces is None:
        message = "a changed record must say which it replaces"
        raise ValueError(message)
    return row.replaces


def _year_moves(row: Written) -> bool:
    return _replaced(row).docid // DOCIDS_A_YEAR != row.year


def withdraw(connection: Connection, rows: Sequence[StoredRecord], positions: Sequence[int]) -> None:
    """Make tombstones of records; position 0 is a record that never travelled."""
    indexing.take_out(connection, _indexed(rows, indexing.waiting(connection)))
    cause = WithdrawalCause.ROW_VANISHED.value
    connection.exec_driver_sql(
        "UPDATE record SET standing = 'gone', line = 0, row_digest = x'', warnings = '', withdrawn_cause = ?, seq = ?"
        " WHERE docid = ?",
        [
            (cause if seq else row.withdrawn_cause, seq or row.seq, row.docid)
            for row, seq in zip(rows, positions, strict=True)
        ],
    )


def _indexed(rows: Sequence[StoredRecord], waiting: Waiting) -> list[tuple[int, IndexRow]]:
    """The numbers and terms of those records that stand in the index."""
    listed = [row for row in rows if row.standing is not Standing.GONE and not waiting.holds(row.docid)]
    terms = index_rows([decode_record(row.body) for row in listed])
    return [(row.docid, told) for row, told in zip(listed, terms, strict=True)]


class Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a record was read and how."""

    file_id: int
    sheet: str
    line: int
    row_digest: bytes
    warnings: str = ""
    raw: bytes = b""


class Seat(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where an unchanged record stands now."""

    docid: int
    seen: Seen


def move(connection: Connection, seats: Sequence[Seat]) -> None:
    """Note where records stand now that say what they said before."""
    if seats:
        connection.exec_driver_sql(
            "UPDATE record SET file_id = ?, sheet = ?, line = ?, row_digest = ?, warnings = ?, raw = ? WHERE docid = ?",
            [(*_cells(one.seen), one.docid) for one in seats],
        )


def _cells(seen: Seen) -> tuple[object, ...]:
    return seen.file_id, seen.sheet, seen.line, seen.row_digest, seen.warnings, seen.raw


def move_lines(connection: Connection, file_id: int, places: Sequence[tuple[str, int, int]]) -> None:
    """Note the new file, sheet and line of rows that did not change: (sheet, line, docid)."""
    if places:
        connection.exec_driver_sql(
            "UPDATE record SET file_id = ?, sheet = ?, line = ? WHERE docid = ?",
            [(file_id, sheet, line, docid) for sheet, line, docid in places],
        )


def set_lines(connection: Connection, line: int, docids: Sequence[int]) -> None:
    """Note that records stand nowhere now (``NOWHERE``), or in a row that cannot be read (``SPOILT``)."""
    if docids:
        connection.exec_driver_sql("UPDATE record SET line = ? WHERE docid = ?", [(line, docid) for docid in docids])


def _new_docids(connection: Connection, years: Sequence[int]) -> list[int]:
    following: dict[int, int] = {}
    docids = []
    for year in years:
        docid = following.get(year)
        if docid is None:
            first = year * DOCIDS_A_YEAR
            highest = connection.exec_driver_sql(
                "SELECT max(docid) FROM record WHERE docid >= ? AND docid < ?", (first, first + DOCIDS_A_YEAR)
            ).scalar_one()
            docid = (first if highest is None else highest) + 1
        docids.append(docid)
        following[year] = docid + 1
    return docids


def changes_after(connection: Connection, seq: int, limit: int) -> list[EventHead]:
    """Return what changed after a position as events with their own positions, in order; overtaken ones are left out.

    The caller gives them the time and, where it sends only some of them, the right ``previous``.
    """
    found = connection.exec_driver_sql(CHANGES_AFTER, (seq, limit))
    events: list[EventHead] = []
    previous = seq
    for at, record_id, cause, body in found:
        if body is None:
            events.append(
                Withdrawn(
                    seq=at,
                    previous=previous,
                    at_ms=0,
                    actor=ACTOR,
                    record_id=UUID(bytes=record_id),
                    cause=WithdrawalCause(cause),
                )
            )
        else:
            events.append(Described(seq=at, previous=previous, at_ms=0, actor=ACTOR, record=msgspec.Raw(body)))
        previous = at
    return events


def all_records(connection: Connection, after_docid: int, limit: int) -> list[tuple[int, EventHead]]:
    """Return the next published records as events without positions, each with its number, for a baseline."""
    found = connection.exec_driver_sql(
        "SELECT docid, body FROM record WHERE docid > ? AND standing = 'listed' ORDER BY docid LIMIT ?",
        (after_docid, limit),
    )
    return [
        (docid, Described(seq=0, previous=0, at_ms=0, actor=ACTOR, record=msgspec.Raw(body))) for docid, body in found
    ]


def placed(connection: Connection, docids: Sequence[int], positions: Sequence[int]) -> None:
    """Note the positions that a baseline gave to records."""
    connection.exec_driver_sql("UPDATE record SET seq = ? WHERE docid = ?", list(zip(positions, docids, strict=True)))


def forget_positions(connection: Connection) -> None:
    """Note that a new epoch begins: no record has a position in it yet."""
    connection.exec_driver_sql("UPDATE record SET seq = 0, withdrawn_cause = ''")
    indexing.begin_epoch(connection)


def count_standing(connection: Connection) -> tuple[int, int]:
    """Return how many records are listed and how many withheld, counted in small indexes."""
    listed, withheld = connection.exec_driver_sql(
        "SELECT (SELECT count(*) FROM record WHERE standing = 'listed'),"
        " (SELECT count(*) FROM record WHERE standing = 'withheld')"
    ).one()
    return listed, withheld
