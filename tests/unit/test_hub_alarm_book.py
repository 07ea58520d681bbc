"""The book of alarms: opened once, told upwards, damped, acknowledged, closed by itself, never deleted."""

import datetime
import zoneinfo
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection

from hub.alarm import alarm_book
from hub.alarm.alarm_book import Turn
from hub.alarm.alarm_settings import AlarmSettings, EscalationStep, Rung, addressees, fault_of
from hub.alarm.alarms import (
    ACKNOWLEDGED_FOR_S,
    FLAPPING_STEADY_S,
    REOPEN_WITHIN_S,
    STEADY_S,
    Alarm,
    AlarmKind,
    Cause,
    Finding,
)
from hub.alarm.stalls import course_after
from hub.sites.board import node_states, record_beats
from protocol.beats import Beat
from protocol.errors import BadValue
from protocol.rhythms import Rhythm
from protocol.sites import parse_site
from protocol.wording import Text
from replication.database import Database
from tests.stores import Store

VILLAGE, TOWN, COUNTY = "330523108204", "330523108000", "330523000000"
SETTINGS = AlarmSettings()
ALWAYS = {VILLAGE: Rhythm(), TOWN: Rhythm(), COUNTY: Rhythm()}
START_MS = int(datetime.datetime(2026, 11, 2, 9, tzinfo=zoneinfo.ZoneInfo("Asia/Shanghai")).timestamp() * 1000)
HOUR_MS = 3_600_000
STEADY_MS = int(STEADY_S * 1000)


@pytest.fixture
async def database(store: Store) -> AsyncIterator[Database]:
    async with store.opened() as made:
        yield made


def silent(site: str = VILLAGE, kind: AlarmKind = AlarmKind.SILENT) -> Finding:
    return Finding(site=site, kind=kind, cause=Cause.LINK, evidence=(Text(zh="线路", en="line"),))


class Book:
    """Turns at moments after the start."""

    def __init__(self, database: Database, rhythms: dict[str, Rhythm] = ALWAYS) -> None:
        self.database = database
        self.rhythms = rhythms

    async def at(self, after_ms: int, *findings: Finding) -> Turn:
        def step(connection: Connection) -> Turn:
            return alarm_book.turn(connection, findings, self.rhythms, SETTINGS, START_MS + after_ms)

        return await self.database.write(step)

    async def all(self) -> list[Alarm]:
        return await self.database.read(lambda c: alarm_book.listed(c, with_closed=True, limit=100))

    async def told(self) -> list[str]:
        def step(connection: Connection) -> list[str]:
            found = alarm_book.notices(
                connection, [one.id for one in alarm_book.listed(connection, with_closed=True, limit=9)]
            )
            return [who for whos in found.values() for who, _ in whos]

        return await self.database.read(step)


async def test_an_alarm_is_opened_once_and_closed_by_itself_and_stays(database: Database) -> None:
    book = Book(database)
    opened_now = await book.at(0, silent())
    await book.at(15_000, silent())
    await book.at(30_000)
    closed = await book.at(30_000 + STEADY_MS)

    assert ([one.site for one in opened_now.opened], [one.site for one in closed.closed]) == ([VILLAGE], [VILLAGE])
    (kept,) = await book.all()
    assert (kept.opened_at_ms, kept.held_at_ms) == (START_MS, START_MS + 15_000)
    assert (kept.closed_at_ms, kept.evidence[0].zh) == (START_MS + 30_000 + STEADY_MS, "线路")


async def test_who_is_told_goes_from_village_to_township_to_county(database: Database) -> None:
    book, told = Book(database), []
    for hours in (0, 3.9, 4, 10.9, 11, 50):
        turn = await book.at(int(hours * HOUR_MS), silent())
        told.append([notice.addressee for notice in turn.told])

    assert told == [[VILLAGE], [], [TOWN], [], [COUNTY], []]
    assert await book.told() == [VILLAGE, TOWN, COUNTY]


