"""Restore drills: a backup is put back into a folder of its own, proved, timed, and thrown away; a report remains.

A backup that was never put back is a hope. A drill does what a restore does, then reads every record and every index of
the restored database, holds it against what the snapshot held, has the restored search find something, and says how
long each step took on this machine: that is how long the county would wait.
"""

import datetime
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

from hub import config
from hub.backup import backups, dumps, snapshots
from hub.backup.backing_up import CLAIM, ledger_of
from hub.backup.backup_contents import secret_faults
from hub.backup.backup_settings import BackupTarget
from hub.backup.backup_targets import Presence, names_in, presence_of, read_backup
from hub.backup.backups import Drill
from hub.backup.examining import database_faults, store_faults
from hub.backup.restoring import Step, Stopwatch, check, check_schema, copy_payload
from hub.backup.snapshots import Inventory
from hub.home import HubHome, home_at
from hub.keeping.course import Course
from hub.searching.search import Query, search
from hub.storage import store
from hub.tables import entry
from protocol.codec import decode_record
from protocol.county_time import second
from protocol.errors import BadFile, BadSetting, DanglianError
from protocol.queries import verbatim
from protocol.wording import Count, Text
from replication.claim import claimed
from replication.files import PRIVATE_MODE, write_whole

REPORTS_MAX = 40
"""Reports of drills that are kept: ten years of quarters."""

PROBES = 5
"""Records that the restored search is asked for by their titles."""


class DrillReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a drill did, found, and took."""

    backup: str
    source: str
    """The folder that holds the backup."""
    made_at_ms: int
    began_at_ms: int
    succeeded: bool
    took_s: float
    steps: tuple[Step, ...]
    bytes: int
    records: int
    sites: int
    probes_found: int = 0
    """Of ``PROBES`` records, how many the restored search found."""
    faults: tuple[Text, ...] = ()


def newest(targets: Sequence[BackupTarget], county: str) -> Path:
    """Return the newest backup on any target that is there.

    Raises:
        BadFile: there is none.

    """
    there = [target for target in targets if presence_of(target, county) is Presence.PRESENT]
    found = [Path(target.path) / name for target in there for name in names_in(Path(target.path)) if county in name]
    if not found:
        raise BadFile(
            Text(zh="已接入的目标中没有备份", en="no target that is there holds a backup"),
            Text(
                zh="请先运行 danglian-hub backup，或指定备份的文件夹。", en="Run danglian-hub backup, or name a folder."
            ),
        )
    return max(found, key=lambda path: path.name)


def drill(
    home: HubHome, backup: Path, now_ms: Callable[[], int], course: Course, scratch: Path | None = None
) -> DrillReport:
    """Put a backup back into a folder beside the living hub, prove it, throw it away; report and ledger remember.

    Args:
        home: the living hub's; nothing of it is touched but its ledger and its reports.
        backup: the folder.
        now_ms: the wall clock.
        course: told how far it has come.
        scratch: where to put it back; None for the home, whose disk is where a restore would go.

    Raises:
        BadFile: the folder is no backup, or a newer version made it.
        BadSetting: a backup of this home is under way.
        Stopped: as the course said.

    """
    watch, began_at_ms = Stopwatch(), now_ms()
    faults: list[Text] = []
    found = 0
    with claimed(home.root, "danglian-hub backup", CLAIM):
        folder = _scratch(scratch or home.root)
        try:
            faults, found = _proved(backup, home_at(folder / "hub"), watch, course)
        except DanglianError as error:
            faults = [error.reason]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        report = _report(backup, began_at_ms, watch, faults, found)
        _keep(home, report)
    return report


def _report(backup: Path, began_at_ms: int, watch: Stopwatch, faults: Sequence[Text], found: int) -> DrillReport:
    said = read_backup(backup)
    return DrillReport(
        backup=backup.name,
        source=str(backup.parent),
        made_at_ms=said.made_at_ms,
        began_at_ms=began_at_ms,
        succeeded=not faults,
        took_s=watch.took_s,
        steps=tuple(watch.steps),
        bytes=sum(path.stat().st_size for path in backup.rglob("*") if path.is_file()),
        records=said.inventory.records,
        sites=len(said.inventory.sites),
        probes_found=found,
        faults=tuple(faults),
    )


def _scratch(place: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=".drill-", dir=place))
    except OSError as error:
        raise BadSetting(
            Text(zh=f"无法在 {place} 中演练：{error}", en=f"cannot drill in {place}: {error}"),
            Text(zh="请用 --scratch 指定可写的文件夹。", en="Name a folder that can be written with --scratch."),
        ) from error


def _proved(backup: Path, restored: HubHome, watch: Stopwatch, course: Course) -> tuple[list[Text], int]:
    said = read_backup(backup)
    with watch.step("check"):
        check_schema(backup, said)
        check(backup, course)
    with watch.step("put_back"):
        copy_payload(backup, restored.root, course)
    with watch.step("keys"):
        faults = secret_faults(restored)
    if restored.dump.exists():
        found_faults, asked, found = _proved_on_postgres(restored, said.inventory, watch, course)
        faults += found_faults
    else:
        with watch.step("compare"):
            faults += database_faults(restored.database, said.inventory, course, deep=True)
        with watch.step("search"), snapshots.reading(restored.database, course, alone=True) as connection:
            asked, found = _probed(connection)
    if found < asked:
        zh, en = (
            f"恢复后的检索只找到 {found}/{asked} 条",
            f"the restored search found {found} of {Count(asked):record|records}",
        )
        faults.append(Text(zh=zh, en=en))
    return faults, found


def _proved_on_postgres(
    restored: HubHome, said: Inventory, watch: Stopwatch, course: Course
) -> tuple[list[Text], int, int]:
    """Put the dump into a database of its own on the same server; return faults, and the probes made and found."""
    with dumps.scratch(store.url_of(config.load(restored.settings))) as url:
        with watch.step("put_back"):
            dumps.put_back(url, restored.dump, course)
        with watch.step("compare"):
            faults = store_faults(url, said, course)
        with watch.step("search"), dumps.reading(url) as connection:
            return faults, *_probed(connection)


def _probed(connection: Connection) -> tuple[int, int]:
    """Ask the restored search for some records by their titles; return how many were asked for and found."""
    newest_first = select(entry.c.body).where(entry.c.body.is_not(None)).order_by(entry.c.docid.desc()).limit(PROBES)
    titles = [decode_record(body).title for body in connection.execute(newest_first).scalars()]
    # A title of nothing but signs has no terms by which it could be found.
    asked = [title for title in titles if any(character.isalnum() for character in title)]
    return len(asked), sum(search(connection, Query(words=verbatim(title), limit=1)).total > 0 for title in asked)


def _keep(home: HubHome, report: DrillReport) -> None:
    stamp = datetime.datetime.fromtimestamp(report.began_at_ms / 1000, datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    content = msgspec.json.format(msgspec.json.encode(report)) + b"\n"
    write_whole(home.drills / f"drill-{stamp}.json", content, mode=PRIVATE_MODE)
    write_whole(home.drills / f"drill-{stamp}.txt", report_text(report).encode(), mode=PRIVATE_MODE)
    for old in sorted(home.drills.glob("drill-*.json"))[:-REPORTS_MAX]:
        old.with_suffix(".txt").unlink(missing_ok=True)
        old.unlink()
    done = Drill(
        backup=report.backup,
        at_ms=report.began_at_ms,
        took_s=report.took_s,
        succeeded=report.succeeded,
        fault=report.faults[0] if report.faults else None,
    )
    backups.write_ledger(home.backups, ledger_of(home).with_drill(done))


STEPS = {
    "check": Text(zh="核验备份", en="read the backup back"),
    "put_back": Text(zh="放回文件", en="put the files back"),
    "keys": Text(zh="密钥、证书、设置", en="keys, certificates, settings"),
    "compare": Text(zh="逐条核对数据库", en="hold every record against the snapshot"),
    "search": Text(zh="检索", en="search"),
    "settle": Text(zh="作废旧登记码，启用目录", en="void old codes, name the home"),
}


def report_text(report: DrillReport) -> str:
    """Return a report as people read it, in both languages: it is filed."""
    made, began = second(report.made_at_ms), second(report.began_at_ms)
    outcome = "成功 · succeeded" if report.succeeded else "失败 · failed"
    lines = [
        "恢复演练报告 · Report of a restore drill",
        "",
        f"结果 outcome: {outcome}",
        f"演练时间 held: {began}",
        f"备份 backup: {report.backup}",
        f"位置 lies in: {report.source}",
        f"备份时间 made: {made}",
        f"条目 records: {report.records}    站点 sites: {report.sites}    大小 size: {report.bytes / 2**20:.1f} MiB",
        f"检索验证 found by search: {report.probes_found}",
        "",
        *(f"{step.took_s:10.3f} s  {STEPS[step.name].zh} · {STEPS[step.name].en}" for step in report.steps),
        f"{report.took_s:10.3f} s  合计 · together",
        *(f"问题 fault: {fault.zh} · {fault.en}" for fault in report.faults),
        "",
    ]
    return "\n".join(lines)
