"""Making backups: one bag on each target, of a hub that goes on working.

A bag is written under a temporary name, through to the disk, read back, and only then takes its name: whatever has a
name was sound once. Every target gets its own, made from the hub itself: a fault of one disk never travels to the next.
What became of each attempt is noted in the ledger.
"""

import errno
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import msgspec
import structlog

from hub.backup import backups, bags, dumps, snapshots, window_papers
from hub.backup.backup_contents import secret_faults, small_files
from hub.backup.backup_settings import BackupTarget, TargetKind
from hub.backup.backup_targets import (
    MANIFEST,
    PARTIAL_SUFFIX,
    BackupManifest,
    backup_name,
    check_presence,
    clear_partial,
    is_exposed,
    names_in,
    read_backup,
    remove,
)
from hub.backup.backups import KeptBackup, Ledger, TargetLedger
from hub.backup.bags import PAYLOAD
from hub.backup.examining import Examination, examine
from hub.backup.window_papers import Earlier
from hub.config import HubConfig
from hub.home import HubHome, home_at
from hub.keeping.course import Course
from hub.storage import store
from protocol.county_time import day_of
from protocol.errors import BadFile, BadSetting, BrokenStore, DanglianError, StorageFull
from protocol.wording import Text
from replication.claim import claimed
from replication.files import PRIVATE_FOLDER_MODE, PRIVATE_MODE
from replication.keys import load_identity

CLAIM = "backup.lock"
"""Held by whoever writes backups or the ledger: one at a time on each home."""

SPARE_BYTES = 64 * 1024 * 1024
"""Bytes that must stay free on a target beside a new backup."""

ATTEMPTS_MAX = 3
"""Times that small files are read until those that belong together do: a certificate may be renewed in between."""

