"""Putting a hub back from a backup, into a new home beside whatever is left of the old one.

The backup is read back first, then copied into a folder that is no home yet, and takes its name when it is whole. What
the hub had applied after the backup, the nodes bring again by themselves: the receipts of the restored hub stand behind
their history, and they catch it up (promises 3 to 5). What nobody can bring again are the decisions about who may
speak: a node that was revoked after the backup is on the restored keyring as if it were good. So codes that nobody had
used are void, the ledger says that the keyring is not reviewed, and that is told until somebody has done so.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from sqlalchemy import Delete, delete, inspect

from hub import config
from hub.backup import backups, bags, dumps, snapshots
from hub.backup.backup_targets import BackupManifest, read_backup
from hub.backup.backups import Ledger, Restoration
from hub.backup.bags import PAYLOAD
from hub.backup.examining import examine
from hub.home import SCHEMA, HubHome, home_at
from hub.keeping.course import Course, Stage
from hub.membership import keyring
from hub.membership.keyring import EnrolledNode
from hub.membership.keyring_tables import enrolment_code
from hub.storage import store
from protocol.errors import BadSetting, BrokenStore, StorageFull
from protocol.wording import Text
from replication import letters
from replication.files import PRIVATE_FOLDER_MODE
from replication.migrations import REPLICATION, migrations_in
from replication.tables import letter_peer

SPARE_BYTES = 64 * 1024 * 1024
"""Bytes that must stay free where a backup is put back."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step and how long it took."""

    name: str
    took_s: float


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What was put back."""

    backup: str
    home: str
    county: str
    made_at_ms: int
    records: int
    sites: int
    bytes: int
    codes_void: int
    """One-time codes that could still have been used when the backup was made."""
    nodes: tuple[EnrolledNode, ...]
    """Who may speak now."""
    steps: tuple[Step, ...]
    took_s: float


class Stopwatch:
    """Times steps one after the other."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.steps: list[Step] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block; one that fails is noted too."""
        began = self._monotonic()
        try:
            yield
        finally:
            self.steps.append(Step(name=name, took_s=round(self._monotonic() - began, 3)))

    @property
    def took_s(self) -> float:
        """Seconds of all steps together."""
        return round(sum(step.took_s for step in self.steps), 3)


