"""The lookout: from signs of life to alarms, and what it does while the hub itself is deaf."""

import asyncio
import datetime
import zoneinfo
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from hub.alarm import alarm_book
from hub.alarm.alarm_settings import AlarmSettings
from hub.alarm.alarms import AlarmKind, Cause
from hub.alarm.health import Health, Standing, counted, health_of
from hub.alarm.lookout import LOOK_EVERY_S, Lookout
from hub.alarm.refusals import Refusals
from hub.backup.backups import BackupAlarm, BackupFinding
from hub.courier import couriers
from hub.membership.keyring_tables import enrolled_node
from hub.sites.board import node_states, record_beats
from hub.sites.contacts import UNWATCHED_MS
from protocol.beats import Beat
from protocol.errors import LinkDown
from protocol.rhythms import Rhythm
from protocol.wording import Text
from replication.database import Database
from replication.faults import FaultKind
from replication.streams import Backlog
from replication.tables import watermark
from tests.builders import TOWN, VILLAGE, identity
from tests.stores import Store

START_MS = int(datetime.datetime(2026, 11, 2, 9, tzinfo=zoneinfo.ZoneInfo("Asia/Shanghai")).timestamp() * 1000)
COUNTY = "330523000000"
DAY_MS = 24 * 3600 * 1000
KEY = identity(1).public_key


class County:
    """A hub's database, a clock, a broker's answers, and the lookout over them."""

    def __init__(self, database: Database, log: Path) -> None:
        self.database = database
        self.now_ms = START_MS
        self.connected = True
        self.backlog: Backlog | None = Backlog(last=0, pending=0, taken=0)
        self.log = log
        self.lookout = Lookout(
            database,
            COUNTY,
            AlarmSettings(),
            backlog=self._backlog,
            is_connected=lambda: self.connected,
            refusals=Refusals(log),
            clock_ms=lambda: self.now_ms,
        )

    async def _backlog(self) -> Backlog:
        if self.backlog is None:
            raise LinkDown(Text(zh="断开", en="no link"))
        return self.backlog

    async def heard(self, *beats: Beat) -> None:
        await self.database.write(lambda connection: record_beats(connection, beats, self.now_ms))

    async def over(
        self, minutes: float, *beats: Beat, every_s: float = LOOK_EVERY_S
    ) -> list[tuple[str, AlarmKind, Cause]]:
        """Let time pass, look as often as the lookout does, and return the alarms that are open then."""
        end_ms = self.now_ms + int(minutes * 60_000)
        while self.now_ms < end_ms:
            self.now_ms += int(every_s * 1000)
            if beats:
                await self.heard(*beats)
            await self.lookout.step()
        alarms = await self.database.read(alarm_book.open_alarms)
        return [(one.site, one.kind, one.cause) for one in alarms if one.cleared_at_ms is None]

    async def health(self) -> Health:
        return health_of(await self.database.read(counted), self.now_ms)


def overdue(_: int) -> list[BackupFinding]:
    return [BackupFinding(alarm=BackupAlarm.OLD, target="nas", text=Text(zh="备份目标 nas：过旧", en="nas: too old"))]


@pytest.fixture
async def county(tmp_path: Path, store: Store) -> AsyncIterator[County]:
    def enrol(connection: Connection) -> None:
        for key, site in ((KEY, VILLAGE), (identity(2).public_key, TOWN)):
            connection.execute(
                insert(enrolled_node).values(
                    public_key=key, site=site.code, name="", software="", enrolled_at_ms=START_MS
                )
            )

    async with store.opened() as database:
        await database.write(enrol)
        yield County(database, tmp_path / "broker.log")


def beat(site: str = VILLAGE.code, **changes: object) -> Beat:
    given: dict[str, object] = {
        "site": site,
        "node": "U",
        "epoch": "e1",
        "seq": 0,
        "disk_free_bytes": 10**10,
        "started_at_ms": 7,
        "rhythm": Rhythm(),
    }
    return Beat(**(given | changes))  # type: ignore[arg-type]


async def test_a_site_that_falls_silent_gets_an_alarm_within_its_window_and_loses_it_when_heard(county: County) -> None:
    assert await county.over(5, beat(), beat(TOWN.code)) == []
    assert await county.over(14, beat(TOWN.code)) == []
    assert await county.over(2, beat(TOWN.code)) == [(VILLAGE.code, AlarmKind.SILENT, Cause.POWER_OR_LINK)]
    assert await county.over(5, beat(), beat(TOWN.code)) == []
    (kept,) = await county.database.read(lambda c: alarm_book.listed(c, with_closed=True, limit=9))
    assert kept.closed_at_ms is not None


