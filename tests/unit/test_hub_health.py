"""Health: one honest answer for people and monitors."""

from pathlib import Path

import msgspec
import pytest

from hub.alarm.alarms import Alarm, AlarmKind, Cause
from hub.alarm.health import (
    DISK_ATTENTION_BYTES,
    DISK_BAD_BYTES,
    MUTE_MS,
    REPORT_LATE_S,
    REPORT_STALE_S,
    UNATTENDED_MS,
    Counted,
    HubReport,
    Standing,
    counted,
    health_of,
    keep_report,
    look,
)
from hub.alarm.stalls import BrokerSigns
from hub.backup.backup_settings import BackupSettings, BackupTarget, TargetKind
from hub.backup.backups import BackupAlarm, BackupFinding
from hub.home import home_at
from hub.workers.leases import LEASE_MS, Crew, Lease, Worker, part_duty
from protocol.wording import Text
from replication.brokers import SILENT_S, ClusterSigns, CopySigns
from replication.database import opened
from replication.migrations import REPLICATION
from tests.hubs import MIGRATIONS
from tests.stores import Store

NOW_MS = 1_790_000_000_000
REPORT = HubReport(broker=BrokerSigns(is_connected=True, pending=0), disk_free_bytes=10**12)
WELL = Counted(report=REPORT, reported_at_ms=NOW_MS)
ALARM = Alarm(
    id=1,
    site="330523108204",
    kind=AlarmKind.SILENT,
    cause=Cause.LINK,
    opened_at_ms=NOW_MS,
    counted_from_ms=NOW_MS,
    held_at_ms=NOW_MS,
)


def but(**changes: object) -> Counted:
    return msgspec.structs.replace(WELL, **changes)


def report(**changes: object) -> Counted:
    return but(report=msgspec.structs.replace(REPORT, **changes))


NO_BACKUP = BackupFinding(alarm=BackupAlarm.NEVER, target="nas", text=Text(zh="还没有备份。", en="no backup yet."))
STUCK = BrokerSigns(is_connected=True, pending=3, still_since_ms=NOW_MS - 10**6)


MUTE = BrokerSigns(is_connected=True, mute_since_ms=NOW_MS - MUTE_MS)
CLUSTER = ClusterSigns(wanted=3, leader="a", copies=(CopySigns(server="b"), CopySigns(server="c")))


def copies(second: CopySigns) -> ClusterSigns:
    return ClusterSigns(wanted=3, leader="a", copies=(second, CopySigns(server="c")))


def crew(*seen_at_ms: int) -> Crew:
    """Workers of which each has had one part since it was last seen."""
    workers = [Worker(name=f"w{n}", started_at_ms=0, seen_at_ms=at) for n, at in enumerate(seen_at_ms)]
    leases = [
        Lease(duty=part_duty(n), holder=f"w{n}", fence=1, until_ms=at + LEASE_MS) for n, at in enumerate(seen_at_ms)
    ]
    return Crew(workers=tuple(workers), leases=tuple(leases), now_ms=NOW_MS)


@pytest.mark.parametrize(
    ("counted_now", "standing", "named"),
    [
        (WELL, Standing.OK, ""),
        (but(report=None), Standing.BAD, "running"),
        (but(reported_at_ms=NOW_MS - int(REPORT_STALE_S * 1000) - 1000), Standing.BAD, "running"),
        (but(reported_at_ms=NOW_MS - int(REPORT_LATE_S * 1000) - 1000), Standing.ATTENTION, "running"),
        (but(reported_at_ms=NOW_MS - int(REPORT_LATE_S * 1000)), Standing.OK, ""),
        (report(broker=BrokerSigns()), Standing.BAD, "broker"),
        (report(broker=STUCK), Standing.BAD, "applying"),
        (report(broker=MUTE), Standing.BAD, "broker"),
        (report(cluster=CLUSTER), Standing.OK, ""),
        (report(cluster=copies(CopySigns(server="b", is_offline=True))), Standing.ATTENTION, "broker"),
        (report(cluster=copies(CopySigns(server="b", silent_s=None, is_current=False))), Standing.ATTENTION, "broker"),
        (report(cluster=copies(CopySigns(server="b", silent_s=SILENT_S + 1))), Standing.ATTENTION, "broker"),
        (report(cluster=copies(CopySigns(server="b", is_current=False, lag=10**6))), Standing.ATTENTION, "broker"),
        (report(cluster=copies(CopySigns(server="b", is_current=False, lag=3))), Standing.OK, ""),
        (but(crew=crew(NOW_MS, NOW_MS)), Standing.OK, ""),
        (but(crew=crew(NOW_MS - UNATTENDED_MS, NOW_MS)), Standing.ATTENTION, "workers"),
        (but(crew=crew(NOW_MS - UNATTENDED_MS - LEASE_MS - 1, NOW_MS)), Standing.BAD, "workers"),
        (report(disk_free_bytes=DISK_ATTENTION_BYTES - 1), Standing.ATTENTION, "disk"),
        (report(disk_free_bytes=DISK_BAD_BYTES - 1), Standing.BAD, "disk"),
        (but(alarms=[ALARM]), Standing.ATTENTION, "alarms"),
        (but(alarms=[msgspec.structs.replace(ALARM, acknowledged_at_ms=1)]), Standing.OK, ""),
        (but(quarantined=2), Standing.ATTENTION, "quarantine"),
        (but(letters_set_aside=1), Standing.ATTENTION, "letters"),
        (but(reindexing=(1, 9)), Standing.ATTENTION, "index"),
        (but(backups=[]), Standing.OK, ""),
        (but(backups=[NO_BACKUP]), Standing.ATTENTION, "backups"),
    ],
)
def test_the_worst_check_is_the_answer(counted_now: Counted, standing: Standing, named: str) -> None:
    health = health_of(counted_now, NOW_MS)

    assert health.standing is standing
    assert [one.name for one in health.checks if one.standing is not Standing.OK] == [named] * bool(named)


