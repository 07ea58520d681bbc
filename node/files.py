"""The catalogue files that this site knows, and what the last reading of each one gave."""

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, RowMapping, Select, Update, func, insert, select, text, update

from node.folders import FolderState
from node.tables import file, folder, record, reject
from protocol.findings import Finding
from protocol.wording import Text

REJECTS_KEPT_MAX = 100_000
"""Rejected rows of one file kept in the database; the reject file beside the source has all of them."""

COPIES_ASKED_MAX = 5_000
"""Records in one query for rows that repeat them."""


class FileState(StrEnum):
    """What is known of a file."""

    LOADING = "loading"
    """Some of its rows are stored, the rest follows."""
    TAKEN = "taken"
    """Read to its end; single rows may be rejected."""
    REFUSED = "refused"
    """Cannot be read as a whole; what was stored from it before stays."""


class CatalogueFile(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue file as it was last read."""

    file_id: int
    folder: str
    path: str
    """Relative to the folder, with forward slashes."""
    state: FileState
    size_bytes: int
    mtime_ns: int
    sha256: bytes
    reading: str
    """Digest of the rules and settings by which it was read."""
    accepted: int
    warned: int
    rejected: int
    reason: Text
    hint: Text
    missing_since_ms: int | None
    read_at_ms: int


class SeenFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it stands in its folder now."""

    folder: str
    path: str
    size_bytes: int
    mtime_ns: int
    sha256: bytes
    reading: str
    at_ms: int


class RejectedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was set aside; ``docid`` names the stored record that it repeats."""

    sheet: str
    line: int
    findings: tuple[Finding, ...]
    cells: tuple[str, ...] = ()
    docid: int | None = None


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """A rejected row that repeats a record and can take its place."""

    docid: int
    file_id: int
    sheet: str
    line: int


class FileCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over all files."""

    files: int
    refused: int
    warned: int
    rejected: int


def files_statement(folder_name: str | None = None) -> "Select[tuple[object, ...]]":
    """All files, or those of one folder, by path."""
    statement = select(file).order_by(file.c.folder, file.c.path)
    return statement if folder_name is None else statement.where(file.c.folder == folder_name)


def file_at(connection: Connection, folder_name: str, path: str) -> CatalogueFile | None:
    """Return what is known of the file at a path."""
    statement = select(file).where(file.c.folder == folder_name, file.c.path == path)
    row = connection.execute(statement).mappings().one_or_none()
    return _file(row) if row is not None else None


def files_in(connection: Connection, folder_name: str | None = None) -> list[CatalogueFile]:
    """Return all files, or those of one folder."""
    return [_file(row) for row in connection.execute(files_statement(folder_name)).mappings()]


def file_named(connection: Connection, file_id: int) -> CatalogueFile:
    """Return a file by its number; raises LookupError if there is none."""
    row = connection.execute(select(file).where(file.c.file_id == file_id)).mappings().one_or_none()
    if row is None:
        raise LookupError(file_id)
    return _file(row)


def counts(connection: Connection) -> FileCounts:
    """Return the sums that a sign of life and the status tell."""
    row = connection.execute(
        select(
            func.count().filter(file.c.missing_since_ms.is_(None)),
            func.count().filter(file.c.missing_since_ms.is_(None), file.c.state == FileState.REFUSED.value),
            func.coalesce(func.sum(file.c.warned).filter(file.c.missing_since_ms.is_(None)), 0),
            func.coalesce(func.sum(file.c.rejected).filter(file.c.missing_since_ms.is_(None)), 0),
        )
    ).one()
    return FileCounts(files=row[0], refused=row[1], warned=row[2], rejected=row[3])


def begin(connection: Connection, seen: SeenFile) -> CatalogueFile:
    """Note a file that was never seen before; its rows follow."""
    connection.execute(
        insert(file).values(
            folder=seen.folder,
            path=seen.path,
            state=FileState.LOADING.value,
            size_bytes=seen.size_bytes,
            mtime_ns=seen.mtime_ns,
            sha256=seen.sha256,
            reading=seen.reading,
            read_at_ms=seen.at_ms,
        )
    )
    begun = file_at(connection, seen.folder, seen.path)
    if begun is None:
        raise LookupError(seen.path)
    return begun


def seen_again(connection: Connection, file_id: int, seen: SeenFile, *, is_read: bool) -> None:
    """Note how a known file stands now, perhaps under another name; unless it is as it was read, its rows follow."""
    values: dict[str, object] = {
        "folder": seen.folder,
        "path": seen.path,
        "size_bytes": seen.size_bytes,
        "mtime_ns": seen.mtime_ns,
        "sha256": seen.sha256,
        "reading": seen.reading,
        "missing_since_ms": None,
    }
    if not is_read:
        values["state"] = FileState.LOADING.value
    connection.execute(update(file).where(file.c.file_id == file_id).values(values))


def refuse(connection: Connection, file_id: int, reason: Text, hint: Text, now_ms: int) -> None:
    """Note that a file cannot be read as a whole; what was stored from it before stays."""
    connection.execute(
        update(file)
        .where(file.c.file_id == file_id)
        .values(
            state=FileState.REFUSED.value,
            reason_zh=reason.zh,
            reason_en=reason.en,
            hint_zh=hint.zh,
            hint_en=hint.en,
            read_at_ms=now_ms,
        )
    )


def finish(connection: Connection, file_id: int, report: bytes, rejected: int, now_ms: int) -> None:
    """Note that a file was read to its end, with its report."""
    standing = select(func.count()).where(record.c.file_id == file_id, record.c.line > 0)
    warned = select(func.count()).where(record.c.file_id == file_id, text("warnings <> ''"))
    connection.execute(
        update(file)
        .where(file.c.file_id == file_id)
        .values(
            state=FileState.TAKEN.value,
            accepted=standing.scalar_subquery(),
            warned=warned.scalar_subquery(),
            rejected=rejected,
            report=report,
            reason_zh="",
            reason_en="",
            hint_zh="",
            hint_en="",
            read_at_ms=now_ms,
        )
    )


def outdated(file_ids: Iterable[int]) -> Update:
    """Files that must be read again although their bytes are the same."""
    return update(file).where(file.c.file_id.in_(list(file_ids))).values(reading="", size_bytes=-1)


def missing_files(connection: Connection, before_ms: int) -> list[CatalogueFile]:
    """Return the files that have been gone since before a moment, in folders that are available."""
    statement = (
        select(file)
        .join(folder, folder.c.path == file.c.folder)
        .where(file.c.missing_since_ms <= before_ms, folder.c.state == FolderState.READY.value)
    )
    return [_file(row) for row in connection.execute(statement).mappings()]


def has_newly_missing(connection: Connection, since_ms: int) -> bool:
    """Tell whether files have gone since a moment."""
    return connection.execute(select(file.c.file_id).where(file.c.missing_since_ms > since_ms)).first() is not None


def outdated_files(connection: Connection) -> list[CatalogueFile]:
    """Return the files that ``outdated`` has marked."""
    return [_file(row) for row in connection.execute(select(file).where(file.c.reading == "")).mappings()]


def set_missing(connection: Connection, file_ids: Iterable[int], since_ms: int | None) -> None:
    """Note that files are gone from their places (or, with None, that they are back)."""
    ids = list(file_ids)
    if ids:
        connection.execute(update(file).where(file.c.file_id.in_(ids)).values(missing_since_ms=since_ms))


def set_rejects(connection: Connection, file_id: int, rows: Sequence[RejectedRow]) -> None:
    """Put the rejected rows of a file in the place of those before."""
    connection.execute(reject.delete().where(reject.c.file_id == file_id))
    values = [
        (file_id, row.sheet, row.line, one.field, one.code, one.value, one.text.zh, one.text.en, row.docid)
        for row in rows[:REJECTS_KEPT_MAX]
        for one in row.findings
    ]
    if values:
        connection.exec_driver_sql("INSERT INTO reject VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def copies_of(connection: Connection, docids: Sequence[int]) -> dict[int, Copy]:
    """Return for records the rejected rows of files in place that repeat them, one for each."""
    found: dict[int, Copy] = {}
    for start in range(0, len(docids), COPIES_ASKED_MAX):
        rows = connection.exec_driver_sql(
            "SELECT docid, reject.file_id, sheet, line FROM reject JOIN file ON file.file_id = reject.file_id"
            " WHERE docid IN (SELECT value FROM json_each(?)) AND file.missing_since_ms IS NULL"
            " ORDER BY reject.file_id DESC, line DESC",
            (json.dumps(docids[start : start + COPIES_ASKED_MAX]),),
        )
        for docid, file_id, sheet, line in rows:
            found[docid] = Copy(docid=docid, file_id=file_id, sheet=sheet, line=line)
    return found


def rejects_statement(file_id: int, limit: int) -> "Select[tuple[object, ...]]":
    """The rejected rows of a file, in its order."""
    return select(reject).where(reject.c.file_id == file_id).order_by(reject.c.sheet, reject.c.line).limit(limit)


def report_of(connection: Connection, file_id: int) -> bytes:
    """Return the report of a file's last complete reading, empty before the first."""
    report: bytes | str = connection.execute(select(file.c.report).where(file.c.file_id == file_id)).scalar_one()
    return report if isinstance(report, bytes) else report.encode()


def warnings_of(connection: Connection, file_id: int) -> dict[str, int]:
    """Return how many records of a file carry which warnings."""
    statement = (
        select(record.c.warnings, func.count())
        .where(record.c.file_id == file_id, text("warnings <> ''"))
        .group_by(record.c.warnings)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def _file(row: RowMapping) -> CatalogueFile:
    return CatalogueFile(
        file_id=row["file_id"],
        folder=row["folder"],
        path=row["path"],
        state=FileState(row["state"]),
        size_bytes=row["size_bytes"],
        mtime_ns=row["mtime_ns"],
        sha256=row["sha256"],
        reading=row["reading"],
        accepted=row["accepted"],
        warned=row["warned"],
        rejected=row["rejected"],
        reason=Text(zh=row["reason_zh"], en=row["reason_en"]),
        hint=Text(zh=row["hint_zh"], en=row["hint_en"]),
        missing_since_ms=row["missing_since_ms"],
        read_at_ms=row["read_at_ms"],
    )