def check_new_home(home: HubHome) -> None:
    """Go on only if nothing can be overwritten.

    Raises:
        BadSetting: there is a hub in the home already, or anything else.

    """
    try:
        there = sorted(path.name for path in home.root.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadSetting(
            Text(zh=f"无法使用目录 {home.root}：{error}", en=f"cannot use the home {home.root}: {error}"),
            Text(zh="请用 --home 指定一个新的目录。", en="Name a new folder with --home."),
        ) from error
    if there:
        raise BadSetting(
            Text(
                zh=f"目录不是空的，不会覆盖：{home.root}（其中有 {'、'.join(there[:3])}）",
                en=f"the home is not empty, nothing is overwritten: {home.root} holds {', '.join(there[:3])}",
            ),
            Text(
                zh="请用 --home 指定一个新的目录；确认恢复成功后再处理旧目录。",
                en="Name a new folder with --home, and keep the old one until the new hub has proved itself.",
            ),
        )


def put_back(backup: Path, home: HubHome, now_ms: int, course: Course) -> Restored:
    """Put a hub back into a new home.

    Raises:
        BadSetting: something is in the home already.
        BadFile: the folder is no backup, or a newer version made it.
        BrokenStore: the backup is damaged, or its schema is newer than this version; nothing was made.
        StorageFull: there is no room for it.

    """
    check_new_home(home)
    said = read_backup(backup)
    check_schema(backup, said)
    inside = home_at(backup / PAYLOAD)
    if inside.dump.exists():
        dumps.check_empty(store.url_of(config.load(inside.settings)))
    watch = Stopwatch()
    with watch.step("check"):
        check(backup, course)
    codes_void, nodes = _placed(
        backup, home, Restoration(backup=backup.name, made_at_ms=said.made_at_ms, restored_at_ms=now_ms), watch, course
    )
    return Restored(
        backup=backup.name,
        home=str(home.root),
        county=said.county,
        made_at_ms=said.made_at_ms,
        records=said.inventory.records,
        sites=len(said.inventory.sites),
        bytes=sum(path.stat().st_size for path in home.root.rglob("*") if path.is_file()),
        codes_void=codes_void,
        nodes=tuple(nodes),
        steps=tuple(watch.steps),
        took_s=watch.took_s,
    )


def _placed(
    backup: Path, home: HubHome, restored: Restoration, watch: Stopwatch, course: Course
) -> tuple[int, list[EnrolledNode]]:
    """Make the home whole under another name, and give it its own at the end."""
    staged = home_at(home.root.with_name(f".{home.root.name}.restoring"))
    shutil.rmtree(staged.root, ignore_errors=True)
    try:
        with watch.step("put_back"):
            copy_payload(backup, staged.root, course)
            url = _put_into_store(staged, course)
        with watch.step("settle"):
            settled = _settle(staged, url)
            backups.write_ledger(staged.backups, Ledger(restored=restored))
            bags.sync_folder(staged.root)
            staged.root.rename(home.root)
            bags.sync_folder(home.root.parent)
    except BaseException:
        shutil.rmtree(staged.root, ignore_errors=True)
        raise
    return settled


def _put_into_store(staged: HubHome, course: Course) -> str:
    """Put a dump into the database that the settings or the environment name; returns its address, if there is one."""
    if not staged.dump.exists():
        return ""
    url = store.url_of(config.load(staged.settings))
    dumps.put_back(url, staged.dump, course)
    # The backup keeps it; beside a store that goes on it would soon be taken for something that it is not.
    staged.dump.unlink()
    return url


def check_schema(backup: Path, said: BackupManifest) -> None:
    """Go on only if this version knows the schema of a backup; an older one is brought up to date at the first start.

    Raises:
        BrokenStore: a newer version made it.

    """
    known = {
        f"{package}/{one.number:02d}-{one.name}"
        for package, folder in (REPLICATION, SCHEMA)
        for one in migrations_in(package, folder)
    }
    newer = sorted(set(said.inventory.migrations) - known)
    if newer:
        raise BrokenStore(
            Text(
                zh=f"备份 {backup.name} 由更新的版本（{said.software}）建立：{newer[0]}",
                en=f"backup {backup.name} was made by a newer version ({said.software}): {newer[0]}",
            ),
            Text(zh="请安装同一版本或更新的版本。", en="Install that version, or a newer one."),
        )


def check(backup: Path, course: Course) -> None:
    """Read a backup back before it is relied upon.

    Raises:
        BrokenStore: it is damaged; the faults are named.

    """
    found = examine(backup, course)
    if not found.is_sound:
        zh, en = "；".join(fault.zh for fault in found.faults), "; ".join(fault.en for fault in found.faults)
        raise bags.damaged(backup, Text(zh=zh, en=en))


def copy_payload(backup: Path, root: Path, course: Course) -> None:
    """Copy what a backup keeps to where a hub wants it, through to the disk, checking every byte on the way.

    Raises:
        BrokenStore: a file changed its content on the way, or a disk failed.
        StorageFull: there is no room for it.

    """
    manifest = bags.read_manifest(backup)
    total = sum((backup / name).stat().st_size for name in manifest.payload)
    done = 0

    def passing(path: Path) -> Iterator[bytes]:
        nonlocal done
        for chunk in bags.chunks_of(path):
            done += len(chunk)
            course.at(Stage.PUT_BACK, done, total)
            yield chunk

    try:
        root.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True)
        _check_room(root, total)
        for name, digest in manifest.payload.items():
            if bags.write_file(root / Path(name).relative_to(PAYLOAD), passing(backup / name)) != digest:
                raise bags.damaged(backup, Text(zh=f"{name} 的摘要不符", en=f"{name} does not have its digest"))
    except OSError as error:
        raise BrokenStore(
            Text(zh=f"恢复到 {root} 时出错：{error}", en=f"putting back into {root}: {error}"),
            Text(
                zh="请检查磁盘和文件夹权限；没有留下半成品。", en="Look at disk and modes; nothing half-done was left."
            ),
        ) from error


def _check_room(root: Path, total: int) -> None:
    free = shutil.disk_usage(root).free
    if free < total + SPARE_BYTES:
        measure = f"{(total + SPARE_BYTES) // 2**20} MiB > {free // 2**20} MiB"
        raise StorageFull(
            Text(zh=f"{root.parent} 空间不足（{measure}）", en=f"no room in {root.parent} ({measure})"),
            Text(zh="请腾出空间，或指定别的磁盘。", en="Make room, or name a folder on another disk."),
        )


def unused_codes() -> Delete:
    """Delete every code that nobody has used: it may have been used, or voided, after the backup was made."""
    return delete(enrolment_code).where(enrolment_code.c.used_at_ms.is_(None))


def _settle(home: HubHome, url: str) -> tuple[int, list[EnrolledNode]]:
    """Make what was secret yesterday worthless, and return who may speak."""
    with dumps.changing(url) if url else snapshots.changing(home.database) as connection:
        if inspect(connection).has_table(letter_peer.name):
            # The sites tell everything again that the hub may have forgotten.
            letters.renew_incarnation(connection)
        return connection.execute(unused_codes()).rowcount, keyring.nodes(connection)
