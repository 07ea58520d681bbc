"""The book of held files: where each one lies, what it must be, and how it was last found."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from hub.keeping.keeping_tables import held_copy, held_file, holding_run
from protocol.consignments import ConsignedFile
from protocol.errors import Refused
from protocol.sites import Site
from protocol.wording import Text


class HeldState(StrEnum):
    """How a file, or a copy of it, was last found."""

    SOUND = "sound"
    DAMAGED = "damaged"
    """Its bytes are not those that were taken in."""
    MISSING = "missing"


class HeldFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file that the archive keeps."""

    site: str
    bundle: str
    """The transfer, or whatever else it came with."""
    path: str
    size_bytes: int
    sha256: str
    held_at_ms: int
    looked_at_ms: int
    sound_at_ms: int
    """When it was last read and found to be what was taken in."""
    state: HeldState
    repaired_at_ms: int | None
    repaired_from: str

    def under(self, root: Path) -> Path:
        """Return where it lies under a folder: that of the holdings, or of a copy of them."""
        return root / self.site / self.bundle / self.path


class HoldingRun(msgspec.Struct, frozen=True, kw_only=True):
    """One going over a target."""

    target: str
    began_at_ms: int
    ended_at_ms: int
    files: int
    copied: int
    verified: int
    faulty: int