async def test_the_report_of_the_running_hub_is_kept_and_read(store: Store) -> None:
    async with store.opened() as database:
        before = await database.read(counted)
        for at_ms in (NOW_MS - 5, NOW_MS):
            await database.write(lambda c, at_ms=at_ms: keep_report(c, REPORT, at_ms))  # type: ignore[misc]
        after = await database.read(counted)

    assert (before.report, after.report, after.reported_at_ms) == (None, REPORT, NOW_MS)


def test_it_is_said_how_old_the_knowledge_is() -> None:
    """A hub that was killed a moment ago has left a good report behind."""
    (running, *_) = health_of(but(reported_at_ms=NOW_MS - 12_000), NOW_MS).checks
    (late, *others) = health_of(but(reported_at_ms=NOW_MS - 50_000), NOW_MS).checks

    assert (running.words.zh, running.words.en) == ("县级枢纽在运行，12 秒前自报", "the hub runs, and said so 12 s ago")
    assert late.words.en == "it may have stopped, or hang: silent for 50 s (what follows is as of then)"
    assert "broker" in [one.name for one in others]


async def test_a_hub_does_not_take_what_its_killed_predecessor_said_for_its_own(store: Store, tmp_path: Path) -> None:
    home, settings = home_at(tmp_path), BackupSettings()
    async with store.opened(MIGRATIONS) as database:
        said = []
        for started_at_ms in (NOW_MS - 60_000, NOW_MS - 1_000):
            report_of = msgspec.structs.replace(REPORT, started_at_ms=started_at_ms)
            await database.write(lambda c, one=report_of: keep_report(c, one, NOW_MS))  # type: ignore[misc]
            health = await look(database, home, settings, NOW_MS, started_at_ms=NOW_MS - 1_500)
            said.append((health.checks[0].standing, health.checks[0].words.en))
        by_command = await look(database, home, settings, NOW_MS)

    assert said == [(Standing.BAD, "the hub is starting"), (Standing.OK, "the hub runs, and said so 0 s ago")]
    assert by_command.checks[0].standing is Standing.OK


async def test_a_database_of_an_older_version_is_a_hub_that_does_not_run_yet(store: Store) -> None:
    async with store.opened([REPLICATION]) as database:
        assert health_of(await database.read(counted), NOW_MS).standing is Standing.BAD


async def test_health_tells_the_gravest_of_the_backups_and_how_many_more(tmp_path: Path) -> None:
    home = home_at(tmp_path)
    settings = BackupSettings(target=(BackupTarget(name="nas", kind=TargetKind.ONLINE, path="/nas"),))
    async with opened(home.database, MIGRATIONS) as database:
        await database.write(lambda c: keep_report(c, REPORT, NOW_MS))
        (check,) = [one for one in (await look(database, home, settings, NOW_MS)).checks if one.name == "backups"]

    assert check.standing is Standing.ATTENTION
    assert check.words.en.startswith("backup target nas: no verified backup yet.")
    assert check.words.en.endswith("2 more: danglian-hub backup list.")


async def test_ledger_that_cannot_be_read_is_told_and_stops_nothing(tmp_path: Path) -> None:
    """The listener answers a monitor; an error there would look like a broken hub."""
    home = home_at(tmp_path)
    home.backups.write_bytes(b"{")
    async with opened(home.database, MIGRATIONS) as database:
        health = await look(database, home, BackupSettings(), NOW_MS)

    assert "cannot be read" in health.checks[-1].words.en
