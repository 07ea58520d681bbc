"""The book of alarms: rows that are opened, told, acknowledged and closed, and never deleted."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, Row, Select, func, insert, select, update

from hub.alarm.alarm_settings import AlarmSettings, addressees
from hub.alarm.alarm_tables import alarm, alarm_notice, site_course
from hub.alarm.alarms import Alarm, AlarmKind, Finding, Move, is_muted, move_of
from hub.alarm.office_hours import open_s
from hub.alarm.stalls import Course
from hub.tables import node_state
from protocol.errors import BadValue
from protocol.rhythms import Rhythm
from protocol.sites import parse_site
from protocol.wording import Text
from replication.dialects import upsert

_evidence = msgspec.json.Decoder(tuple[Text, ...])


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody was told of an alarm."""

    alarm: Alarm
    addressee: str


class Turn(msgspec.Struct, kw_only=True):
    """What one look at all sites changed."""

    opened: list[Alarm]
    closed: list[Alarm]
    told: list[Notice]


# Courses


def courses(connection: Connection) -> dict[str, Course]:
    """Return how each site has moved lately."""
    rows = connection.execute(select(site_course))
    return {row.site: msgspec.convert(row, Course, from_attributes=True) for row in rows}


def keep_courses(connection: Connection, moved: Iterable[Course]) -> None:
    """Store how sites have moved."""
    rows = [msgspec.structs.asdict(one) for one in moved]
    if rows:
        statement = upsert(site_course)
        changes = {name: statement.excluded[name] for name in rows[0] if name != "site"}
        connection.execute(statement.on_conflict_do_update(index_elements=[site_course.c.site], set_=changes), rows)


# Reading


def open_alarms(connection: Connection) -> list[Alarm]:
    """Return the alarms that are open, the oldest first."""
    statement = select(alarm).where(alarm.c.closed_at_ms.is_(None)).order_by(alarm.c.opened_at_ms, alarm.c.id)
    return [_alarm(row) for row in connection.execute(statement)]


def listed(connection: Connection, *, with_closed: bool, limit: int, site: str = "") -> list[Alarm]:
    """Return alarms, open ones first, then the newest; of one site, or of all."""
    statement = select(alarm).order_by(alarm.c.closed_at_ms.is_not(None), alarm.c.opened_at_ms.desc()).limit(limit)
    if not with_closed:
        statement = statement.where(alarm.c.closed_at_ms.is_(None))
    if site:
        statement = statement.where(alarm.c.site == site)
    return [_alarm(row) for row in connection.execute(statement)]


def notices(connection: Connection, alarm_ids: Sequence[int]) -> dict[int, list[tuple[str, int]]]:
    """Return who was told of some alarms, and when."""
    found: dict[int, list[tuple[str, int]]] = {}
    statement = select(alarm_notice).where(alarm_notice.c.alarm_id.in_(alarm_ids)).order_by(alarm_notice.c.told_at_ms)
    for row in connection.execute(statement):
        found.setdefault(row.alarm_id, []).append((row.addressee, row.told_at_ms))
    return found


def _latest_statement() -> Select[*tuple[object, ...]]:
    latest = select(func.max(alarm.c.id)).group_by(alarm.c.site, alarm.c.kind)
    return select(alarm).where(alarm.c.id.in_(latest))


def _alarm(row: Row[*tuple[object, ...]]) -> Alarm:
    given: dict[str, object] = {str(name): value for name, value in row._mapping.items()}  # noqa: SLF001 - its public name
    return msgspec.convert(given | {"evidence": _evidence.decode(row.evidence)}, Alarm)


# One look at all sites


def turn(
    connection: Connection,
    findings: Sequence[Finding],
    rhythms: Mapping[str, Rhythm],
    settings: AlarmSettings,
    now_ms: int,
) -> Turn:
    """Open, hold, clear, close and tell alarms, now that this was found."""
    made = Turn(opened=[], closed=[], told=[])
    found = {(one.site, one.kind): one for one in findings}
    latest = {(one.site, one.kind): one for one in map(_alarm, connection.execute(_latest_statement()))}
    # In the order of the findings, so that the same look numbers the same alarms alike.
    for key in dict.fromkeys((*found, *latest)):
        _move(connection, latest.get(key), found.get(key), now_ms, made)
    for one in open_alarms(connection):
        _tell(connection, one, rhythms.get(one.site, settings.usual_rhythm), settings, now_ms, made)
    return made