async def test_the_time_to_the_next_rung_is_office_time(database: Database) -> None:
    """Opened on a Monday at nine: four office hours end at three in the afternoon, not at one."""
    book = Book(database, {VILLAGE: SETTINGS.usual_rhythm})
    await book.at(0, silent())
    one, three = await book.at(4 * HOUR_MS, silent()), await book.at(6 * HOUR_MS + HOUR_MS // 2, silent())

    assert ([n.addressee for n in one.told], [n.addressee for n in three.told]) == ([], [TOWN])


async def test_an_acknowledgement_stops_the_telling_for_a_week(database: Database) -> None:
    book = Book(database)
    await book.at(0, silent())
    (alarm,) = await book.all()
    await database.write(lambda c: alarm_book.acknowledge(c, alarm.id, "值班员", "周一换电源", START_MS + 1))
    during = await book.at(100 * HOUR_MS, silent())
    after = await book.at(int(ACKNOWLEDGED_FOR_S * 1000) + HOUR_MS, silent())
    (kept,) = await book.all()

    assert (during.told, [notice.addressee for notice in after.told]) == ([], [TOWN, COUNTY])
    assert (kept.acknowledged_by, kept.note, kept.closed_at_ms) == ("值班员", "周一换电源", None)


async def test_an_alarm_that_does_not_exist_cannot_be_acknowledged(database: Database) -> None:
    with pytest.raises(BadValue, match="no alarm 7"):
        await database.write(lambda c: alarm_book.acknowledge(c, 7, "x", "", 0))


async def test_what_comes_back_within_a_day_is_the_same_alarm(database: Database) -> None:
    book = Book(database)
    await book.at(0, silent())
    await book.at(1)
    await book.at(1 + STEADY_MS)
    await book.at(2 * HOUR_MS, silent())
    (again,) = await book.all()
    await book.at(2 * HOUR_MS + 1)
    await book.at(2 * HOUR_MS + 1 + STEADY_MS)
    await book.at(3 * HOUR_MS + int(REOPEN_WITHIN_S * 1000), silent())

    assert (again.reopened, again.closed_at_ms) == (1, None)
    assert len(await book.all()) == 2
    assert await book.told() == [VILLAGE, VILLAGE]


async def test_a_line_that_comes_and_goes_is_one_alarm_that_is_told_once_and_closes_late(database: Database) -> None:
    book, now_ms = Book(database), 0
    for _ in range(10):
        await book.at(now_ms, silent())
        await book.at(now_ms + 60_000)
        now_ms += 120_000
    await book.at(now_ms + STEADY_MS)
    (flapping,) = await book.all()
    await book.at(now_ms + int(FLAPPING_STEADY_S * 1000))
    (closed,) = await book.all()

    assert (flapping.reopened, flapping.closed_at_ms) == (9, None)
    assert closed.closed_at_ms is not None
    assert await book.told() == [VILLAGE]


async def test_more_rejected_rows_are_the_usual_once_somebody_has_seen_them(database: Database) -> None:
    book = Book(database)
    beat = Beat(site=VILLAGE, node="U", epoch="e", seq=1, rejected=90)

    def step(connection: Connection) -> None:
        record_beats(connection, [beat], START_MS)
        calm = course_after(None, node_states(connection)[VILLAGE], None, START_MS)
        alarm_book.keep_courses(connection, [calm])

    await database.write(step)
    await book.at(0, silent(kind=AlarmKind.REJECTS_JUMPED))
    (alarm,) = await book.all()
    more = Beat(site=VILLAGE, node="U", epoch="e", seq=1, rejected=400)
    await database.write(lambda c: record_beats(c, [more], START_MS))
    await database.write(lambda c: alarm_book.acknowledge(c, alarm.id, "x", "", START_MS))

    assert (await database.read(alarm_book.courses))[VILLAGE].rejected_usual == 400


@pytest.mark.parametrize(
    ("site", "rungs"),
    [
        (VILLAGE, [(VILLAGE, 0), (TOWN, 4), (COUNTY, 11)]),
        (TOWN, [(TOWN, 0), (COUNTY, 7)]),
        (COUNTY, [(COUNTY, 0)]),
        ("330523000000-W01", [("330523000000-W01", 0), (COUNTY, 11)]),
        ("330523108000-E0007", [("330523108000-E0007", 0), (TOWN, 4), (COUNTY, 11)]),
    ],
)
def test_who_is_nearest_is_told_at_once(site: str, rungs: list[tuple[str, float]]) -> None:
    assert [(whom.code, hours) for whom, hours in addressees(parse_site(site), SETTINGS.escalation)] == rungs


def test_a_path_that_leaps_back_is_refused() -> None:
    back = (EscalationStep(who=Rung.COUNTY, after_hours=0), EscalationStep(who=Rung.VILLAGE, after_hours=1))
    sooner = (EscalationStep(who=Rung.VILLAGE, after_hours=5), EscalationStep(who=Rung.COUNTY, after_hours=1))

    assert fault_of(SETTINGS) is None
    assert [fault is not None for fault in (fault_of(AlarmSettings(escalation=one)) for one in (back, sooner))] == [
        True
    ] * 2
    assert fault_of(AlarmSettings(office_hours=("x",))) is not None
