"""The nightly backup: when it is due, and that nothing of it ends the daemon."""

import asyncio
import datetime
import errno
import shutil
from pathlib import Path

import pytest

from hub.backup import backups
from hub.backup.backup_settings import BackupTarget
from hub.backup.backup_targets import names_in, prepare
from hub.backup.backups import KeptBackup, TargetLedger, read_ledger
from hub.backup.nightly import RETRY_MS, Nightly, is_due
from hub.home import HubHome
from protocol.wording import Text
from tests.backups import COUNTY, NOW, NOW_MS, county_home, settings_of, target_of

CHINA = datetime.timezone(datetime.timedelta(hours=8))
NO_DELAY = datetime.timedelta()


def at(day: int, hour: int, minute: int = 0) -> datetime.datetime:
    return datetime.datetime(2026, 3, day, hour, minute, tzinfo=CHINA)


def backed_up(moment: datetime.datetime) -> TargetLedger:
    made = int(moment.timestamp() * 1000)
    return TargetLedger(name="nas", backups=(KeptBackup(name="b", made_at_ms=made, verified_at_ms=made),))


def due(known: TargetLedger, now: datetime.datetime, delay: datetime.timedelta = NO_DELAY) -> bool:
    return is_due(known, "02:30", now, delay)


def test_it_is_due_once_a_night() -> None:
    assert not due(backed_up(at(5, 2, 40)), at(5, 23))
    assert not due(backed_up(at(5, 2, 40)), at(6, 2, 29))
    assert due(backed_up(at(5, 2, 40)), at(6, 2, 30))


def test_a_backup_by_hand_in_the_evening_does_not_replace_the_night() -> None:
    assert due(backed_up(at(5, 20)), at(6, 2, 31))


def test_a_missed_night_is_made_up_for_in_the_morning() -> None:
    """The machine of a small county is switched off at night."""
    assert due(backed_up(at(4, 8)), at(5, 8))
    assert not due(backed_up(at(5, 8)), at(5, 9))


def test_a_new_target_is_due_at_once() -> None:
    assert due(TargetLedger(name="nas"), at(5, 12))


def test_hubs_on_one_file_server_begin_at_different_times() -> None:
    later = datetime.timedelta(minutes=20)

    assert not due(backed_up(at(5, 3)), at(6, 2, 45), later)
    assert due(backed_up(at(5, 3)), at(6, 2, 50), later)


def test_a_failed_target_is_left_in_peace_for_an_hour() -> None:
    tried = int(at(5, 2, 30).timestamp() * 1000)
    failed = TargetLedger(name="nas", tried_at_ms=tried, fault=Text(zh="无", en="none"))

    assert not due(failed, at(5, 3, 29))
    assert due(failed, at(5, 3, 30))
    assert RETRY_MS == 3_600_000


def test_a_backup_from_the_future_does_not_count() -> None:
    """The clock was a year ahead, and was set right."""
    assert due(backed_up(at(5, 3) + datetime.timedelta(days=365)), at(5, 12))


# The daemon's part


@pytest.fixture
def home(tmp_path: Path) -> HubHome:
    made = county_home(tmp_path, [("nas", "online"), ("usb", "offline")])
    for target in settings_of(made).backup.target:
        prepare(target, COUNTY, NOW_MS)
    return made


def nightly(home: HubHome) -> Nightly:
    return Nightly(home, settings_of(home), lambda: NOW, jitter=lambda _low, _high: 0.0)


def kept(target: BackupTarget) -> int:
    return len(names_in(Path(target.path)))


async def test_online_targets_are_written_once_and_offline_ones_never(home: HubHome) -> None:
    daemon = nightly(home)

    assert [outcome.target for outcome in await daemon.step()] == ["nas"]
    assert await daemon.step() == []
    assert (kept(target_of(home)), kept(target_of(home, "usb"))) == (1, 0)


async def test_a_target_that_is_away_is_noted_and_the_daemon_goes_on(home: HubHome) -> None:
    shutil.rmtree(target_of(home).path)

    assert await nightly(home).step() == []
    known = read_ledger(home.backups).of("nas")
    assert known.fault is not None
    assert "is not there" in known.fault.en


async def test_a_full_disk_at_the_hub_does_not_end_the_daemon(home: HubHome, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backups, "write_whole", full)

    assert await nightly(home).step() == []


async def test_a_stop_ends_a_backup_under_way_and_leaves_nothing(home: HubHome) -> None:
    """A daemon has ten seconds to end; a backup may take an hour."""
    daemon = nightly(home)
    task = asyncio.create_task(daemon.step())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.get_running_loop().shutdown_default_executor()

    assert [path.name for path in Path(target_of(home).path).iterdir() if path.name.startswith(".")] == []