async def test_a_key_that_the_broker_refuses_is_named_as_the_cause(county: County) -> None:
    await county.over(1, beat(), beat(TOWN.code))
    county.log.write_text(
        f'[1] 2026/11/02 09:01:00 [ERR] 10.0.0.9:5 - cid:7 - authentication error - Nkey "{KEY}"\n', encoding="ascii"
    )
    found = await county.over(17, beat(TOWN.code))

    assert found == [(VILLAGE.code, AlarmKind.SILENT, Cause.REJECTED_KEY)]


async def test_a_deaf_hub_blames_no_site_but_itself_and_keeps_what_was_open(county: County) -> None:
    await county.over(1, beat(), beat(TOWN.code))
    silent = (VILLAGE.code, AlarmKind.SILENT, Cause.POWER_OR_LINK)
    assert await county.over(17, beat(TOWN.code)) == [silent]
    county.connected = False
    deaf = await county.over(60)
    county.connected = True

    assert deaf == [silent, (COUNTY, AlarmKind.NOT_APPLIED, Cause.HUB)]
    assert await county.over(10, beat(TOWN.code)) == [silent]


async def test_frames_that_nobody_takes_are_an_alarm_of_the_hub(county: County) -> None:
    county.backlog = Backlog(last=9, pending=4, taken=5)
    stalled = await county.over(4, beat(), beat(TOWN.code))
    bad = await county.health()
    county.backlog = Backlog(last=12, pending=4, taken=8)

    assert stalled == [(COUNTY, AlarmKind.NOT_APPLIED, Cause.HUB)]
    assert (bad.standing, [one.name for one in bad.checks if one.standing is Standing.BAD]) == (
        Standing.BAD,
        ["applying"],
    )
    assert await county.over(0.25, beat(), beat(TOWN.code)) == []


async def test_a_lag_that_nothing_will_ever_close_is_found(county: County) -> None:
    """Node at 120, the broker took all of it and has nothing waiting, the watermark stands at 100."""

    def stand(connection: Connection) -> None:
        connection.execute(
            insert(watermark).values(
                site=VILLAGE.code, node="U", epoch="e1", position=100, chain="", moved_at_ms=START_MS
            )
        )

    await county.database.write(stand)
    stuck = beat(seq=120, published=120, outbox_frames=1)

    assert await county.over(9, stuck, beat(TOWN.code)) == []
    assert await county.over(2, stuck, beat(TOWN.code)) == [(VILLAGE.code, AlarmKind.LOST_ON_THE_WAY, Cause.BROKER)]


async def test_a_broker_that_does_not_answer_is_no_reason_to_stop_looking(county: County) -> None:
    county.backlog = None
    assert await county.over(1, beat(), beat(TOWN.code)) == []
    assert (await county.health()).standing is Standing.OK


async def test_what_a_node_declares_reaches_the_board_and_what_it_does_not_is_empty(county: County) -> None:
    spoken = beat(rhythm=Rhythm(heartbeat_s=10), folders_unread=2, faults=(FaultKind.LINK_LOST.value,), at_ms=START_MS)
    old = Beat(site=TOWN.code, node="U", epoch="e", seq=1)
    await county.heard(spoken, old)
    states = await county.database.read(node_states)
    village, town = states[VILLAGE.code], states[TOWN.code]

    assert (village.folders_unread, village.faults, village.clock_offset_ms) == (2, "link_lost", 0)
    assert b"heartbeat_s" in village.rhythm.encode()
    assert (town.rhythm, town.folders_unread, town.faults, town.clock_offset_ms) == ("", 0, "", None)


def test_refusals_are_read_once_and_also_from_a_new_log(tmp_path: Path) -> None:
    log, line = tmp_path / "b.log", '[ERR] x - authentication error - Nkey "{}"\n'
    log.write_text(line.format(identity(3).public_key), encoding="ascii")
    refusals = Refusals(log)
    before = refusals.read()
    with log.open("a", encoding="ascii") as file:
        file.write(line.format(KEY) + '[ERR] authentication error - Nkey "UNOKEY"\n')
    seen, again = refusals.read(), refusals.read()
    log.write_text(line.format(KEY), encoding="ascii")

    assert [set(found) for found in (before, seen, again, refusals.read())] == [set(), {KEY}, set(), {KEY}]
    log.unlink()
    assert refusals.read() == frozenset()


