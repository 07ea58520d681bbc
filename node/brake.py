"""The mass-change brake (promise 6): absence is not deletion.

Rows that vanish from a catalogue are withdrawn by themselves only in small numbers. More than that, a vanished file or
a folder that is not there is *held*: the records stay as they are, the reason is shown, and a person releases or
rejects the change. A decision is written into the database and carried out by the daemon, now or when it next runs.

    held ──────────── released by a person: the records are withdrawn; a row that comes back gets its old id
      ├────────────── rejected by a person: the records stay; nothing is asked again until the file changes again
      └────────────── lapsed: the rows came back, or a newer change of the same file took its place
"""

from enum import StrEnum

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, Update, and_, func, insert, select, update

from node.config import BrakeBounds
from node.tables import brake
from protocol.errors import BadValue
from protocol.wording import Count, Text


class Cause(StrEnum):
    """Why a change is held."""

    ROWS_VANISHED = "rows_vanished"
    FILE_VANISHED = "file_vanished"
    FOLDER_UNAVAILABLE = "folder_unavailable"


class BrakeState(StrEnum):
    """Where a held change stands."""

    HELD = "held"
    RELEASE_ASKED = "release_asked"
    """A person has released it; the daemon has not carried it out yet."""
    RELEASED = "released"
    REJECTED = "rejected"
    LAPSED = "lapsed"


class Decision(StrEnum):
    """What a person may decide."""

    RELEASE = "release"
    REJECT = "reject"


class HeldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change that the brake holds, or held."""

    brake_id: int
    folder: str
    file_id: int | None
    path: str
    cause: Cause
    row_count: int
    """Records that the change would withdraw."""
    of_count: int
    """Records that the file (or folder) has."""
    state: BrakeState
    held_at_ms: int
    decided_at_ms: int | None = None

    @property
    def reason(self) -> Text:
        """Why it is held, for a person."""
        named, folder, rows, of = self.path, self.folder, self.row_count, self.of_count
        if self.cause is Cause.ROWS_VANISHED:
            return Text(
                zh=f"文件 {named} 的 {of} 条著录中有 {rows} 条不见了，超过允许的幅度，暂不撤下。",
                en=f"{rows} of the {Count(of):record|records} of {named} have vanished, more than may go without a"
                " question.",
            )
        if self.cause is Cause.FILE_VANISHED:
            return Text(
                zh=f"文件 {named} 不见了，其中的 {rows} 条著录暂不撤下。",
                en=f"The file {named} has vanished; its {Count(rows):record stays|records stay} for now.",
            )
        return Text(
            zh=f"目录 {folder} 不可用（未挂载、被清空或标记文件丢失），其中的 {rows} 条著录暂不撤下。",
            en=f"The folder {folder} is not available (unmounted, emptied, or its marker is gone);"
            f" its {Count(rows):record stays|records stay} for now.",
        )


REMEDY = Text(
    zh="确属删除请执行 danglian-node brake release 编号；属于误删请执行 danglian-node brake reject 编号，"
    "或把文件放回原处。",
    en="If they were meant to go: danglian-node brake release ID. If not: danglian-node brake reject ID, or put the"
    " file back.",
)
"""What a person can do about a held change."""


def is_mass_change(vanished: int, listed: int, bounds: BrakeBounds) -> bool:
    """Tell whether so many rows, of all that the file had, must not vanish without a question.

    That all rows of a file vanish is never small, however few they are.
    """
    if vanished == 0:
        return False
    return vanished > max(bounds.rows, bounds.share * listed) or (vanished == listed and listed > 1)


_OPEN = (BrakeState.HELD.value, BrakeState.RELEASE_ASKED.value)


def _same(folder: str, file_id: int | None) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return brake.c.folder == folder, brake.c.file_id.is_(None) if file_id is None else brake.c.file_id == file_id


def hold(connection: Connection, change: HeldChange) -> bool:
    """Hold a change (its number is given here); the same change held or rejected already is not held twice.

    Returns whether it is newly held.
    """
    same = and_(*_same(change.folder, change.file_id), brake.c.cause == change.cause.value)
    if change.cause is Cause.ROWS_VANISHED:
        # A file that was read again has changed again, so a rejection of before is asked anew.
        repeated = and_(same, brake.c.row_count == change.row_count, brake.c.state.in_(_OPEN))
    else:
        repeated = and_(same, brake.c.state.in_((*_OPEN, BrakeState.REJECTED.value)))
    if connection.execute(select(brake.c.brake_id).where(repeated)).first() is not None:
        return False
    lapse(connection, change.folder, change.file_id, change.held_at_ms)
    connection.execute(
        insert(brake).values(
            folder=change.folder,
            file_id=change.file_id,
            path=change.path,
            cause=change.cause.value,
            row_count=change.row_count,
            of_count=change.of_count,
            state=BrakeState.HELD.value,
            held_at_ms=change.held_at_ms,
        )
    )
    return True


def lapse(connection: Connection, folder: str, file_id: int | None, now_ms: int, cause: Cause | None = None) -> None:
    """Let go of what was held or rejected for a file or folder (for one cause): it has changed, or is whole again."""
    chosen = [*_same(folder, file_id), brake.c.state.in_((*_OPEN, BrakeState.REJECTED.value))]
    if cause is not None:
        chosen.append(brake.c.cause == cause.value)
    connection.execute(update(brake).where(*chosen).values(state=BrakeState.LAPSED.value, decided_at_ms=now_ms))


def held(connection: Connection, *, with_past: bool = False) -> list[HeldChange]:
    """Return the changes that wait for a person or for the daemon, oldest first; with the past: all."""
    statement = select(brake).order_by(brake.c.brake_id)
    if not with_past:
        statement = statement.where(brake.c.state.in_(_OPEN))
    return [_held(row) for row in connection.execute(statement).mappings()]


def released(connection: Connection) -> list[HeldChange]:
    """Return the changes that a person has released and the daemon has not carried out."""
    statement = select(brake).where(brake.c.state == BrakeState.RELEASE_ASKED.value).order_by(brake.c.brake_id)
    return [_held(row) for row in connection.execute(statement).mappings()]


def count_held(connection: Connection) -> int:
    """Return how many changes wait."""
    return connection.execute(select(func.count()).select_from(brake).where(brake.c.state.in_(_OPEN))).scalar_one()


def no_number() -> BadValue:
    """Return the error of a decision that names no change."""
    return BadValue(
        Text(zh="请写出变更的编号。", en="name the number of the change"),
        Text(zh="编号见 danglian-node brake list。", en="danglian-node brake list shows the numbers."),
    )


def decide(connection: Connection, brake_id: int, decision: Decision, now_ms: int) -> HeldChange:
    """Write down what a person decided.

    Raises:
        BadValue: there is no such change, or it does not wait any more.

    """
    row = connection.execute(select(brake).where(brake.c.brake_id == brake_id)).mappings().one_or_none()
    if row is None or row["state"] not in _OPEN:
        raise BadValue(
            Text(zh=f"没有编号为 {brake_id} 的待定变更。", en=f"no change {brake_id} is waiting"),
            Text(zh="请用 danglian-node brake list 查看。", en="See danglian-node brake list."),
        )
    state = BrakeState.RELEASE_ASKED if decision is Decision.RELEASE else BrakeState.REJECTED
    connection.execute(_moved(brake_id, state, now_ms))
    return msgspec.structs.replace(_held(row), state=state, decided_at_ms=now_ms)


def carried_out(connection: Connection, brake_id: int, now_ms: int) -> None:
    """Note that a released change was carried out."""
    connection.execute(_moved(brake_id, BrakeState.RELEASED, now_ms))


def _moved(brake_id: int, state: BrakeState, now_ms: int) -> Update:
    return update(brake).where(brake.c.brake_id == brake_id).values(state=state.value, decided_at_ms=now_ms)


def _held(row: RowMapping) -> HeldChange:
    return HeldChange(
        brake_id=row["brake_id"],
        folder=row["folder"],
        file_id=row["file_id"],
        path=row["path"],
        cause=Cause(row["cause"]),
        row_count=row["row_count"],
        of_count=row["of_count"],
        state=BrakeState(row["state"]),
        held_at_ms=row["held_at_ms"],
        decided_at_ms=row["decided_at_ms"],
    )
