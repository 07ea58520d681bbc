"""The hub's health: what the running hub last said of itself, weighed into one answer for people and for monitors.

``health_of`` is pure. *Bad* means that the hub does not do its work (a monitor gets 503, a command exits with 1);
*attention* means that it works and a person should look at something, for example at a silent site: a village PC that
is switched off must not make the county's server look broken.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, inspect, select

from hub.alarm import alarm_book
from hub.alarm.alarm_tables import hub_report
from hub.alarm.alarms import KINDS, Alarm, AlarmKind
from hub.alarm.stalls import HUB_STALL_S, BrokerSigns
from hub.backup import backups
from hub.backup.backup_settings import BackupSettings
from hub.backup.backups import BackupFinding
from hub.home import HubHome
from hub.storage.reindexing import index_state
from hub.workers import leases
from hub.workers.lease_tables import lease
from hub.workers.leases import Crew
from protocol.wording import Count, Text
from replication import letters, quarantine
from replication.brokers import ClusterSigns
from replication.database import Database
from replication.dialects import upsert
from replication.tables import letter_in

REPORT_LATE_S = 40.0
"""Seconds after which the hub's last report is late: two of its looks, and some for a busy database."""

REPORT_STALE_S = 90.0
"""Seconds after which the hub's last report says that it does not run, or hangs: six of its looks."""

DISK_ATTENTION_BYTES = 5 * 1024**3
"""Free bytes at the hub below which a person should look: a week of a busy import."""

DISK_BAD_BYTES = 500 * 1024**2
"""Free bytes at the hub below which it will stop taking anything soon."""


MUTE_MS = 30_000
"""Milliseconds for which a broker may leave questions about its stream unanswered: thrice a change of leaders."""

UNATTENDED_MS = 15_000
"""Milliseconds for which a duty may be nobody's: twice what a killed worker's takes to change hands."""


class Standing(StrEnum):
    """How something is; the worst counts."""

    OK = "ok"
    ATTENTION = "attention"
    BAD = "bad"


STANDINGS = {
    Standing.OK: Text(zh="正常", en="ok"),
    Standing.ATTENTION: Text(zh="需留意", en="attention"),
    Standing.BAD: Text(zh="故障", en="bad"),
}


class HubReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the running hub says of itself."""

    software: str = ""
    started_at_ms: int = 0
    listening_since_ms: int | None = None
    broker: BrokerSigns = BrokerSigns()
    disk_free_bytes: int = 0
    cluster: ClusterSigns | None = None
    """None where one server alone keeps the stream, or nobody could say."""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the database beside the report."""

    report: HubReport | None
    reported_at_ms: int
    alarms: Sequence[Alarm] = ()
    """Open ones."""
    quarantined: int = 0
    letters_set_aside: int = 0
    """Letters of sites that could not be acted on."""
    reindexing: tuple[int, int] | None = None
    """Entries of the search index that were made anew, and of how many; None while nothing is rebuilt."""
    crew: Crew | None = None
    """The workers that share the store; None where one hub is alone."""
    backups: Sequence[BackupFinding] | None = None
    """What there is to say about the backups; None where nobody looked."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    standing: Standing
    words: Text


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    standing: Standing
    checks: tuple[Check, ...]
    at_ms: int

    @property
    def is_bad(self) -> bool:
        """True if the hub does not do its work."""
        return self.standing is Standing.BAD


def health_of(counted: Counted, now_ms: int) -> Health:
    """Weigh what is known of the hub."""
    report = counted.report
    checks = [_running(report, counted.reported_at_ms, now_ms)]
    if report is not None and checks[0].standing is not Standing.BAD:
        checks += [_broker(report, now_ms), _applying(report.broker, now_ms), _disk(report)]
    if counted.crew is not None:
        checks.append(_workers(counted.crew))
    checks += [_index(counted), _alarms(counted.alarms), _quarantine(counted.quarantined)]
    checks += [_audit(one) for one in counted.alarms if one.kind is AlarmKind.AUDIT_LOG]
    if counted.letters_set_aside:
        checks.append(_letters(counted.letters_set_aside))
    if counted.backups is not None:
        checks.append(_backups(counted.backups))
    order = list(Standing)
    worst = max((check.standing for check in checks), key=order.index)
    return Health(standing=worst, checks=tuple(checks), at_ms=now_ms)


def _running(report: HubReport | None, at_ms: int, now_ms: int) -> Check:
    if report is None:
        words = Text(zh="县级枢纽从未运行", en="the hub has never run")
        if at_ms:
            words = Text(zh="县级枢纽正在启动", en="the hub is starting")
        return Check(name="running", standing=Standing.BAD, words=words)
    silent_s = max(0, now_ms - at_ms) // 1000
    if silent_s > REPORT_STALE_S:
        words = Text(
            zh=f"县级枢纽未运行或已停滞：{silent_s} 秒没有声息", en=f"not running, or hangs: silent for {silent_s} s"
        )
        return Check(name="running", standing=Standing.BAD, words=words)
    if silent_s > REPORT_LATE_S:
        words = Text(
            zh=f"县级枢纽可能已停止或停滞：{silent_s} 秒没有声息（下列情况为当时所见）",
            en=f"it may have stopped, or hang: silent for {silent_s} s (what follows is as of then)",
        )
        return Check(name="running", standing=Standing.ATTENTION, words=words)
    words = Text(zh=f"县级枢纽在运行，{silent_s} 秒前自报", en=f"the hub runs, and said so {silent_s} s ago")
    return Check(name="running", standing=Standing.OK, words=words)


def _broker(report: HubReport, now_ms: int) -> Check:
    mute_ms = report.broker.mute_since_ms
    if report.broker.is_connected and mute_ms is not None and now_ms - mute_ms >= MUTE_MS:
        seconds = (now_ms - mute_ms) // 1000
        words = Text(
            zh=f"消息服务器已 {seconds} 秒答不出事件流的状态：集群在线的服务器可能不足半数",
            en=f"the broker has not answered for its stream for {seconds} s: a cluster may have lost its quorum",
        )
        return Check(name="broker", standing=Standing.BAD, words=words)
    if report.broker.is_connected and report.cluster is not None:
        return _cluster(report.cluster)
    if report.broker.is_connected:
        words = Text(zh="已连接消息服务器", en="connected to the broker")
        return Check(name="broker", standing=Standing.OK, words=words)
    words = Text(zh="连不上消息服务器：各站点收不到回执", en="not connected to the broker: no site gets receipts")
    return Check(name="broker", standing=Standing.BAD, words=words)


def _cluster(signs: ClusterSigns) -> Check:
    told = [Text(zh=f"{one.server} 离线", en=f"{one.server} is away") for one in signs.copies if one.is_away]
    told += [
        Text(zh=f"{one.server} 落后 {one.lag}", en=f"{one.server} is {one.lag} behind")
        for one in signs.copies
        if one.is_behind and not one.is_away
    ]
    short = signs.sound < signs.wanted
    words = Text(
        zh=f"事件流有 {signs.sound}/{signs.wanted} 份完好，主本在 {signs.leader}"
        + "".join(f"；{one.zh}" for one in told),
        en=f"{signs.sound} of {Count(signs.wanted):copy|copies} of the stream are sound, {signs.leader} leads"
        + "".join(f"; {one.en}" for one in told),
    )
    return Check(name="broker", standing=Standing.ATTENTION if short else Standing.OK, words=words)


def _workers(crew: Crew) -> Check:
    """A duty that nobody does for a moment is a change of hands; without any worker the report is old, too."""
    living, kept = crew.living(), crew.kept()
    late = [one.duty for one in crew.leases if one.duty not in kept and crew.now_ms - one.until_ms > UNATTENDED_MS]
    if late or not living:
        words = Text(
            zh=f"{len(living)} 个工作进程，{len(late)} 项职责无人承担：{'、'.join(late)}",
            en=f"{Count(len(living)):worker|workers}, {Count(len(late)):duty|duties} that nobody does:"
            f" {', '.join(late)}",
        )
        return Check(name="workers", standing=Standing.BAD, words=words)
    standing = Standing.ATTENTION if len(living) == 1 else Standing.OK
    words = Text(
        zh=f"{len(living)} 个工作进程分担 {len(kept)} 项职责",
        en=f"{Count(len(living)):worker shares|workers share} {Count(len(kept)):duty|duties}",
    )
    return Check(name="workers", standing=standing, words=words)


def _applying(broker: BrokerSigns, now_ms: int) -> Check:
    waiting = broker.pending or 0
    stalled_s = 0 if broker.still_since_ms is None else (now_ms - broker.still_since_ms) // 1000
    if stalled_s >= HUB_STALL_S:
        words = Text(
            zh=f"{waiting} 帧待处理，{stalled_s} 秒没有进展",
            en=f"{Count(waiting):frame waits|frames wait}, none taken for {stalled_s} s",
        )
        return Check(name="applying", standing=Standing.BAD, words=words)
    return Check(
        name="applying",
        standing=Standing.OK,
        words=Text(zh=f"待处理 {waiting} 帧", en=f"{Count(waiting):frame waits|frames wait}"),
    )


def _disk(report: HubReport) -> Check:
    free = report.disk_free_bytes
    standing = Standing.OK
    if free < DISK_ATTENTION_BYTES:
        standing = Standing.BAD if free < DISK_BAD_BYTES else Standing.ATTENTION
    gib = free / 1024**3
    return Check(
        name="disk", standing=standing, words=Text(zh=f"磁盘剩余 {gib:.1f} GB", en=f"{gib:.1f} GB of disk are free")
    )


def _index(counted: Counted) -> Check:
    if counted.reindexing is None:
        return Check(name="index", standing=Standing.OK, words=Text(zh="检索索引完整", en="the search index is whole"))
    done, total = counted.reindexing
    words = Text(
        zh=f"检索索引重建中：{done}/{total}，期间沿用旧索引",
        en=f"search index: {done} of {total} rebuilt, the old one answers",
    )
    return Check(name="index", standing=Standing.ATTENTION, words=words)


def _alarms(alarms: Sequence[Alarm]) -> Check:
    unattended = [one for one in alarms if one.acknowledged_at_ms is None]
    if not alarms:
        return Check(name="alarms", standing=Standing.OK, words=Text(zh="没有告警", en="no alarms"))
    kinds: Mapping[str, int] = Counter(one.kind for one in alarms)
    named = [(KINDS[kind], count) for kind, count in ((k, kinds[k]) for k in KINDS) if count]
    words = Text(
        zh=f"告警 {len(alarms)} 个，{len(unattended)} 个无人认领：" + "，".join(f"{w.zh} {c}" for w, c in named),
        en=f"{Count(len(alarms)):alarm|alarms}, {len(unattended)} unattended: "
        + ", ".join(f"{w.en} {c}" for w, c in named),
    )
    return Check(name="alarms", standing=Standing.ATTENTION if unattended else Standing.OK, words=words)


def _audit(one: Alarm) -> Check:
    """Say which audit log was changed, and from which line: no count of alarms would."""
    zh, en = "；".join(fact.zh for fact in one.evidence), "; ".join(fact.en for fact in one.evidence)
    return Check(
        name="audit",
        standing=Standing.ATTENTION,
        words=Text(zh=f"{zh}：danglian-hub audit verify", en=f"{en}: danglian-hub audit verify"),
    )


def _quarantine(held: int) -> Check:
    if not held:
        return Check(name="quarantine", standing=Standing.OK, words=Text(zh="没有隔离内容", en="nothing in quarantine"))
    words = Text(
        zh=f"隔离 {held} 项，见 danglian-hub quarantine",
        en=f"{Count(held):thing|things} in quarantine: danglian-hub quarantine",
    )
    return Check(name="quarantine", standing=Standing.ATTENTION, words=words)


def _letters(count: int) -> Check:
    words = Text(
        zh=f"{count} 封站点函件未能办理，见 danglian-hub letters",
        en=f"{Count(count):letter|letters} of sites could not be acted on: danglian-hub letters",
    )
    return Check(name="letters", standing=Standing.ATTENTION, words=words)


def _backups(findings: Sequence[BackupFinding]) -> Check:
    return Check(name="backups", standing=Standing.ATTENTION if findings else Standing.OK, words=backups.told(findings))


# In the database


def keep_report(connection: Connection, report: HubReport, now_ms: int) -> None:
    """Store what the running hub says of itself, in place of what it said before."""
    values = {"only_row": 1, "at_ms": now_ms, "report": msgspec.json.encode(report)}
    statement = upsert(hub_report).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=[hub_report.c.only_row], set_=values))


async def look(
    database: Database, home: HubHome, settings: BackupSettings, now_ms: int, *, started_at_ms: int = 0
) -> Health:
    """Return how the hub of a home is now, whether it runs or not.

    Args:
        database: the hub's.
        home: where it lives.
        settings: those of its backups.
        now_ms: the wall clock.
        started_at_ms: when the asking process began, if that is the hub itself: what another one said before it, which
            may have been killed a moment ago, says nothing of this one.

    Raises:
        Retryable: the database is busy.
        BrokenStore: it is damaged.

    """
    known = await database.read(counted)
    if known.report is not None and known.report.started_at_ms < started_at_ms:
        known = msgspec.structs.replace(known, report=None)
    findings = await asyncio.to_thread(backups.findings_in, home.backups, settings, now_ms)
    return health_of(msgspec.structs.replace(known, backups=findings), now_ms)


def counted(connection: Connection) -> Counted:
    """Read what health is weighed from, as far as it stands in the database."""
    if not inspect(connection).has_table(hub_report.name):
        # A database of before: the hub that upgrades it has not started yet.
        return Counted(report=None, reported_at_ms=0)
    state = index_state(connection)
    row = connection.execute(select(hub_report)).one_or_none()
    return Counted(
        report=None if row is None else msgspec.json.decode(row.report, type=HubReport),
        reported_at_ms=0 if row is None else row.at_ms,
        alarms=alarm_book.open_alarms(connection),
        quarantined=sum(quarantine.counts(connection).values()),
        letters_set_aside=_letters_set_aside(connection),
        reindexing=(state.built_rows, state.building_rows) if state.is_building else None,
        crew=_crew(connection),
    )


def _letters_set_aside(connection: Connection) -> int:
    return letters.count_set_aside(connection) if inspect(connection).has_table(letter_in.name) else 0


def _crew(connection: Connection) -> Crew | None:
    if not inspect(connection).has_table(lease.name):
        return None
    found = leases.crew_of(connection, leases.store_clock_ms(connection))
    return found if found.leases else None
