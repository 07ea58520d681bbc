"""Where backups go and how often: the settings ``[backup]`` and ``[[backup.target]]`` of ``hub.toml``.

The archives' rule is two copies online, one offline and one off-site. Only online targets are written by the daemon; a
disk that lies in a safe is written by the command when somebody has plugged it in.
"""

import re
from collections import Counter
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated

import msgspec

from protocol.wording import Text

BACKUP_AT = "02:30"
"""Local time of day of the nightly backup: nobody works, and the morning's clerk finds it done."""

DRILL_DAYS_MAX = 100
"""Days after which a restore drill is overdue: one a quarter, and some slack."""

KEEP = 14
"""Backups that a target keeps: two weeks of nights."""

TARGETS_MAX = 20
"""Targets that a hub may have: five times the archives' rule."""


class TargetKind(StrEnum):
    """How a target is reached, and so who writes it."""

    ONLINE = "online"
    """Always there: another disk, a file server. The daemon writes it every night."""
    OFFLINE = "offline"
    """Usually not plugged in: its absence is no fault until its age is."""
    OFF_SITE = "off-site"
    """In another building: carried there, or mounted when it is needed."""


KIND_WORDS = {
    TargetKind.ONLINE: Text(zh="在线", en="online"),
    TargetKind.OFFLINE: Text(zh="离线", en="offline"),
    TargetKind.OFF_SITE: Text(zh="异地", en="off-site"),
}

AGE_DAYS_MAX = {TargetKind.ONLINE: 2, TargetKind.OFFLINE: 35, TargetKind.OFF_SITE: 35}
"""Days without a new verified backup after which a target raises its alarm: two nights missed, or a month and slack."""

RULE = {TargetKind.ONLINE: 2, TargetKind.OFFLINE: 1, TargetKind.OFF_SITE: 1}
"""How many targets of each kind the archives' rule wants."""


class BackupTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """One place that holds backups."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    kind: TargetKind
    path: str
    """Folder, absolute."""
    keep: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = KEEP
    age_days_max: Annotated[int, msgspec.Meta(ge=1, le=3_650)] | None = None
    """Days without a new verified backup before the alarm; None for what fits its kind."""

    @property
    def alarm_days(self) -> int:
        """Days without a new verified backup after which the target raises its alarm."""
        return AGE_DAYS_MAX[self.kind] if self.age_days_max is None else self.age_days_max


class BackupSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """All that concerns backups."""

    at: Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = BACKUP_AT
    """Local time of day of the nightly backup."""
    drill_days_max: Annotated[int, msgspec.Meta(ge=1, le=3_650)] = DRILL_DAYS_MAX
    """Days without a restore drill that succeeded before the alarm."""
    target: Annotated[tuple[BackupTarget, ...], msgspec.Meta(max_length=TARGETS_MAX)] = ()

    @property
    def nightly(self) -> tuple[BackupTarget, ...]:
        """The targets that the daemon writes."""
        return tuple(one for one in self.target if one.kind is TargetKind.ONLINE)


EXAMPLES = {
    "backup.at": f'at = "{BACKUP_AT}"',
    "backup.drill-days-max": f"drill-days-max = {DRILL_DAYS_MAX}",
    "backup.target": 'target = [{ name = "nas", kind = "online", path = "/mnt/nas/danglian" }]',
}
"""Lines that would be right."""


def fault_of(settings: BackupSettings) -> tuple[str, Text] | None:
    """Return the first setting that makes no sense, and why; None if all do."""
    names = Counter(one.name for one in settings.target)
    paths = Counter(re.sub(r"/+$", "", one.path) for one in settings.target)
    for what, counted in (("name", names), ("path", paths)):
        twice = next((value for value, count in counted.items() if count > 1), None)
        if twice is not None:
            return "backup.target", Text(
                zh=f"有两个目标的 {what} 都是 {twice}",
                en=f"two targets have the {what} {twice}",
            )
    relative = next((one for one in settings.target if not PurePosixPath(one.path).is_absolute()), None)
    if relative is None:
        return None
    return "backup.target", Text(
        zh=f"{relative.name} 的 path 须是绝对路径：{relative.path}",
        en=f"the path of {relative.name} is not absolute: {relative.path}",
    )
