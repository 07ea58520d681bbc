"""Quarantine: what could not be applied is kept with its reason, counted, shown, and can be tried again (promise 9).

It is bounded for each site, so that one broken program does not fill the hub's disk. What does not fit is not kept, and
one entry says so: a frame that was refused is still at its site, and of an event that was passed over the digests find
that its record is missing (promise 4).
"""

from collections.abc import Collection, Sequence
from functools import cache

import msgspec
from sqlalchemy import Connection, Row, Select, bindparam, delete, func, or_, select

from protocol.wording import Text
from replication.acceptance import SpoiltEvent
from replication.dialects import upsert
from replication.tables import quarantine

WHOLE_FRAME_SEQ = 0
"""The ``seq`` under which a whole frame is kept when its own position is not to be trusted."""

FORK = "fork"
"""Fault of a frame that contradicts the history that is known."""

BAD_FRAME = "bad_frame"
"""Beginning of the fault of a frame whose seal or form does not hold."""

FRAMES_MAX = 64
"""Whole frames of one site that are kept: 16 MB; more of the same tell nothing new."""

EVENTS_MAX = 10_000
"""Events of one site that are kept: 8 MB of usual ones, the changes of years or the first part of a new baseline."""

NOT_KEPT = "not_kept"
"""Fault of the entry that says that there was more."""

_FULL = SpoiltEvent(
    seq=WHOLE_FRAME_SEQ,
    fault=NOT_KEPT,
    reason=Text(
        zh="该站点的隔离内容已满，之后的没有保留。",
        en="the quarantine of this site is full: what came after was not kept",
    ),
    hint=Text(
        zh="请先处理已隔离的内容（多为版本不一致或密钥不符）；未保留的部分由核对发现，并由站点重新上报。",
        en="Settle what is here first (often another version or a wrong key). What was not kept is found by comparison"
        " and told again by the site.",
    ),
    content=b"",
)


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was set aside."""

    id: int
    site: str
    epoch: str
    seq: int
    fault: str
    reason: Text
    hint: Text
    content: bytes
    quarantined_at_ms: int


def set_aside(connection: Connection, site: str, epoch: str, spoilt: SpoiltEvent, now_ms: int) -> None:
    """Keep a damaged event or frame; the same thing is kept once, however often it arrives."""
    set_all_aside(connection, site, epoch, [spoilt], now_ms)


def set_all_aside(connection: Connection, site: str, epoch: str, spoilt: Sequence[SpoiltEvent], now_ms: int) -> None:
    """Keep damaged events or frames of one site, as far as there is room; each thing is kept once."""
    if not spoilt:
        return
    frames = [one for one in spoilt if is_frame(one.fault)]
    events = [one for one in spoilt if not is_frame(one.fault)]
    held_frames, held = connection.execute(room_statement(), {"of_site": site}).one()
    kept = [
        *frames[: max(0, FRAMES_MAX - held_frames)],
        *events[: max(0, EVENTS_MAX - (held - held_frames))],
    ]
    for one in kept:
        _keep(connection, site, epoch, one, now_ms)
    if len(kept) < len(spoilt):
        _keep(connection, site, "", _FULL, now_ms)


def is_frame(fault: str) -> bool:
    """Tell whether a fault is one of a whole frame."""
    return fault == FORK or fault.startswith(BAD_FRAME)


def _keep(connection: Connection, site: str, epoch: str, spoilt: SpoiltEvent, now_ms: int) -> None:
    connection.execute(
        upsert(quarantine)
        .values(
            site=site,
            epoch=epoch,
            seq=spoilt.seq,
            fault=spoilt.fault,
            reason_zh=spoilt.reason.zh,
            reason_en=spoilt.reason.en,
            hint_zh=spoilt.hint.zh,
            hint_en=spoilt.hint.en,
            content=spoilt.content,
            quarantined_at_ms=now_ms,
        )
        .on_conflict_do_nothing()
    )


def listed(connection: Connection, site: str | None = None, limit: int = 200) -> list[Quarantined]:
    """Return what is in quarantine, newest first."""
    return [_quarantined(row) for row in connection.execute(listed_statement(site, limit))]


def oldest(connection: Connection, after_id: int, limit: int) -> list[Quarantined]:
    """Return what is in quarantine behind an id, in the order in which it came."""
    statement = select(quarantine).where(quarantine.c.id > after_id).order_by(quarantine.c.id).limit(limit)
    return [_quarantined(row) for row in connection.execute(statement)]


def named(connection: Connection, ids: Collection[int]) -> list[Quarantined]:
    """Return what is in quarantine under some ids, in the order in which it came."""
    statement = select(quarantine).where(quarantine.c.id.in_(ids)).order_by(quarantine.c.id)
    return [_quarantined(row) for row in connection.execute(statement)]


def page(connection: Connection, site: str, before_id: int | None, limit: int) -> list[Quarantined]:
    """Return what is in quarantine before an id, newest first; of one site, or of all."""
    statement = listed_statement(site or None, limit)
    if before_id is not None:
        statement = statement.where(quarantine.c.id < before_id)
    return [_quarantined(row) for row in connection.execute(statement)]


def _quarantined(row: Row[*tuple[object, ...]]) -> Quarantined:
    return Quarantined(
        id=row.id,
        site=row.site,
        epoch=row.epoch,
        seq=row.seq,
        fault=row.fault,
        reason=Text(zh=row.reason_zh, en=row.reason_en),
        hint=Text(zh=row.hint_zh, en=row.hint_en),
        content=row.content,
        quarantined_at_ms=row.quarantined_at_ms,
    )


def counts(connection: Connection) -> dict[str, int]:
    """Return how many things each site has in quarantine."""
    return {row.site: row.held for row in connection.execute(counts_statement())}


def count(connection: Connection, limit: int) -> int:
    """Return how many things are in quarantine, ``limit`` at most."""
    some = select(quarantine.c.id).limit(limit).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def release(connection: Connection, quarantined: Quarantined) -> None:
    """Take something out of quarantine after it was applied."""
    connection.execute(delete(quarantine).where(quarantine.c.id == quarantined.id))


def listed_statement(site: str | None, limit: int) -> Select[tuple[object, ...]]:
    """What is in quarantine, newest first."""
    statement = select(quarantine).order_by(quarantine.c.id.desc()).limit(limit)
    return statement if site is None else statement.where(quarantine.c.site == site)


def counts_statement() -> Select[tuple[str, int]]:
    """How many things each site has in quarantine."""
    return select(quarantine.c.site, func.count().label("held")).group_by(quarantine.c.site)


@cache
def room_statement() -> Select[int, int]:
    """How many whole frames of a site are kept, and how many things in all."""
    whole = or_(quarantine.c.fault == FORK, quarantine.c.fault.startswith(BAD_FRAME))
    return select(func.count().filter(whole), func.count()).where(quarantine.c.site == bindparam("of_site"))
