"""What should have come by a date: bundles by their sites' couriers, backups and drills at the county."""

import msgspec
import pytest

from hub.alarm.alarms import AlarmKind, Cause
from hub.alarm.overdue import DAY_MS, overdue_backups, overdue_bundles
from hub.backup.backup_settings import BackupSettings, BackupTarget, TargetKind
from hub.backup.backups import Drill, KeptBackup, Ledger, TargetLedger, backup_findings
from tests.unit.test_hub_silence import site

NOW_MS = 1_790_000_000_000
COUNTY = "330523000000"
CARRIED = msgspec.structs.replace(site(), comes_by_courier=True, courier_at_ms=NOW_MS)


def overdue(days_ago: float, **changes: object) -> list[tuple[AlarmKind, Cause]]:
    one = msgspec.structs.replace(CARRIED, courier_at_ms=NOW_MS - int(days_ago * DAY_MS))
    found = overdue_bundles([msgspec.structs.replace(one, **changes)], {}, 14.0, NOW_MS)
    return [(finding.kind, finding.cause) for finding in found]


def test_bundle_is_overdue_after_its_days_and_not_before() -> None:
    assert overdue(13.9) == []
    assert overdue(14) == [(AlarmKind.NO_BUNDLE, Cause.COURIER)]


def test_first_bundle_is_awaited_from_the_enrolment_on() -> None:
    waiting = msgspec.structs.replace(CARRIED, courier_at_ms=None)
    (found,) = overdue_bundles([waiting], {waiting.site: NOW_MS - 15 * DAY_MS}, 14.0, NOW_MS)

    assert found.evidence[0].en == "no bundle in the 15 days since it was enrolled"
    assert overdue_bundles([waiting], {waiting.site: NOW_MS - 13 * DAY_MS}, 14.0, NOW_MS) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"comes_by_courier": False, "courier_at_ms": None},
        {"enrolled_nodes": 0},
        # Heard on the line since: its silence there is another alarm.
        {"node": site(seen_at_ms=NOW_MS).node},
    ],
)
def test_nobody_waits_for_a_bundle_of_a_site_that_need_not_bring_one(changes: dict[str, object]) -> None:
    assert overdue(100, **changes) == []


def settings(*names: str) -> BackupSettings:
    return BackupSettings(target=tuple(BackupTarget(name=one, kind=TargetKind.ONLINE, path=f"/{one}") for one in names))


def ledger(days_ago: int, *names: str) -> Ledger:
    at_ms = NOW_MS - days_ago * DAY_MS
    kept = KeptBackup(name="b1", made_at_ms=at_ms, verified_at_ms=at_ms)
    drill = Drill(backup="b1", at_ms=NOW_MS, took_s=1.0, succeeded=True)
    return Ledger(targets=tuple(TargetLedger(name=one, backups=(kept,)) for one in names)).with_drill(drill)


def test_overdue_backups_of_all_targets_are_one_alarm_of_the_county() -> None:
    known = backup_findings(settings("nas", "usb"), ledger(9, "nas", "usb"), NOW_MS)
    (found,) = overdue_backups(COUNTY, known)

    assert (found.site, found.kind, found.cause) == (COUNTY, AlarmKind.BACKUP_OVERDUE, Cause.BACKUP)
    assert ["nas" in fact.en or "usb" in fact.en for fact in found.evidence] == [True, True]


def test_overdue_drill_is_an_alarm_of_its_own() -> None:
    late = msgspec.structs.replace(ledger(0, "nas"), last_good_drill=None)
    found = overdue_backups(COUNTY, backup_findings(settings("nas"), late, NOW_MS))

    assert [(one.kind, one.cause) for one in found] == [(AlarmKind.RESTORE_DRILL, Cause.DRILL)]


def test_too_few_targets_are_told_by_health_and_are_no_alarm() -> None:
    """There is no moment from which on they are missing, and nobody to wake for it."""
    known = backup_findings(settings("nas"), ledger(0, "nas"), NOW_MS)

    assert [one.alarm.value for one in known] == ["rule"]
    assert overdue_backups(COUNTY, known) == []
