"""Finding stored records: those of a file, those that say what a row says, those that left the catalogue."""

import json
from collections.abc import Iterable
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node.changes import CodeKey, Place, Standing, StoredRecord, code_key

_STORED = (
    "docid, record_id, record.file_id, sheet, line, ref_code, level, fonds_no, content_key, standing, withdrawn_cause,"
    " body, digest, seq, file.missing_since_ms IS NOT NULL, file.folder = '' AND standing = 'gone' FROM record"
    " JOIN file ON file.file_id = record.file_id"
)


def rows_of_file(connection: Connection, file_id: int) -> list[tuple[int, str, int, bytes]]:
    """Return (docid, sheet, line, row digest) of all standing records of a file, in the order of their places."""
    found = connection.exec_driver_sql(
        "SELECT docid, sheet, line, row_digest FROM record WHERE file_id = ? AND row_digest <> x''"
        " ORDER BY sheet, line",
        (file_id,),
    )
    return [(docid, sheet, line, digest) for docid, sheet, line, digest in found]


def rows_of_missing_files(connection: Connection, file_id: int) -> list[tuple[int, str, int, bytes]]:
    """Return the same for all files that are gone from their places: another file may have taken over their rows."""
    missing = connection.exec_driver_sql(
        "SELECT file_id FROM file WHERE missing_since_ms IS NOT NULL AND file_id <> ? ORDER BY file_id", (file_id,)
    )
    return [row for (missing_id,) in missing.all() for row in rows_of_file(connection, missing_id)]


def records_by_docid(connection: Connection, docids: Iterable[int]) -> list[StoredRecord]:
    """Return records by their numbers in the index, in the order of their places."""
    return _stored(
        connection,
        f"SELECT {_STORED} WHERE docid IN (SELECT value FROM json_each(?)) ORDER BY sheet, line, docid",  # noqa: S608
        (json.dumps(list(docids)),),
    )


def records_saying(connection: Connection, content_keys: Iterable[int], file_id: int) -> list[StoredRecord]:
    """Return the records of other files that say what one of these fingerprints stands for."""
    return _stored(
        connection,
        f"SELECT {_STORED} WHERE content_key IN (SELECT value FROM json_each(?))"  # noqa: S608
        " AND record.file_id <> ? ORDER BY docid",
        (json.dumps(list(content_keys)), file_id),
    )


def records_gone(
    connection: Connection, file_id: int, content_keys: Iterable[int], codes: Iterable[str]
) -> list[StoredRecord]:
    """Return the tombstones of a file that say the same, or have the same code, as rows that were read."""
    return _stored(
        connection,
        f"SELECT {_STORED} WHERE standing = 'gone' AND record.file_id = ?"  # noqa: S608
        " AND (ref_code IN (SELECT value FROM json_each(?)) AND ref_code <> ''"
        " OR content_key IN (SELECT value FROM json_each(?))) ORDER BY docid",
        (file_id, json.dumps(list(codes)), json.dumps(list(content_keys))),
    )


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What else there is beside a file's standing records, so that a first load need not look row by row."""

    has_others: bool
    has_gone: bool


def surroundings(connection: Connection, file_id: int) -> Surroundings:
    """Tell whether other files have records, and whether this file has tombstones."""
    others, gone = connection.exec_driver_sql(
        "SELECT EXISTS (SELECT 1 FROM record WHERE file_id < ?) OR EXISTS (SELECT 1 FROM record WHERE file_id > ?),"
        " EXISTS (SELECT 1 FROM record WHERE standing = 'gone' AND file_id = ?)",
        (file_id, file_id, file_id),
    ).one()
    return Surroundings(has_others=bool(others), has_gone=bool(gone))


def count_listed(connection: Connection, file_id: int) -> int:
    """Return how many records stand in a file as it was last read."""
    counted: int = connection.exec_driver_sql(
        "SELECT count(*) FROM record WHERE file_id = ? AND line > 0", (file_id,)
    ).scalar_one()
    return counted


def codes_of_file(connection: Connection, file_id: int) -> list[tuple[int, CodeKey, Place]]:
    """Return which codes stand in a file as it was last read: the record that has each, and its place."""
    found = connection.exec_driver_sql(
        "SELECT docid, fonds_no, ref_code, level, sheet, line FROM record"
        " WHERE file_id = ? AND line > 0 AND row_digest <> x''",
        (file_id,),
    )
    return [
        (docid, code, (sheet, line))
        for docid, fonds_no, ref_code, level, sheet, line in found
        if (code := code_key(fonds_no, ref_code, level)) is not None
    ]


def standing_docids(connection: Connection, file_id: int) -> list[int]:
    """Return the records of a file that are not withdrawn."""
    return _docids(connection, "SELECT docid FROM record WHERE file_id = ? AND row_digest <> x''", (file_id,))


def converted_volumes(connection: Connection, file_id: int, docids: Iterable[int]) -> set[int]:
    """Return which of these records are volumes whose items the same file lists now: it was re-described 卷转件."""
    found = connection.exec_driver_sql(
        "SELECT one.docid FROM record AS one WHERE one.docid IN (SELECT value FROM json_each(?))"
        " AND one.level = 'volume' AND one.standing = 'listed' AND one.ref_code <> '' AND EXISTS (SELECT 1 FROM"
        " record AS inside WHERE inside.fonds_no = one.fonds_no AND inside.volume_code = one.ref_code"
        " AND inside.volume_code <> '' AND inside.file_id = ? AND inside.line > 0 AND inside.docid <> one.docid)",
        (json.dumps(list(docids)), file_id),
    )
    return {docid for (docid,) in found}


def vanished_docids(connection: Connection, file_id: int) -> list[int]:
    """Return the records of a file that are not withdrawn although it does not list them any more."""
    return _docids(
        connection, "SELECT docid FROM record WHERE file_id = ? AND line = 0 AND row_digest <> x''", (file_id,)
    )


def ref_codes(connection: Connection, file_id: int) -> list[str]:
    """Return the reference codes that stand in a file."""
    found = connection.exec_driver_sql("SELECT ref_code FROM record WHERE file_id = ? AND line > 0", (file_id,))
    return [code for (code,) in found]


def count_of_folder(connection: Connection, folder: str) -> int:
    """Return how many standing records the files of a folder have."""
    counted: int = connection.exec_driver_sql(
        "SELECT count(*) FROM file JOIN record ON record.file_id = file.file_id"
        " WHERE file.folder = ? AND row_digest <> x''",
        (folder,),
    ).scalar_one()
    return counted


def _docids(connection: Connection, sql: str, parameters: tuple[object, ...]) -> list[int]:
    return [docid for (docid,) in connection.exec_driver_sql(sql, parameters)]


def _stored(connection: Connection, sql: str, parameters: tuple[object, ...]) -> list[StoredRecord]:
    return [
        StoredRecord(
            docid=row[0],
            record_id=UUID(bytes=row[1]),
            file_id=row[2],
            sheet=row[3],
            line=row[4],
            ref_code=row[5],
            level=row[6],
            fonds_no=row[7],
            content_key=row[8],
            standing=Standing(row[9]),
            withdrawn_cause=row[10],
            body=row[11],
            digest=row[12],
            seq=row[13],
            is_file_missing=bool(row[14]),
            is_kept_back=bool(row[15]),
        )
        for row in connection.exec_driver_sql(sql, parameters)
    ]