def _move(connection: Connection, known: Alarm | None, finding: Finding | None, now_ms: int, made: Turn) -> None:
    move = move_of(known, found=finding is not None, now_ms=now_ms)
    if finding is not None and move is Move.OPEN:
        made.opened.append(_open(connection, finding, now_ms))
    if known is None:
        return
    changes: dict[str, object] = {}
    if finding is not None and move in (Move.HOLD, Move.REOPEN):
        changes = {"cause": finding.cause.value, "evidence": _encoded(finding.evidence), "held_at_ms": now_ms}
        changes["cleared_at_ms"] = None
    if move is Move.REOPEN:
        changes |= {"closed_at_ms": None, "counted_from_ms": now_ms, "reopened": known.reopened + 1}
        made.opened.append(known)
    elif move is Move.HOLD and known.cleared_at_ms is not None:
        # It came back before it was closed: that is flapping as well.
        changes["reopened"] = known.reopened + 1
    elif move is Move.CLEAR:
        changes = {"cleared_at_ms": now_ms}
    elif move is Move.CLOSE:
        changes = {"closed_at_ms": now_ms}
        made.closed.append(known)
    if changes:
        connection.execute(update(alarm).where(alarm.c.id == known.id).values(changes))


def _open(connection: Connection, finding: Finding, now_ms: int) -> Alarm:
    values: dict[str, object] = {
        "site": finding.site,
        "kind": finding.kind.value,
        "cause": finding.cause.value,
        "evidence": _encoded(finding.evidence),
        "opened_at_ms": now_ms,
        "counted_from_ms": now_ms,
        "held_at_ms": now_ms,
        "reopened": 0,
        "told": 0,
        "acknowledged_by": "",
        "note": "",
    }
    alarm_id: int = connection.execute(insert(alarm).values(values).returning(alarm.c.id)).scalar_one()
    return Alarm(
        id=alarm_id,
        site=finding.site,
        kind=finding.kind,
        cause=finding.cause,
        evidence=finding.evidence,
        opened_at_ms=now_ms,
        counted_from_ms=now_ms,
        held_at_ms=now_ms,
    )


def _encoded(evidence: tuple[Text, ...]) -> str:
    return msgspec.json.encode(evidence).decode("utf-8")


def _tell(connection: Connection, one: Alarm, rhythm: Rhythm, settings: AlarmSettings, now_ms: int, made: Turn) -> None:
    """Tell the next rungs whose time has come."""
    if is_muted(one, now_ms):
        return
    try:
        rungs = addressees(parse_site(one.site), settings.escalation)
    except BadValue:
        return
    told = one.told
    while told < len(rungs):
        whom, after_s = rungs[told][0].code, rungs[told][1] * 3600
        if open_s(rhythm, settings.calendar, one.counted_from_ms, now_ms, after_s) < after_s:
            break
        told += 1
        noted = upsert(alarm_notice).values(alarm_id=one.id, addressee=whom, told_at_ms=now_ms)
        connection.execute(noted.on_conflict_do_nothing())
        made.told.append(Notice(alarm=one, addressee=whom))
    if told != one.told:
        connection.execute(update(alarm).where(alarm.c.id == one.id).values(told=told))


# What a person does


def acknowledge(connection: Connection, alarm_id: int, who: str, note: str, now_ms: int) -> Alarm:
    """Note that somebody looks after an alarm; more rejected rows are from then on the usual.

    Raises:
        BadValue: there is no such alarm.

    """
    row = connection.execute(select(alarm).where(alarm.c.id == alarm_id)).one_or_none()
    if row is None:
        raise BadValue(
            Text(zh=f"没有编号为 {alarm_id} 的告警。", en=f"there is no alarm {alarm_id}"),
            Text(zh="请用 danglian-hub alarms list --all 查看编号。", en="See danglian-hub alarms list --all."),
        )
    values: dict[str, object] = {"acknowledged_at_ms": now_ms, "acknowledged_by": who, "note": note}
    connection.execute(update(alarm).where(alarm.c.id == alarm_id).values(values))
    known = _alarm(row)
    if known.kind is AlarmKind.REJECTS_JUMPED:
        rejected_now = select(node_state.c.rejected).where(node_state.c.site == known.site).scalar_subquery()
        accepted = update(site_course).where(site_course.c.site == known.site)
        connection.execute(accepted.values(rejected_usual=func.coalesce(rejected_now, site_course.c.rejected_usual)))
    return msgspec.structs.replace(known, acknowledged_at_ms=now_ms, acknowledged_by=who, note=note)
