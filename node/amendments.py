"""Amendments: a record's next version that no reading of a file made, but a decision of a person or of two parties.

A version is stored with the row that it was last read from, so that the next reading of the file finds it again.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node.changes import IncomingRow, Standing, StoredRecord
from node.revisions import Revision
from protocol.codec import decode_record, encode_record
from protocol.events import Described
from protocol.records import Record
from replication.digests import digest_name, record_digest

_STANDING = (
    "SELECT docid, record_id, file_id, sheet, line, ref_code, level, fonds_no, content_key, standing, withdrawn_cause,"
    " body, digest, seq, row_digest, warnings, raw, volume_code FROM record WHERE record_id IN ({marks}) ORDER BY docid"
)


def standing(connection: Connection, record_ids: Sequence[UUID]) -> list[tuple[StoredRecord, IncomingRow]]:
    """Return the records as they are stored, each with its row as it was last read; what is not here is left out."""
    marks = ", ".join("?" * len(record_ids))
    rows = connection.exec_driver_sql(_STANDING.format(marks=marks), tuple(one.bytes for one in record_ids))
    return [
        (
            StoredRecord(
                docid=row.docid,
                record_id=UUID(bytes=row.record_id),
                file_id=row.file_id,
                sheet=row.sheet,
                line=row.line,
                ref_code=row.ref_code,
                level=row.level,
                fonds_no=row.fonds_no,
                content_key=row.content_key,
                standing=Standing(row.standing),
                withdrawn_cause=row.withdrawn_cause,
                body=row.body,
                digest=row.digest,
                seq=row.seq,
            ),
            IncomingRow(
                sheet=row.sheet,
                line=row.line,
                row_digest=row.row_digest,
                record=decode_record(row.body),
                # What the sheet says, by which the row is found again; amended values are not in it.
                content_key=row.content_key,
                warnings=row.warnings,
                raw=row.raw,
                volume_code=row.volume_code,
            ),
        )
        for row in rows
    ]


def amended(stored: StoredRecord, says: Record, *, by: str, reason: str, now_ms: int) -> Revision:
    """Return the next version of a stored record, which says this instead, and its event."""
    record = msgspec.structs.replace(
        says,
        version=says.version + 1,
        previous_digest=digest_name(stored.digest),
        changed_by=by,
        changed_at_ms=now_ms,
        reason=reason,
    )
    body = encode_record(record)
    return Revision(
        record=record,
        body=body,
        digest=record_digest(body),
        standing=stored.standing,
        event=Described(seq=0, previous=0, at_ms=0, actor=by, record=msgspec.Raw(body)),
    )
