"""Where held files lie and how many copies there are: the settings ``[holdings]`` of ``hub.toml``.

The archives' rule counts the holdings themselves as the first copy online: one more online, one offline, one off-site.
"""

from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Annotated

import msgspec

from hub.backup.backup_settings import AGE_DAYS_MAX, RULE, TARGETS_MAX, BackupTarget, TargetKind
from protocol.wording import Text

FIXITY_DAYS = 60
"""Days in which every held file is read and summed once: well within the 90 that are promised."""

FIXITY_DAYS_MAX = 90


class HoldingCopy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """One more place that holds a copy of every held file."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    kind: TargetKind
    path: str
    """Folder, absolute; another one than that of any backup."""
    age_days_max: Annotated[int, msgspec.Meta(ge=1, le=3_650)] | None = None
    """Days without a going over that found it whole, before the alarm; None for what fits its kind."""

    @property
    def alarm_days(self) -> int:
        """Days without such a going over after which it raises its alarm."""
        return AGE_DAYS_MAX[self.kind] if self.age_days_max is None else self.age_days_max

    @property
    def as_target(self) -> BackupTarget:
        """The same place as those see it who mark a disk and tell whether it is plugged in."""
        return BackupTarget(name=self.name, kind=self.kind, path=self.path)


class HoldingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """All that concerns held files."""

    path: str = "holdings"
    """Relative to the home, or absolute."""
    fixity_days: Annotated[int, msgspec.Meta(ge=1, le=FIXITY_DAYS_MAX)] = FIXITY_DAYS
    copy: Annotated[tuple[HoldingCopy, ...], msgspec.Meta(max_length=TARGETS_MAX)] = ()

    def place(self, home: Path) -> Path:
        """Return the folder of the held files of a home."""
        return (home / self.path).absolute()


EXAMPLES = {
    "holdings.path": 'path = "holdings"',
    "holdings.fixity-days": f"fixity-days = {FIXITY_DAYS}",
    "holdings.copy": 'copy = [{ name = "nas-files", kind = "online", path = "/mnt/nas/danglian-files" }]',
}
"""Lines that would be right."""


def fault_of(settings: HoldingSettings) -> tuple[str, Text] | None:
    """Say which setting is wrong, whose type is right, and why; or None."""
    for what in ("name", "path"):
        counted = Counter(str(getattr(one, what)).rstrip("/") for one in settings.copy)
        twice = next((value for value, count in counted.items() if count > 1), None)
        if twice is not None:
            return "holdings.copy", Text(zh=f"有两份的 {what} 都是 {twice}", en=f"two copies have the {what} {twice}")
    relative = next((one for one in settings.copy if not PurePosixPath(one.path).is_absolute()), None)
    if relative is None:
        return None
    return "holdings.copy", Text(
        zh=f"{relative.name} 的 path 须是绝对路径", en=f"the path of {relative.name} is not absolute"
    )


def short_of_rule(settings: HoldingSettings) -> Text | None:
    """Say which copies the archives' rule still wants; None if there are enough."""
    there = {kind: sum(one.kind is kind for one in settings.copy) for kind in TargetKind}
    there[TargetKind.ONLINE] += 1
    if all(there[kind] >= wanted for kind, wanted in RULE.items()):
        return None
    online, offline, off_site = (f"{there[kind]}/{RULE[kind]}" for kind in TargetKind)
    return Text(
        zh=f"馆藏文件的份数少于规定：在线 {online}，离线 {offline}，异地 {off_site}。"
        "请在 hub.toml 的 [[holdings.copy]] 中补足。",
        en=f"fewer copies of the held files than the rule wants: online {online}, offline {offline}, off-site"
        f" {off_site}. Add them under [[holdings.copy]] in hub.toml.",
    )