BACKUP_OVERDUE = (COUNTY, AlarmKind.BACKUP_OVERDUE, Cause.BACKUP)


async def test_overdue_backup_is_an_alarm_of_the_county_until_there_is_one(county: County) -> None:
    county.lookout.watch_backups(overdue)
    opened_then = [one for one in await county.over(1) if one[0] == COUNTY]
    county.lookout.watch_backups(lambda _: [])
    over = [one for one in await county.over(10) if one[0] == COUNTY]

    assert (opened_then, over) == ([BACKUP_OVERDUE], [])


async def test_backups_are_judged_also_while_the_hub_hears_nobody(county: County) -> None:
    county.connected = False
    county.lookout.watch_backups(overdue)
    deaf = await county.over(1)
    county.lookout.watch_backups(lambda _: [])

    assert deaf == [BACKUP_OVERDUE]
    assert BACKUP_OVERDUE not in await county.over(10)


async def test_courier_that_does_not_come_is_an_alarm_and_the_next_bundle_ends_it(county: County) -> None:
    def carried(connection: Connection) -> None:
        couriers.expect(connection, KEY, VILLAGE.code)
        couriers.take(connection, KEY, 1, county.now_ms)

    await county.database.write(carried)
    before = [one for one in await county.over(1) if one[0] == VILLAGE.code]
    county.now_ms += 15 * 86_400_000
    late = [one for one in await county.over(1) if one[0] == VILLAGE.code]
    await county.database.write(carried)
    after = [one for one in await county.over(10) if one[0] == VILLAGE.code]

    assert (before, late, after) == ([], [(VILLAGE.code, AlarmKind.NO_BUNDLE, Cause.COURIER)], [])


async def test_a_bundle_opens_no_alarm_about_what_moves_on_the_line(county: County) -> None:
    """It counts as a sign of life for 75 s; an alarm that opened then would close by itself and teach nobody."""
    state = beat(seq=9, published=9, outbox_frames=3, disk_free_bytes=1)

    def carried(connection: Connection) -> None:
        couriers.expect(connection, KEY, VILLAGE.code)
        couriers.take(connection, KEY, 1, county.now_ms)
        record_beats(connection, [state], county.now_ms)

    await county.database.write(carried)
    by_courier = await county.over(5)
    county.now_ms += 1_000
    on_the_line = await county.over(1, state)

    assert [one for one in by_courier if one[0] == VILLAGE.code] == []
    assert (VILLAGE.code, AlarmKind.DISK_LOW, Cause.SITE) in on_the_line


async def test_a_link_that_comes_up_during_a_look_is_looked_at_again_at_once(county: County) -> None:
    """Else a hub that has just started would call itself unwell until the next look."""
    county.connected = False

    def linked_meanwhile(_: int) -> list[BackupFinding]:
        if not county.connected:
            county.connected = True
            county.lookout.hear_link()
        return []

    county.lookout.watch_backups(linked_meanwhile)
    looking = asyncio.create_task(county.lookout.run())
    try:
        async with asyncio.timeout(LOOK_EVERY_S / 2):
            while (await county.health()).standing is Standing.BAD:
                await asyncio.sleep(0.01)
    finally:
        looking.cancel()
    assert (await county.health()).standing is not Standing.BAD


async def test_files_that_a_township_keeps_and_that_rot_are_an_alarm_though_it_falls_silent(county: County) -> None:
    opened = await county.over(1, beat(TOWN.code, kept_faulty=2))
    # As rare as looks may be without the hub's having looked away: the site is silent after some minutes.
    silent = await county.over(60, every_s=UNWATCHED_MS / 1000)
    county.now_ms += DAY_MS
    a_day_later = await county.over(1)
    mended = await county.over(1, beat(TOWN.code))

    mine = (TOWN.code, AlarmKind.KEPT_FILES, Cause.KEPT_AT_SITE)
    assert (TOWN.code, AlarmKind.SILENT, Cause.POWER_OR_LINK) in silent
    assert (mine in opened, mine in silent, mine in a_day_later, mine in mended) == (True, True, True, False)
