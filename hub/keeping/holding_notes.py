"""Notes on copies that the hub cannot read itself: a disk in another building, verified there by a person.

A note is somebody's word, and is shown as that; a copy that the hub went over itself says more. Notes are never
changed: a newer one stands before an older one.
"""

import datetime

import msgspec
from sqlalchemy import Connection, Row, func, insert, select

from hub import audit
from hub.audit import Action, AuditEntry
from hub.backup.backup_settings import TargetKind
from hub.keeping.keeping_settings import HoldingSettings
from hub.keeping.keeping_tables import holding_note
from hub.staff.administration import Actor
from protocol.county_time import ZONE, day_of
from protocol.errors import BadValue
from protocol.wording import Text

HOW_CHARS_MAX = 400
"""Characters of how a copy was verified."""

FAULTY_MAX = 100_000_000
"""Files that may be said to be faulty."""

AGE_DAYS_MAX = 366
"""Days that a verification may lie back when it is noted."""


class HoldingNote(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of a copy."""

    number: int
    target: str
    verified_on: datetime.date
    how: str
    faulty: int
    noted_by: str
    noted_at_ms: int

    @property
    def verified_at_ms(self) -> int:
        """The beginning of the day on which it was verified."""
        return int(datetime.datetime.combine(self.verified_on, datetime.time(), ZONE).timestamp() * 1000)


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to note."""

    target: str
    day: str
    """As it was typed: ``2026-11-23``."""
    how: str
    faulty: int | None


def note(connection: Connection, actor: Actor, settings: HoldingSettings, said: Verified, now_ms: int) -> HoldingNote:
    """Note that a copy was verified.

    Raises:
        BadValue: there is no such copy, the hub goes over it itself, or day, way or number make no sense.

    """
    _check_target(settings, said.target)
    today = day_of(now_ms)
    if said.faulty is None or said.faulty > FAULTY_MAX:
        raise BadValue(
            Text(zh="请填写有问题的文件数。", en="how many files were faulty is not said"),
            Text(zh="全部完好填 0。", en="0 if all were sound."),
        )
    made = HoldingNote(
        number=int(connection.execute(select(func.coalesce(func.max(holding_note.c.number), 0))).scalar_one()) + 1,
        target=said.target,
        verified_on=_checked_day(said.day, today),
        how=_checked_way(said.how),
        faulty=said.faulty,
        noted_by=actor.who,
        noted_at_ms=now_ms,
    )
    values = msgspec.structs.asdict(made) | {"verified_on": made.verified_on.isoformat()}
    connection.execute(insert(holding_note).values(**values))
    entry = AuditEntry(
        who=actor.who,
        origin=actor.origin,
        action=Action.COPY_NOTED,
        object=made.target,
        detail=f"{made.verified_on}, {made.faulty} faulty: {made.how}",
    )
    audit.append(connection, entry, now_ms)
    return made


def newest(connection: Connection, target: str) -> HoldingNote | None:
    """Return the note of the latest day on a copy; of one day, the last that was written."""
    statement = select(holding_note).where(holding_note.c.target == target)
    latest = statement.order_by(holding_note.c.verified_on.desc(), holding_note.c.number.desc()).limit(1)
    row = connection.execute(latest).one_or_none()
    return None if row is None else _note(row)


def _check_target(settings: HoldingSettings, target: str) -> None:
    found = next((one for one in settings.copy if one.name == target), None)
    if found is None:
        raise BadValue(Text(zh="没有这个副本。", en="there is no such copy"))
    if found.kind is TargetKind.ONLINE:
        raise BadValue(
            Text(zh="在线副本由系统自己核验。", en="an online copy is verified by the hub itself"),
            Text(zh="只有离线和异地副本可以由人注明。", en="Only offline and off-site copies take a person's word."),
        )


def _checked_way(text: str) -> str:
    way = " ".join(text.split())
    if not way or len(way) > HOW_CHARS_MAX:
        raise BadValue(
            Text(zh="请写明怎样核验的。", en="how it was verified is not said"),
            Text(
                zh="例如：在异地库房用 bagit 全部核对。", en="For example: all sums compared with bagit at the depot."
            ),
        )
    return way


def _checked_day(text: str, today: datetime.date) -> datetime.date:
    try:
        day = datetime.date.fromisoformat(text.strip())
    except ValueError:
        day = None
    if day is None or not datetime.timedelta() <= today - day <= datetime.timedelta(days=AGE_DAYS_MAX):
        raise BadValue(
            Text(zh="核验日期不对。", en="the day of the verification cannot be"),
            Text(zh="填写一年内、不晚于今天的日期，例如 2026-11-23。", en="A day of the last year, as 2026-11-23."),
        )
    return day


def _note(row: Row[*tuple[object, ...]]) -> HoldingNote:
    return HoldingNote(
        number=row.number,
        target=row.target,
        verified_on=datetime.date.fromisoformat(row.verified_on),
        how=row.how,
        faulty=row.faulty,
        noted_by=row.noted_by,
        noted_at_ms=row.noted_at_ms,
    )
