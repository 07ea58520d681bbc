"""The book of draws: how far the files of each consignment have come, and why one stands still."""

from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.sql.elements import ColumnElement

from hub.draws.draw_tables import draw
from protocol.consignments import FileFault
from protocol.errors import DanglianError, NotYet, Permanent, Refused, StorageFull
from protocol.sites import Site
from protocol.wording import Text


class DrawState(StrEnum):
    """What a draw is doing, or waits for."""

    DRAWING = "drawing"
    LINE_DOWN = "line_down"
    """The site cannot be reached, or stopped answering."""
    NOT_NOW = "not_now"
    """The site gives files at other hours; ``not_before_ms`` says when."""
    DISK_FULL = "disk_full"
    """There is no room here."""
    FAULTY = "faulty"
    """Everything has come that could; some files are not at the site as listed."""
    REFUSED = "refused"
    """It will not come this way: the reason says why."""
    DONE = "done"


class FaultyFile(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One file that did not come."""

    position: int
    """Its number on the list, from 0."""
    fault: FileFault


class DrawMark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a draw has come: all before the mark is on the disk and verified, but for the faulty files."""

    mark: int = 0
    """A place in the row of bytes."""
    faulty: tuple[FaultyFile, ...] = ()


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the book."""

    site: str
    consignment_id: UUID
    list_digest: str
    place: str
    files: int
    size_bytes: int
    progress: DrawMark = DrawMark()
    carried_bytes: int = 0
    """Bytes of files that the line has carried, what it carried twice included."""
    state: DrawState = DrawState.DRAWING
    reason: Text = Text(zh="", en="")
    not_before_ms: int = 0
    began_at_ms: int
    moved_at_ms: int


def begin(connection: Connection, wanted: Drawing) -> Drawing:
    """Open a line, or return the one that is there.

    Raises:
        Refused: another list is known under this id.

    """
    present = drawing_of(connection, wanted.site, wanted.consignment_id)
    if present is None:
        connection.execute(
            insert(draw).values(
                site=wanted.site,
                consignment_id=wanted.consignment_id.bytes,
                list_digest=wanted.list_digest,
                place=wanted.place,
                files=wanted.files,
                size_bytes=wanted.size_bytes,
                state=DrawState.DRAWING.value,
                began_at_ms=wanted.began_at_ms,
                moved_at_ms=wanted.moved_at_ms,
            )
        )
        return wanted
    if present.list_digest != wanted.list_digest:
        raise Refused(
            Text(zh="同一编号下已登记另一份文件清单", en="another list of files is known under this id"),
            Text(zh="请该站以新的编号重新提供。", en="Have the site offer it under a new id."),
        )
    if present.place != wanted.place:
        # Where it lies is told anew by whoever fetches; what is not there is fetched again.
        connection.execute(update(draw).where(_mine(wanted.site, wanted.consignment_id)).values(place=wanted.place))
    return present


def note_progress(
    connection: Connection, site: Site, consignment_id: UUID, progress: DrawMark, carried_bytes: int, now_ms: int
) -> None:
    """Note how far a draw has come; ``carried_bytes`` is what the line has carried since the last note."""
    connection.execute(
        update(draw)
        .where(_mine(site.code, consignment_id))
        .values(
            mark=progress.mark,
            faulty=msgspec.json.encode(progress.faulty).decode(),
            carried_bytes=draw.c.carried_bytes + carried_bytes,
            state=DrawState.DRAWING.value,
            reason_zh="",
            reason_en="",
            not_before_ms=0,
            moved_at_ms=now_ms,
        )
    )


def note_state(connection: Connection, site: Site, consignment_id: UUID, error: DanglianError | None) -> None:
    """Note that a draw has ended (None), or what it waits for."""
    nothing = Text(zh="", en="")
    reason = nothing if error is None else error.reason
    connection.execute(
        update(draw)
        .where(_mine(site.code, consignment_id))
        .values(
            state=state_for(error).value,
            reason_zh=reason.zh,
            reason_en=reason.en,
            not_before_ms=error.not_before_ms if isinstance(error, NotYet) else 0,
        )
    )


def state_for(error: DanglianError | None) -> DrawState:
    """Return the state in which an error leaves a draw."""
    if error is None:
        return DrawState.DONE
    if isinstance(error, NotYet):
        return DrawState.NOT_NOW
    if isinstance(error, StorageFull):
        return DrawState.DISK_FULL
    if isinstance(error, Permanent):
        return DrawState.REFUSED
    return DrawState.LINE_DOWN


def note_faulty(connection: Connection, site: Site, consignment_id: UUID, reason: Text) -> None:
    """Note that everything has come but some files."""
    connection.execute(
        update(draw)
        .where(_mine(site.code, consignment_id))
        .values(state=DrawState.FAULTY.value, reason_zh=reason.zh, reason_en=reason.en, not_before_ms=0)
    )


def drawing_of(connection: Connection, site: str, consignment_id: UUID) -> Drawing | None:
    """Return the line of one consignment."""
    found = connection.execute(select(draw).where(_mine(site, consignment_id))).first()
    return _drawing(found) if found is not None else None


def _mine(site: str, consignment_id: UUID) -> ColumnElement[bool]:
    return (draw.c.site == site) & (draw.c.consignment_id == consignment_id.bytes)


def _drawing(row: Row[tuple[object, ...]]) -> Drawing:
    return Drawing(
        site=row.site,
        consignment_id=UUID(bytes=bytes(row.consignment_id)),
        list_digest=row.list_digest,
        place=row.place,
        files=row.files,
        size_bytes=row.size_bytes,
        progress=DrawMark(mark=row.mark, faulty=msgspec.json.decode(row.faulty, type=tuple[FaultyFile, ...])),
        carried_bytes=row.carried_bytes,
        state=DrawState(row.state),
        reason=Text(zh=row.reason_zh, en=row.reason_en),
        not_before_ms=row.not_before_ms,
        began_at_ms=row.began_at_ms,
        moved_at_ms=row.moved_at_ms,
    )