class HeldSigns(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with held files, in brief."""

    spoilt: int = 0
    oldest_sound_at_ms: int | None = None
    """As in the tally; None where nothing is held."""


class HeldTally(msgspec.Struct, frozen=True, kw_only=True):
    """All held files in numbers."""

    files: int = 0
    size_bytes: int = 0
    damaged: int = 0
    missing: int = 0
    oldest_sound_at_ms: int | None = None
    """When that file was last found sound for which this is longest ago."""


def place(root: Path, site: Site, bundle: str) -> Path:
    """Return the folder in which the files of a bundle lie: what a draw is given as its place."""
    return root / site.code / bundle


def hold(connection: Connection, site: Site, bundle: str, files: Sequence[ConsignedFile], now_ms: int) -> None:
    """Take files into the book that have arrived and were verified; the same again changes nothing.

    Raises:
        Refused: other files are held under this name.

    """
    rows = connection.execute(
        select(held_file.c.path, held_file.c.sha256).where(held_file.c.site == site.code, held_file.c.bundle == bundle)
    )
    present = {row.path: row.sha256 for row in rows}
    if present and present != {one.path: one.sha256 for one in files}:
        raise Refused(
            Text(zh=f"{bundle} 下已有另一批馆藏文件", en=f"other files are held under {bundle}"),
            Text(zh="馆藏文件不可更改；请用新的编号。", en="Held files are never changed: use a new name."),
        )
    if present:
        return
    connection.execute(
        held_file.insert(),
        [
            {
                "site": site.code,
                "bundle": bundle,
                "path": one.path,
                "size_bytes": one.size_bytes,
                "sha256": one.sha256,
                "held_at_ms": now_ms,
                "looked_at_ms": now_ms,
                "sound_at_ms": now_ms,
                "state": HeldState.SOUND.value,
            }
            for one in files
        ],
    )


def oldest(connection: Connection, count: int) -> list[HeldFile]:
    """Return those files that were looked at longest ago."""
    ordered = (held_file.c.looked_at_ms, held_file.c.site, held_file.c.bundle, held_file.c.path)
    return [_file(row) for row in connection.execute(select(held_file).order_by(*ordered).limit(count))]


def page_after(
    connection: Connection, after: tuple[str, str, str], count: int, states: Iterable[HeldState] = ()
) -> list[HeldFile]:
    """Return files in the order of their names, behind one of them; only those in some states, if states are named."""
    named = (held_file.c.site, held_file.c.bundle, held_file.c.path)
    site, bundle, path = after
    behind = (
        (held_file.c.site > site)
        | ((held_file.c.site == site) & (held_file.c.bundle > bundle))
        | ((held_file.c.site == site) & (held_file.c.bundle == bundle) & (held_file.c.path > path))
    )
    wanted = [one.value for one in states]
    query = select(held_file).where(behind)
    if wanted:
        query = query.where(held_file.c.state.in_(wanted))
    return [_file(row) for row in connection.execute(query.order_by(*named).limit(count))]


def note_look(connection: Connection, held: HeldFile, state: HeldState, now_ms: int, repaired_from: str = "") -> None:
    """Note how a file was found; with ``repaired_from``, that it was put back from that copy."""
    values: dict[str, object] = {"looked_at_ms": now_ms, "state": state.value}
    if state is HeldState.SOUND:
        values["sound_at_ms"] = now_ms
    if repaired_from:
        values |= {"repaired_at_ms": now_ms, "repaired_from": repaired_from}
    connection.execute(update(held_file).where(_is(held)).values(**values))


def note_copy(connection: Connection, target: str, held: HeldFile, state: HeldState, now_ms: int) -> None:
    """Note how the copy of a file on a target was found."""
    mine = (
        (held_copy.c.target == target)
        & (held_copy.c.site == held.site)
        & (held_copy.c.bundle == held.bundle)
        & (held_copy.c.path == held.path)
    )
    values: dict[str, object] = {"state": state.value}
    if state is HeldState.SOUND:
        values["sound_at_ms"] = now_ms
    if connection.execute(update(held_copy).where(mine).values(**values)).rowcount:
        return
    row = {"target": target, "site": held.site, "bundle": held.bundle, "path": held.path}
    sound_at_ms = now_ms if state is HeldState.SOUND else 0
    connection.execute(held_copy.insert().values(**row, state=state.value, sound_at_ms=sound_at_ms))


def sound_copies(connection: Connection, target: str, page: Sequence[HeldFile]) -> dict[tuple[str, str, str], int]:
    """Return, of these files, those with a copy on a target that was found sound, and when that was."""
    rows = connection.execute(
        select(held_copy).where(
            held_copy.c.target == target,
            held_copy.c.state == HeldState.SOUND.value,
            held_copy.c.site.in_({one.site for one in page}),
            held_copy.c.bundle.in_({one.bundle for one in page}),
            held_copy.c.path.in_({one.path for one in page}),
        )
    )
    return {(row.site, row.bundle, row.path): int(row.sound_at_ms) for row in rows}


def note_run(connection: Connection, run: HoldingRun) -> None:
    """Note a going over a target; one that began at the same moment of a clock that was set back gives way."""
    same = (holding_run.c.target == run.target) & (holding_run.c.began_at_ms == run.began_at_ms)
    connection.execute(holding_run.delete().where(same))
    connection.execute(holding_run.insert().values(**msgspec.structs.asdict(run)))


def last_run(connection: Connection, target: str, *, whole: bool = False) -> HoldingRun | None:
    """Return the last going over a target; with ``whole``, the last that found a sound copy of every file."""
    query = select(holding_run).where(holding_run.c.target == target)
    if whole:
        query = query.where(holding_run.c.faulty == 0)
    found = connection.execute(query.order_by(holding_run.c.began_at_ms.desc()).limit(1)).first()
    return HoldingRun(**found._mapping) if found is not None else None  # noqa: SLF001 - the way to a row's names


def signs(connection: Connection) -> HeldSigns:
    """Return what must be known of the held files every few seconds; costs three looks into indexes."""
    spoilt = held_file.c.state.in_([HeldState.DAMAGED.value, HeldState.MISSING.value])
    oldest_ms = connection.execute(select(func.min(held_file.c.sound_at_ms))).scalar()
    counted = connection.execute(select(func.count()).select_from(held_file).where(spoilt)).scalar()
    return HeldSigns(spoilt=int(counted or 0), oldest_sound_at_ms=None if oldest_ms is None else int(oldest_ms))


def tally(connection: Connection) -> HeldTally:
    """Return all held files in numbers."""
    by_state = connection.execute(
        select(held_file.c.state, func.count(), func.sum(held_file.c.size_bytes)).group_by(held_file.c.state)
    )
    states = {str(state): (int(count), int(size_bytes)) for state, count, size_bytes in by_state}
    return HeldTally(
        files=sum(count for count, _ in states.values()),
        size_bytes=sum(size_bytes for _, size_bytes in states.values()),
        damaged=states.get(HeldState.DAMAGED.value, (0, 0))[0],
        missing=states.get(HeldState.MISSING.value, (0, 0))[0],
        oldest_sound_at_ms=signs(connection).oldest_sound_at_ms,
    )


def _is(held: HeldFile) -> ColumnElement[bool]:
    return (held_file.c.site == held.site) & (held_file.c.bundle == held.bundle) & (held_file.c.path == held.path)


def _file(row: Row[tuple[object, ...]]) -> HeldFile:
    values = {str(name): value for name, value in row._mapping.items()}  # noqa: SLF001 - as above
    return msgspec.convert(values, HeldFile)
