"""The folders that hold backups: whether the right one is there, what lies in it, and what may go.

A target is prepared once, by a command, which leaves a marker in it. Without the marker the folder counts as absent: a
disk that is not mounted leaves an empty folder in its place, and a backup written there would fill the hub's own disk
and vanish on the day it is needed.
"""

import datetime
import re
import shutil
from enum import StrEnum
from pathlib import Path

import msgspec

from hub.backup.backup_settings import BackupTarget
from hub.backup.bags import sync_folder
from hub.backup.snapshots import Inventory
from protocol.errors import BadFile, BrokenStore, Refused
from protocol.wording import Text
from replication.files import PRIVATE_FOLDER_MODE, PRIVATE_MODE, write_whole

MARKER = "danglian-target.json"
"""Lies in a target's folder and says whose it is."""

MANIFEST = "danglian-backup.json"
"""Lies in every backup and says what it holds."""

PARTIAL_SUFFIX = ".partial"
_STAMP = "%Y%m%dT%H%M%S%fZ"
_NAME = re.compile(r"danglian-\d{12}-\d{8}T\d{6}\d{6}Z")
_OTHERS = 0o077


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """Whose target a folder is."""

    county: str
    target: str
    prepared_at_ms: int


class BackupManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself, in ``danglian-backup.json``."""

    format: int = 1
    county: str
    name: str
    """The county archive's name."""
    hub_key: str
    """The hub's public key."""
    software: str
    made_at_ms: int
    """The moment whose state it holds."""
    inventory: Inventory


class Presence(StrEnum):
    """Whether a target can be written."""

    PRESENT = "present"
    ABSENT = "absent"
    """No such folder, or a folder without a marker: not plugged in, not mounted, or never prepared."""
    FOREIGN = "foreign"
    """The marker names another county or another target."""


def presence_of(target: BackupTarget, county: str) -> Presence:
    """Tell whether the folder of a target is there and is that target's."""
    try:
        marker = msgspec.json.decode((Path(target.path) / MARKER).read_bytes(), type=Marker)
    except OSError:
        return Presence.ABSENT
    except msgspec.DecodeError:
        return Presence.FOREIGN
    return Presence.PRESENT if (marker.county, marker.target) == (county, target.name) else Presence.FOREIGN


def prepare(target: BackupTarget, county: str, now_ms: int) -> None:
    """Make the folder of a target and mark it as such; a folder that is marked already stays as it is.

    Raises:
        Refused: the folder is another target's, or cannot be written.

    """
    folder = Path(target.path)
    if presence_of(target, county) is Presence.FOREIGN:
        raise foreign(target)
    try:
        folder.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
        if not (folder / MARKER).exists():
            marker = Marker(county=county, target=target.name, prepared_at_ms=now_ms)
            write_whole(folder / MARKER, msgspec.json.encode(marker) + b"\n", mode=PRIVATE_MODE)
            sync_folder(folder)
    except OSError as error:
        raise Refused(
            Text(zh=f"无法写入 {folder}：{error.strerror}", en=f"cannot write to {folder}: {error.strerror}"),
            Text(
                zh="请检查磁盘是否已挂载，运行枢纽的用户是否有写权限（systemd 须在 ReadWritePaths 中列出）。",
                en="See that the disk is mounted and that the hub's user may write to it"
                " (systemd wants it under ReadWritePaths).",
            ),
        ) from error


def check_presence(target: BackupTarget, county: str) -> None:
    """Go on only if a target can be written.

    Raises:
        Refused: it is absent, or another's.

    """
    presence = presence_of(target, county)
    if presence is Presence.FOREIGN:
        raise foreign(target)
    if presence is Presence.ABSENT:
        raise Refused(
            Text(zh=f"找不到备份目标 {target.path}", en=f"the backup target {target.path} is not there"),
            Text(
                zh=f"请接上或挂载该磁盘；首次使用先运行 danglian-hub backup prepare --to {target.name}",
                en=f"Plug it in or mount it; a new one is made ready by danglian-hub backup prepare --to {target.name}",
            ),
        )


def foreign(target: BackupTarget) -> Refused:
    """Return the error of a folder that is another target's."""
    return Refused(
        Text(
            zh=f"{target.path} 是另一个县或另一个备份目标的文件夹",
            en=f"{target.path} belongs to another county or another target",
        ),
        Text(
            zh="请核对接上的是哪块磁盘，以及 hub.toml 中的 path。", en="See which disk it is, and the path in hub.toml."
        ),
    )


def backup_name(county: str, made_at_ms: int) -> str:
    """Return the name of a backup; names sort by time, also when clocks are set back within a second."""
    made = datetime.datetime.fromtimestamp(made_at_ms / 1000, datetime.UTC)
    return f"danglian-{county}-{made.strftime(_STAMP)}"


def names_in(folder: Path) -> list[str]:
    """Return the names of the backups in a folder, oldest first; those of a county stand together."""
    try:
        return sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_dir())
    except OSError:
        return []


def read_backup(backup: Path) -> BackupManifest:
    """Read what a backup says of itself; nothing is checked here.

    Raises:
        BadFile: the folder is no backup, or a newer version made it.

    """
    hint = Text(
        zh="请指定一份备份的文件夹（名字形如 danglian-330523000000-…），或一个备份目标的文件夹。",
        en="Name the folder of a backup (danglian-330523000000-...), or that of a backup target.",
    )
    try:
        found = msgspec.json.decode((backup / MANIFEST).read_bytes(), type=BackupManifest)
    except (OSError, msgspec.DecodeError) as error:
        raise BadFile(Text(zh=f"{backup} 不是备份", en=f"{backup} is no backup"), hint) from error
    if found.format != 1:
        raise BadFile(
            Text(zh=f"{backup} 由更新的版本建立", en=f"{backup} was made by a newer version"),
            Text(zh="请安装同一版本或更新的版本。", en="Install that version, or a newer one."),
        )
    return found


def chosen(named: Path) -> Path:
    """Return the backup that a person means: a folder that is one, or the newest in a folder that holds some.

    Raises:
        BadFile: it is neither.

    """
    if (named / MANIFEST).is_file():
        return named
    names = names_in(named)
    if not names:
        read_backup(named)
    return named / max(names, key=lambda name: name.rpartition("-")[2])


def remove(folder: Path, name: str) -> None:
    """Remove a backup so that what remains after a power cut is never taken for one.

    Raises:
        BrokenStore: the disk does not let it go.

    """
    doomed = folder / f".{name}{PARTIAL_SUFFIX}"
    try:
        if (folder / name).exists():
            (folder / name).rename(doomed)
        shutil.rmtree(doomed, ignore_errors=False)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BrokenStore(
            Text(
                zh=f"无法删除 {folder / name}：{error.strerror}", en=f"cannot remove {folder / name}: {error.strerror}"
            ),
            Text(zh="请检查该磁盘和文件夹权限。", en="Look at the disk, and at the modes of the folder."),
        ) from error


def clear_partial(folder: Path, county: str) -> None:
    """Remove what attempts that were cut short have left of this county's backups."""
    for path in folder.glob(f".danglian-{county}-*{PARTIAL_SUFFIX}"):
        shutil.rmtree(path, ignore_errors=True)


def is_exposed(backup: Path) -> bool:
    """Tell whether others than the owner can read a backup: not every file system keeps modes."""
    return any(path.stat().st_mode & _OTHERS for path in (backup, *backup.rglob("*")))
