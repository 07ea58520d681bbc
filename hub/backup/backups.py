"""What is known of a county's backups, and what there is to say about them: values and decisions, and one small file.

The ledger lies beside the database and not in it: it is needed most when the database is gone, and a database that was
put back from a backup must not believe what it knew then of its backups.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

from hub.backup.backup_settings import RULE, BackupSettings, BackupTarget, TargetKind
from protocol.county_time import minute
from protocol.errors import BrokenStore, StorageFull
from protocol.wording import Count, Text
from replication.files import PRIVATE_MODE, write_whole

DAY_MS = 24 * 3_600_000

REMEMBERED_MAX = 1_100
"""Backups of one target that the ledger remembers: more than the largest ``keep``."""


class KeptBackup(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One backup on a target, as the ledger knows it."""

    name: str
    made_at_ms: int
    """The moment whose state it holds."""
    digest: str = ""
    bytes: int = 0
    records: int = 0
    verified_at_ms: int | None = None
    """When it was last read back and found sound."""
    damaged_at_ms: int | None = None
    """When it was found damaged; cleared by a later reading that finds it sound."""


class TargetLedger(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of one target; true also while its disk lies in a safe."""

    name: str
    backups: tuple[KeptBackup, ...] = ()
    """Oldest first."""
    tried_at_ms: int | None = None
    fault: Text | None = None
    """Why the last attempt failed; None after one that succeeded."""
    exposed: bool = False
    """Whether others than the owner may read what lies there."""

    @property
    def last_verified(self) -> KeptBackup | None:
        """The newest backup that was found sound and not found damaged since."""
        sound = (one for one in self.backups if is_sound(one))
        return max(sound, key=lambda one: one.made_at_ms, default=None)


class Drill(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One restore drill."""

    backup: str
    at_ms: int
    took_s: float
    succeeded: bool
    fault: Text | None = None


class Restoration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That this home was put back from a backup."""

    backup: str
    made_at_ms: int
    restored_at_ms: int
    reviewed_at_ms: int | None = None
    """When somebody confirmed which nodes may still speak."""


class Ledger(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything known of the backups of one home."""

    targets: tuple[TargetLedger, ...] = ()
    last_drill: Drill | None = None
    last_good_drill: Drill | None = None
    restored: Restoration | None = None

    def of(self, name: str) -> TargetLedger:
        """Return what is known of a target; nothing for a new one."""
        return next((one for one in self.targets if one.name == name), TargetLedger(name=name))

    def with_target(self, target: TargetLedger) -> "Ledger":
        """Return the ledger with what is known of a target put in place of what was."""
        others = tuple(one for one in self.targets if one.name != target.name)
        return msgspec.structs.replace(self, targets=(*others, target))

    def with_drill(self, drill: Drill) -> "Ledger":
        """Return the ledger with one more drill."""
        good = drill if drill.succeeded else self.last_good_drill
        return msgspec.structs.replace(self, last_drill=drill, last_good_drill=good)


def is_sound(backup: KeptBackup) -> bool:
    """Tell whether a backup was found sound at its last reading."""
    return backup.verified_at_ms is not None and backup.damaged_at_ms is None


def remembered(target: TargetLedger, backup: KeptBackup) -> TargetLedger:
    """Return what is known of a target with one backup added, or put in place of what was known of it."""
    others = [one for one in target.backups if one.name != backup.name]
    ordered = sorted([*others, backup], key=lambda one: (one.made_at_ms, one.name))
    return msgspec.structs.replace(target, backups=tuple(ordered[-REMEMBERED_MAX:]))


def forgotten(target: TargetLedger, names: Collection[str]) -> TargetLedger:
    """Return what is known of a target without the backups of these names."""
    return msgspec.structs.replace(target, backups=tuple(one for one in target.backups if one.name not in names))


def to_prune(backups: Sequence[KeptBackup], keep: int) -> list[KeptBackup]:
    """Return which of a target's backups may go: all but the newest ``keep`` sound ones and what came after them.

    A backup that is damaged or was never verified does not count as kept, so the last one that was verified stays,
    however old it is.
    """
    sound = sorted((one for one in backups if is_sound(one)), key=lambda one: one.made_at_ms)
    if len(sound) <= keep:
        return []
    oldest_kept = sound[-keep]
    return [one for one in backups if one.made_at_ms < oldest_kept.made_at_ms]


class BackupAlarm(StrEnum):
    """What there can be to say about backups; the graver ones first."""

    LEDGER = "ledger"
    """The ledger cannot be read: nothing is known of any backup."""
    NEVER = "never"
    """A target has no verified backup at all."""
    OLD = "old"
    """The newest verified backup of a target is older than its limit."""
    DAMAGED = "damaged"
    """A backup was found damaged."""
    FAILED = "failed"
    """The last attempt at a target failed."""
    EXPOSED = "exposed"
    """Others than the owner may read a target, which holds the county's keys."""
    NOT_REVIEWED = "not_reviewed"
    """The home was put back from a backup, and nobody has confirmed since which nodes may speak."""
    DRILL_OLD = "drill_old"
    """No restore drill has succeeded for too long."""
    DRILL_FAILED = "drill_failed"
    RULE = "rule"
    """There are fewer targets than the archives' rule wants."""


class BackupFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to say about the backups of a hub; ``text`` is a whole sentence with what to do."""

    alarm: BackupAlarm
    target: str = ""
    since_ms: int | None = None
    """The moment of the last good state; None where there never was one."""
    text: Text


def backup_findings(settings: BackupSettings, ledger: Ledger, now_ms: int) -> list[BackupFinding]:
    """Return everything there is to say about the backups of a hub now; nothing if all is well."""
    found = [one for target in settings.target for one in _of_target(target, ledger.of(target.name), now_ms)]
    found += _of_drills(settings, ledger, now_ms)
    if ledger.restored is not None and ledger.restored.reviewed_at_ms is None:
        found.append(_not_reviewed(ledger.restored))
    if short := _short_of_rule(settings):
        found.append(BackupFinding(alarm=BackupAlarm.RULE, text=short))
    order = list(BackupAlarm)
    return sorted(found, key=lambda one: (order.index(one.alarm), one.target))


def told(findings: Sequence[BackupFinding]) -> Text:
    """Say in one line how the backups of a hub are: the gravest thing, and how many more there are."""
    if not findings:
        return Text(
            zh="各备份目标和恢复演练均在期限内", en="every backup target and the restore drill are within their limits"
        )
    more = len(findings) - 1
    text = findings[0].text
    if not more:
        return text
    return Text(
        zh=f"{text.zh} 另有 {more} 项，见 danglian-hub backup list。",
        en=f"{text.en} {more} more: danglian-hub backup list.",
    )


def _of_target(target: BackupTarget, known: TargetLedger, now_ms: int) -> list[BackupFinding]:
    found = []

    def say(alarm: BackupAlarm, since_ms: int | None, zh: str, en: str) -> None:
        text = Text(zh=f"备份目标 {target.name}：{zh}", en=f"backup target {target.name}: {en}")
        found.append(BackupFinding(alarm=alarm, target=target.name, since_ms=since_ms, text=text))

    last = known.last_verified
    bring_zh, bring_en = _BRING[target.kind]
    if last is None:
        say(BackupAlarm.NEVER, None, f"还没有一份核验过的备份。{bring_zh}", f"no verified backup yet. {bring_en}")
    elif now_ms - last.made_at_ms > target.alarm_days * DAY_MS:
        days = (now_ms - last.made_at_ms) // DAY_MS
        zh = f"最近一份核验过的备份已有 {days} 天，上限 {target.alarm_days} 天。{bring_zh}"
        en = f"its newest verified backup is {Count(days):day|days} old, the limit is {target.alarm_days}. {bring_en}"
        say(BackupAlarm.OLD, last.made_at_ms, zh, en)
    for one in known.backups:
        if one.damaged_at_ms is not None:
            zh, en = (
                f"备份 {one.name} 已损坏，请检查该磁盘。",
                f"backup {one.name} is damaged: have the disk looked at.",
            )
            say(BackupAlarm.DAMAGED, one.damaged_at_ms, zh, en)
    if known.fault is not None:
        say(BackupAlarm.FAILED, known.tried_at_ms, f"上次备份失败：{known.fault.zh}", f"it failed: {known.fault.en}")
    if known.exposed:
        zh = "本机其他用户也能读取其中的密钥，请收紧该文件夹的权限，或换用能保存权限的文件系统。"
        en = "other users can read the keys in it: tighten the folder's mode, or use a file system that keeps modes."
        say(BackupAlarm.EXPOSED, known.tried_at_ms, zh, en)
    return found


_BRING = {
    TargetKind.ONLINE: ("请查看日志，或运行 danglian-hub backup。", "See the log, or run danglian-hub backup."),
    TargetKind.OFFLINE: (
        "请接上该磁盘并运行 danglian-hub backup。",
        "Plug the disk in and run danglian-hub backup.",
    ),
    TargetKind.OFF_SITE: (
        "请接通异地目标并运行 danglian-hub backup。",
        "Make the off-site target reachable and run danglian-hub backup.",
    ),
}


def _of_drills(settings: BackupSettings, ledger: Ledger, now_ms: int) -> list[BackupFinding]:
    found = []
    last, good = ledger.last_drill, ledger.last_good_drill
    if last is not None and not last.succeeded:
        zh, en = (last.fault.zh, last.fault.en) if last.fault else ("", "")
        text = Text(zh=f"上次恢复演练失败：{zh}", en=f"the last restore drill failed: {en}")
        found.append(BackupFinding(alarm=BackupAlarm.DRILL_FAILED, since_ms=last.at_ms, text=text))
    if not settings.target:
        return found
    if good is None or now_ms - good.at_ms > settings.drill_days_max * DAY_MS:
        when = Text(zh="从未成功演练过恢复", en="no restore drill has ever succeeded")
        if good is not None:
            days = (now_ms - good.at_ms) // DAY_MS
            when = Text(
                zh=f"上次成功的恢复演练在 {days} 天前",
                en=f"the last restore drill that succeeded was {Count(days):day|days} ago",
            )
        text = Text(
            zh=f"{when.zh}。请运行 danglian-hub restore --drill。",
            en=f"{when.en}. Run danglian-hub restore --drill.",
        )
        found.append(
            BackupFinding(alarm=BackupAlarm.DRILL_OLD, since_ms=good.at_ms if good is not None else None, text=text)
        )
    return found


def _not_reviewed(restored: Restoration) -> BackupFinding:
    made = minute(restored.made_at_ms)
    text = Text(
        zh=f"本县级枢纽由 {made} 的备份恢复，其后的停用可能已失效。请运行 danglian-hub restore --review 核对。",
        en=f"this hub was put back from a backup of {made}: nodes revoked since may be admitted again."
        " Run danglian-hub restore --review.",
    )
    return BackupFinding(alarm=BackupAlarm.NOT_REVIEWED, since_ms=restored.restored_at_ms, text=text)


def _short_of_rule(settings: BackupSettings) -> Text | None:
    there = {kind: sum(one.kind is kind for one in settings.target) for kind in TargetKind}
    if all(there[kind] >= wanted for kind, wanted in RULE.items()):
        return None
    online, offline, off_site = (f"{there[kind]}/{RULE[kind]}" for kind in TargetKind)
    return Text(
        zh=f"备份目标少于规定：在线 {online}，离线 {offline}，异地 {off_site}。"
        "请在 hub.toml 的 [[backup.target]] 中补足。",
        en=f"fewer backup targets than the rule wants: online {online}, offline {offline}, off-site {off_site}."
        " Add them under [[backup.target]] in hub.toml.",
    )


# The file


def read_ledger(path: Path) -> Ledger:
    """Read the ledger of a home; an empty one where nothing was ever backed up.

    Raises:
        BrokenStore: the file cannot be read.

    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ledger)
    except FileNotFoundError:
        return Ledger()
    except (OSError, msgspec.DecodeError) as error:
        raise BrokenStore(
            Text(zh=f"备份台账 {path} 无法读取：{error}", en=f"the ledger of backups {path} cannot be read: {error}"),
            Text(
                zh="请删除该文件，再运行 danglian-hub backup verify 重新登记各份备份。",
                en="Delete the file, and run danglian-hub backup verify to note every backup anew.",
            ),
        ) from error


def findings_in(path: Path, settings: BackupSettings, now_ms: int) -> list[BackupFinding]:
    """Return everything there is to say about the backups of a home whose ledger lies at a path."""
    try:
        return backup_findings(settings, read_ledger(path), now_ms)
    except BrokenStore as error:
        text = Text(zh=f"{error.reason.zh} {error.hint.zh}", en=f"{error.reason.en}. {error.hint.en}")
        return [BackupFinding(alarm=BackupAlarm.LEDGER, text=text)]


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Write the ledger of a home.

    Raises:
        StorageFull: the home has no room, or cannot be written.

    """
    try:
        write_whole(path, msgspec.json.format(msgspec.json.encode(ledger)) + b"\n", mode=PRIVATE_MODE)
    except OSError as error:
        raise StorageFull(
            Text(zh=f"无法写入备份台账 {path}：{error}", en=f"cannot write the ledger of backups {path}: {error}"),
            Text(zh="请检查磁盘空间和目录权限。", en="Look at the space on the disk and at the folder's mode."),
        ) from error