log = structlog.get_logger(__name__)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one target."""

    target: str
    backup: str = ""
    digest: str = ""
    bytes: int = 0
    records: int = 0
    took_s: float = 0.0
    pruned: tuple[str, ...] = ()
    absent: bool = False
    fault: Text | None = None
    hint: Text | None = None


def back_up(
    home: HubHome,
    settings: HubConfig,
    target: BackupTarget,
    now_ms: Callable[[], int],
    course: Course,
    rest: float = 0.0,
) -> Outcome:
    """Make a backup on a target beside a hub that may be running, read it back, and let go of old ones.

    Raises:
        Refused: the target is absent, or another's.
        StorageFull: it has no room.
        BrokenStore: the database is damaged, or what was written reads back otherwise.
        BadSetting: another backup of this home is under way.
        Stopped: as the course said.

    """
    began = time.monotonic()
    with claimed(home.root, "danglian-hub backup", CLAIM):
        kept = _attempted(home, settings, target, now_ms, course, rest)
        pruned = _pruned(home, target)
    return Outcome(
        target=target.name,
        backup=kept.name,
        digest=kept.digest,
        bytes=kept.bytes,
        records=kept.records,
        took_s=round(time.monotonic() - began, 3),
        pruned=pruned,
    )


def _attempted(
    home: HubHome, settings: HubConfig, target: BackupTarget, now_ms: Callable[[], int], course: Course, rest: float
) -> KeptBackup:
    folder = Path(target.path)
    if target.kind is not TargetKind.ONLINE:
        # That it is not there is no failure: its age will tell.
        check_presence(target, settings.county)
    try:
        check_presence(target, settings.county)
        kept = _written(home, settings, folder, now_ms(), course, rest)
    except DanglianError as error:
        reason = error.reason
        _note(home, target, lambda known: _failed(known, reason, now_ms()))
        raise
    exposed = is_exposed(folder / kept.name)
    _note(home, target, lambda known: _succeeded(known, kept, exposed, now_ms()))
    return kept


def _pruned(home: HubHome, target: BackupTarget) -> tuple[str, ...]:
    old = backups.to_prune(ledger_of(home).of(target.name).backups, target.keep)
    names = tuple(one.name for one in old)
    for name in names:
        remove(Path(target.path), name)
    _note(home, target, lambda known: backups.forgotten(known, names))
    return names


def _written(
    home: HubHome, settings: HubConfig, folder: Path, made_at_ms: int, course: Course, rest: float
) -> KeptBackup:
    name = backup_name(settings.county, made_at_ms)
    partial = folder / f".{name}{PARTIAL_SUFFIX}"
    try:
        clear_partial(folder, settings.county)
        earlier = window_papers.earlier_on(folder, settings.county)
        _check_room(home, settings, folder, earlier)
        try:
            found = _filled(home, settings, partial, (made_at_ms, earlier), course, rest)
            if not found.is_sound and earlier is not None:
                # What it shares with an earlier one may have been spoilt since: this one does without.
                shutil.rmtree(partial)
                found = _filled(home, settings, partial, (made_at_ms, None), course, rest)
            if not found.is_sound:
                raise bags.damaged(partial, found.faults[0])
            partial.rename(folder / name)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        bags.sync_folder(folder)
    except OSError as error:
        raise _untranslated(error, folder) from error
    return KeptBackup(
        name=name,
        made_at_ms=made_at_ms,
        digest=found.digest,
        bytes=found.bytes,
        records=found.records,
    )


def _filled(
    home: HubHome, settings: HubConfig, bag: Path, when: tuple[int, Earlier | None], course: Course, rest: float
) -> Examination:
    """Write a whole bag, sharing papers with the earlier one, and read it back."""
    bag.mkdir(mode=PRIVATE_FOLDER_MODE)
    _fill(home, settings, bag, when, course, rest)
    return examine(bag, course)


def _fill(
    home: HubHome, settings: HubConfig, bag: Path, when: tuple[int, Earlier | None], course: Course, rest: float
) -> None:
    made_at_ms, earlier = when
    payload = _write_small(home, settings, bag)
    url = store.url_of(settings)
    database = bag / PAYLOAD / (home.dump if url else home.database).name
    held = dumps.dump(url, database, course) if url else snapshots.copy(home.database, database, course, rest)
    database.chmod(PRIVATE_MODE)
    bags.sync(database)
    payload[f"{PAYLOAD}/{database.name}"] = bags.digest_of(database, course)
    papers = window_papers.put_in(home, bag, earlier, course)
    log.info("papers_of_the_window", count=len(papers.payload), shared=papers.shared)
    payload |= papers.payload
    manifest = BackupManifest(
        county=settings.county,
        name=settings.name,
        hub_key=load_identity(home.hub_seed).public_key,
        software=version("danglian"),
        made_at_ms=made_at_ms,
        inventory=held,
    )
    size = sum((bag / name).stat().st_size for name in payload)
    info = {
        "Source-Organization": settings.name,
        "External-Identifier": settings.county,
        "External-Description": "Backup of a Danglian hub. It holds secret keys.",
        "Bagging-Date": day_of(made_at_ms).isoformat(),
        "Bag-Software-Agent": f"danglian {manifest.software}",
        "Payload-Oxum": f"{size}.{len(payload)}",
    }
    bags.seal(bag, payload, info, {MANIFEST: msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"})


def _write_small(home: HubHome, settings: HubConfig, bag: Path) -> dict[str, str]:
    """Write every file but the database; again, if keys and certificates that belong together were just renewed."""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        shutil.rmtree(bag / PAYLOAD, ignore_errors=True)
        payload = {
            f"{PAYLOAD}/{name}": bags.write_file(bag / PAYLOAD / name, (content,))
            for name, content in small_files(home, settings).items()
        }
        faults = secret_faults(home_at(bag / PAYLOAD))
        if not faults:
            return payload
        if attempt == ATTEMPTS_MAX:
            raise BadSetting(
                Text(zh=f"县级枢纽的目录不完整：{faults[0].zh}", en=f"the hub's home is incomplete: {faults[0].en}"),
                Text(zh="请先修复，再备份。", en="Put that right first: such a backup would not come back."),
            )
    raise AssertionError


def _check_room(home: HubHome, settings: HubConfig, folder: Path, earlier: Earlier | None) -> None:
    log = home.database.with_name(f"{home.database.name}-wal")
    held = sum(path.stat().st_size for path in (home.database, log) if path.exists())
    papers = window_papers.new_bytes(home, earlier)
    # A dump is packed, and has no indexes: it never takes as much as the store.
    url = store.url_of(settings)
    needed = (dumps.size_of(url) if url else held) + papers + SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise _no_room(folder, f"{needed // 2**20} MiB > {free // 2**20} MiB")


def _no_room(folder: Path, measure: str) -> StorageFull:
    return StorageFull(
        Text(zh=f"备份目标空间不足：{folder}（{measure}）", en=f"no room on the backup target {folder} ({measure})"),
        Text(
            zh="请腾出空间、换用更大的磁盘，或在 hub.toml 中减小 keep。",
            en="Make room, take a larger disk, or lower keep in hub.toml.",
        ),
    )


def _untranslated(error: OSError, folder: Path) -> StorageFull | BrokenStore:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _no_room(folder, str(error.strerror))
    return BrokenStore(
        Text(zh=f"备份目标 {folder} 出错：{error}", en=f"backup target {folder}: {error}"),
        Text(zh="请检查该磁盘和文件夹权限。", en="Look at the disk, and at the modes of the folder."),
    )


# Reading back what lies there


def verify(
    home: HubHome,
    settings: HubConfig,
    target: BackupTarget,
    now_ms: Callable[[], int],
    course: Course,
    *,
    every: bool = False,
    deep: bool = False,
) -> list[Examination]:
    """Read the newest backup of a target back, or every one, and note what was found.

    Raises:
        Refused: the target is absent, or another's.
        BadSetting: a backup of this home is under way.
        Stopped: as the course said.

    """
    folder = Path(target.path)
    with claimed(home.root, "danglian-hub backup", CLAIM):
        check_presence(target, settings.county)
        names = [name for name in names_in(folder) if settings.county in name]
        _note(home, target, lambda known: known)
        found = []
        for name in names if every else names[-1:]:
            examination = _examined(folder / name, course, deep=deep)
            found.append(examination)
            _note(home, target, lambda known, one=examination: _read_back(known, one, now_ms()))  # type: ignore[misc]
    return found


def _examined(backup: Path, course: Course, *, deep: bool) -> Examination:
    try:
        return examine(backup, course, deep=deep)
    except (BrokenStore, BadFile, OSError) as error:
        made_at_ms = 0
        with suppress(BadFile):
            made_at_ms = read_backup(backup).made_at_ms
        return Examination(
            backup=backup.name, digest="", made_at_ms=made_at_ms, bytes=0, records=0, faults=(_words(error),)
        )


def _words(error: BrokenStore | BadFile | OSError) -> Text:
    return Text(zh=f"读不出：{error}", en=f"cannot be read: {error}") if isinstance(error, OSError) else error.reason


# The ledger


def ledger_of(home: HubHome) -> Ledger:
    """Read the ledger for changing it; one that cannot be read is set aside, for backups must go on."""
    try:
        return backups.read_ledger(home.backups)
    except BrokenStore as error:
        log.warning("ledger_of_backups_set_aside", reason=error.reason.en)
        home.backups.replace(home.backups.with_suffix(".damaged"))
        return Ledger()


def _note(home: HubHome, target: BackupTarget, change: Callable[[TargetLedger], TargetLedger]) -> None:
    """Note something of a target; what is no longer on it is forgotten if it can be seen."""
    ledger = ledger_of(home)
    changed = change(ledger.of(target.name))
    there = set(names_in(Path(target.path)))
    if there:
        changed = backups.forgotten(changed, {one.name for one in changed.backups} - there)
    backups.write_ledger(home.backups, ledger.with_target(changed))


def _failed(known: TargetLedger, fault: Text, at_ms: int) -> TargetLedger:
    return msgspec.structs.replace(known, tried_at_ms=at_ms, fault=fault)


def _succeeded(known: TargetLedger, kept: KeptBackup, exposed: bool, at_ms: int) -> TargetLedger:  # noqa: FBT001 - a fact
    well = msgspec.structs.replace(known, tried_at_ms=at_ms, fault=None, exposed=exposed)
    return backups.remembered(well, msgspec.structs.replace(kept, verified_at_ms=at_ms))


def _read_back(known: TargetLedger, found: Examination, at_ms: int) -> TargetLedger:
    before = next((one for one in known.backups if one.name == found.backup), None)
    kept = KeptBackup(
        name=found.backup,
        made_at_ms=found.made_at_ms or (before.made_at_ms if before else 0),
        digest=found.digest or (before.digest if before else ""),
        bytes=found.bytes or (before.bytes if before else 0),
        records=found.records or (before.records if before else 0),
        verified_at_ms=at_ms if found.is_sound else (before.verified_at_ms if before else None),
        damaged_at_ms=None if found.is_sound else at_ms,
    )
    return backups.remembered(known, kept)
