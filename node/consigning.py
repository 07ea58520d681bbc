"""Consigning: which files the site has offered the county to fetch, and where they lie.

Nothing is copied: an offer is a list and a folder. The files are read from there when they are fetched, and one that is
no longer what the list says is named then.
"""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, delete, func, insert, select

from node.consignment_tables import consigned_file, consignment
from protocol.consignments import ConsignedFile, check_list, list_digest, starts_of
from protocol.errors import Refused
from protocol.wording import Text

INSERTED_FILES = 1_000
"""Lines of a list that are written at once: memory stays small whatever the list."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One consignment that the site has offered."""

    consignment_id: UUID
    root: str
    """The folder that the paths are relative to."""
    files: int
    size_bytes: int
    list_digest: str
    any_hour: bool
    """Whether it may travel outside the hours that the site has for this: an answer that somebody waits for."""
    offered_at_ms: int


class ListStretch(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines of a list, one behind the other."""

    first: int
    """Number of the first line."""
    start: int
    """Where its file begins in the row of bytes."""
    files: tuple[ConsignedFile, ...]


def offer(
    connection: Connection,
    consignment_id: UUID,
    files: Sequence[ConsignedFile],
    root: Path,
    now_ms: int,
    *,
    any_hour: bool = False,
) -> None:
    """Offer files to the county; the same offer again changes nothing but the folder.

    Args:
        connection: within a transaction.
        consignment_id: by which both ends call it.
        files: in their order; they should have been looked at before (``replication.consigned_files.faults_in``).
        root: the folder that the paths are relative to.
        now_ms: the wall clock.
        any_hour: it may travel outside the site's hours.

    Raises:
        BadValue: a name in the list, or the list itself, cannot travel.
        Refused: something else was offered under this id.

    """
    check_list(files)
    digest = list_digest(files)
    present = offered(connection, consignment_id)
    if present is not None and present.list_digest != digest:
        raise Refused(
            Text(zh="同一编号下已提供过另一份清单", en="another list was offered under this id"),
            Text(zh="请先撤回原来的（withdraw），或使用新的编号。", en="Withdraw that one first, or use a new id."),
        )
    withdraw(connection, consignment_id)
    starts = starts_of(files)
    connection.execute(
        insert(consignment).values(
            consignment_id=consignment_id.bytes,
            root=str(root.absolute()),
            files=len(files),
            size_bytes=starts[-1],
            list_digest=digest,
            any_hour=int(any_hour),
            offered_at_ms=now_ms,
        )
    )
    _insert_lines(connection, consignment_id.bytes, files, starts)


def _insert_lines(connection: Connection, key: bytes, files: Sequence[ConsignedFile], starts: Sequence[int]) -> None:
    for first in range(0, len(files), INSERTED_FILES):
        connection.exec_driver_sql(
            "INSERT INTO consigned_file (consignment_id, position, start, path, size_bytes, sha256)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (key, first + at, starts[first + at], one.path, one.size_bytes, one.sha256)
                for at, one in enumerate(files[first : first + INSERTED_FILES])
            ],
        )


def withdraw(connection: Connection, consignment_id: UUID) -> None:
    """Take an offer back, or forget it because it has arrived; the files stay where they are."""
    for table in (consigned_file, consignment):
        connection.execute(delete(table).where(table.c.consignment_id == consignment_id.bytes))


def offered(connection: Connection, consignment_id: UUID) -> Offer | None:
    """Return what stands offered under an id."""
    found = connection.execute(offers_statement().where(consignment.c.consignment_id == consignment_id.bytes)).first()
    return _offer(found) if found is not None else None


def offers(connection: Connection) -> list[Offer]:
    """Return everything that is offered, the latest first."""
    ordered = offers_statement().order_by(consignment.c.offered_at_ms.desc(), consignment.c.consignment_id)
    return [_offer(row) for row in connection.execute(ordered)]


def offers_statement() -> Select[tuple[object, ...]]:
    """Return the statement of all offers."""
    return select(consignment)


def _offer(row: Row[tuple[object, ...]]) -> Offer:
    return Offer(
        consignment_id=UUID(bytes=row.consignment_id),
        root=row.root,
        files=row.files,
        size_bytes=row.size_bytes,
        list_digest=row.list_digest,
        any_hour=bool(row.any_hour),
        offered_at_ms=row.offered_at_ms,
    )


def stretch_at(connection: Connection, consignment_id: UUID, offset: int, files_max: int) -> ListStretch | None:
    """Return the lines from that file on in which a place in the row of bytes lies; None if nothing lies there."""
    mine = consigned_file.c.consignment_id == consignment_id.bytes
    first = connection.execute(
        select(func.max(consigned_file.c.position)).where(mine, consigned_file.c.start <= offset)
    ).scalar()
    return None if first is None else stretch_from(connection, consignment_id, int(first), files_max)


def stretch_from(connection: Connection, consignment_id: UUID, first: int, files_max: int) -> ListStretch | None:
    """Return the lines from a number on; None if there are none."""
    rows = connection.execute(
        select(consigned_file.c.start, consigned_file.c.path, consigned_file.c.size_bytes, consigned_file.c.sha256)
        .where(consigned_file.c.consignment_id == consignment_id.bytes, consigned_file.c.position >= first)
        .order_by(consigned_file.c.position)
        .limit(files_max)
    ).all()
    if not rows:
        return None
    files = tuple(ConsignedFile(path=row.path, size_bytes=row.size_bytes, sha256=row.sha256) for row in rows)
    return ListStretch(first=first, start=rows[0].start, files=files)
