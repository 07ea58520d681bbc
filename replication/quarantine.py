"""Quarantine: what could not be applied is kept with its reason, counted, shown, and can be tried again (promise 9)."""

import msgspec
from sqlalchemy import Connection, Row, Select, delete, func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from protocol.wording import Text
from replication.acceptance import SpoiltEvent
from replication.tables import quarantine

WHOLE_FRAME_SEQ = 0
"""The ``seq`` under which a whole frame is kept when its own position is not to be trusted."""


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
