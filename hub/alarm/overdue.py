"""What should have come by a date and has not: bundles of sites that no line reaches, backups, restore drills. Pure.

None of it needs the line, so that it is judged also while the hub hears nobody.
"""

from collections.abc import Mapping, Sequence

from hub.alarm.alarms import AlarmKind, Cause, Finding
from hub.backup.backups import BackupAlarm, BackupFinding
from hub.sites.board import Facts, is_by_courier
from protocol.wording import Count, Text

DAY_MS = 24 * 3600 * 1000
"""Milliseconds of a day."""

LINELESS = frozenset(
    {
        AlarmKind.NO_BUNDLE,
        AlarmKind.BACKUP_OVERDUE,
        AlarmKind.RESTORE_DRILL,
        AlarmKind.HOLDINGS,
        AlarmKind.KEPT_FILES,
        AlarmKind.AUDIT_LOG,
    }
)
"""Alarms that are judged here or from the hub's own book, without the line."""

_ALARMS = {
    BackupAlarm.NEVER: (AlarmKind.BACKUP_OVERDUE, Cause.BACKUP),
    BackupAlarm.OLD: (AlarmKind.BACKUP_OVERDUE, Cause.BACKUP),
    BackupAlarm.DRILL_OLD: (AlarmKind.RESTORE_DRILL, Cause.DRILL),
    BackupAlarm.DRILL_FAILED: (AlarmKind.RESTORE_DRILL, Cause.DRILL),
}
"""What of backups is an alarm; the rest is told by ``health`` and ``backup list``."""


def overdue_bundles(facts: Sequence[Facts], enrolled_ms: Mapping[str, int], days: float, now_ms: int) -> list[Finding]:
    """Return the sites of which no courier has brought anything for so many days, holidays included.

    Args:
        facts: of all sites.
        enrolled_ms: site to when its present installation was enrolled; the first bundle is awaited from then on.
        days: after which a bundle is overdue.
        now_ms: the hub's clock.

    """
    found = []
    for one in facts:
        since_ms = one.courier_at_ms or enrolled_ms.get(one.site, now_ms)
        if one.enrolled_nodes and is_by_courier(one) and now_ms - since_ms >= days * DAY_MS:
            evidence = (_without_bundle(one.courier_at_ms, (now_ms - since_ms) // DAY_MS),)
            found.append(Finding(site=one.site, kind=AlarmKind.NO_BUNDLE, cause=Cause.COURIER, evidence=evidence))
    return found


def _without_bundle(courier_at_ms: int | None, days: int) -> Text:
    if courier_at_ms is None:
        return Text(
            zh=f"登记已 {days} 天，尚未收到信使包", en=f"no bundle in the {Count(days):day|days} since it was enrolled"
        )
    return Text(zh=f"最近一次信使包在 {days} 天前", en=f"its last bundle came {Count(days):day|days} ago")


def overdue_backups(county: str, known: Sequence[BackupFinding]) -> list[Finding]:
    """Return the county's own alarms about its backups: one of each kind, with every target in its evidence."""
    grouped: dict[tuple[AlarmKind, Cause], list[Text]] = {}
    for one in known:
        if one.alarm in _ALARMS:
            grouped.setdefault(_ALARMS[one.alarm], []).append(one.text)
    return [
        Finding(site=county, kind=kind, cause=cause, evidence=tuple(texts)) for (kind, cause), texts in grouped.items()
    ]
