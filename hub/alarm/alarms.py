"""Alarms: what can be wrong with a site although nobody says so, the guessed cause, and the words for people.

An alarm is a row that is opened, told to one rung after the other, acknowledged by a person, and closed by itself once
what it was about is over. It is never deleted: a closed alarm is the site's history (promise 12).
"""

from enum import StrEnum

import msgspec

from protocol.wording import Text


class AlarmKind(StrEnum):
    """What is wrong."""

    SILENT = "silent"
    """The site is not heard in its office hours."""
    NOT_SENT = "not_sent"
    """The site is heard and has something to say, but the broker gets none of it."""
    LOST_ON_THE_WAY = "lost_on_the_way"
    """The broker took what the site sent, has nothing waiting, and yet it is not applied."""
    UNCONFIRMED = "unconfirmed"
    """All is applied and receipts are sent, but the site's outbox does not shrink."""
    REWOUND = "rewound"
    """The site says that it stands before what is applied of it: lag 0, and yet not the same history."""
    NOT_APPLIED = "not_applied"
    """The broker's stream holds frames that the hub does not take; about the hub itself."""
    FOLDER_UNREAD = "folder_unread"
    """A watched folder cannot be read for days, so nothing new can come."""
    REJECTS_JUMPED = "rejects_jumped"
    """Many more rows are rejected than before: most often a sheet with another layout."""
    DISK_LOW = "disk_low"
    """The site's disk is nearly full."""
    NO_BUNDLE = "no_bundle"
    """A site that comes by courier has not come for too long."""
    BACKUP_OVERDUE = "backup_overdue"
    """The hub has no verified backup on a target, or none that is new enough; about the hub itself."""
    RESTORE_DRILL = "restore_drill"
    """No restore drill has succeeded for too long, or the last one failed; about the hub itself."""
    HOLDINGS = "holdings"
    """Held files are spoilt or unverified, or a copy of them is missing or too old; about the hub itself."""
    KEPT_FILES = "kept_files"
    """Files that a site keeps for others are not as they came."""
    AUDIT_LOG = "audit_log"
    """An audit log, of the site or the county's own, is not what the other end kept of it."""


KINDS = {
    AlarmKind.SILENT: Text(zh="失联", en="silent"),
    AlarmKind.NOT_SENT: Text(zh="发不出", en="cannot send"),
    AlarmKind.LOST_ON_THE_WAY: Text(zh="途中丢失", en="lost on the way"),
    AlarmKind.UNCONFIRMED: Text(zh="回执未收", en="receipts not taken"),
    AlarmKind.REWOUND: Text(zh="历史倒退", en="history went back"),
    AlarmKind.NOT_APPLIED: Text(zh="县级未处理", en="hub does not apply"),
    AlarmKind.FOLDER_UNREAD: Text(zh="目录读不到", en="folder unreadable"),
    AlarmKind.REJECTS_JUMPED: Text(zh="拒收行骤增", en="rejects jumped"),
    AlarmKind.DISK_LOW: Text(zh="磁盘将满", en="disk nearly full"),
    AlarmKind.NO_BUNDLE: Text(zh="信使包逾期", en="no bundle"),
    AlarmKind.BACKUP_OVERDUE: Text(zh="备份逾期", en="backup overdue"),
    AlarmKind.RESTORE_DRILL: Text(zh="恢复演练", en="restore drill"),
    AlarmKind.HOLDINGS: Text(zh="馆藏文件", en="held files"),
    AlarmKind.KEPT_FILES: Text(zh="代管文件损坏", en="kept files damaged"),
    AlarmKind.AUDIT_LOG: Text(zh="审计日志被改动", en="audit log changed"),
}


class Cause(StrEnum):
    """Why, as far as the evidence goes: a guess for the person who calls there."""

    NEVER_SEEN = "never_seen"
    REJECTED_KEY = "rejected_key"
    COUNTY = "county"
    TOWN_LINK = "town_link"
    STOPPED = "stopped"
    DISK = "disk"
    PROCESS = "process"
    CLOCK = "clock"
    LINK = "link"
    POWER_OR_LINK = "power_or_link"
    SITE = "site"
    """Something at the site, which the kind of the alarm names."""
    BROKER = "broker"
    HUB = "hub"
    COURIER = "courier"
    BACKUP = "backup"
    DRILL = "drill"
    HOLDINGS = "holdings"
    KEPT_AT_SITE = "kept_at_site"
    AUDIT_AT_SITE = "audit_at_site"
    AUDIT_AT_COUNTY = "audit_at_county"


CAUSES = {
    Cause.NEVER_SEEN: Text(
        zh="登记后从未上线：请确认程序已安装并已启动。",
        en="Never started after enrolment: see that the node is running.",
    ),
    Cause.REJECTED_KEY: Text(
        zh="服务器拒绝了该站的密钥：可能已停用或未登记，请重新登记。",
        en="The broker refused its key: it was revoked or never enrolled; enrol the site again.",
    ),
    Cause.COUNTY: Text(
        zh="多数站点同时失联：请先检查县级网络和服务器。",
        en="Most sites fell silent together: look at the county's network and server first.",
    ),
    Cause.TOWN_LINK: Text(
        zh="本乡镇各站同时失联：多半是乡镇线路中断。", en="The whole township is silent: most likely its line is cut."
    ),
    Cause.STOPPED: Text(
        zh="程序自行停止并已告知，之后未再启动：请打开该站电脑。",
        en="Its program stopped and said so, and was not started again: switch that PC on.",
    ),
    Cause.DISK: Text(
        zh="失联前磁盘已满或将满：请清理磁盘后重新启动电脑。",
        en="Its disk was full or nearly full: free some space and restart the PC.",
    ),
    Cause.PROCESS: Text(
        zh="失联前程序反复重启：请查看该站日志，或重新安装。",
        en="The program restarted again and again before: look at its log, or install it anew.",
    ),
    Cause.CLOCK: Text(
        zh="失联前电脑时钟偏差很大，可能因此不信任证书：请校正时间。",
        en="Its clock was far off, so it may not trust the certificate: set the clock.",
    ),
    Cause.LINK: Text(
        zh="失联前线路已不稳定：请检查该站网络。", en="Its line was unsteady before: check the site's network."
    ),
    Cause.POWER_OR_LINK: Text(
        zh="电脑未开机或网络不通：请致电核实。", en="The PC is off or its network is down: call and ask."
    ),
    Cause.SITE: Text(zh="请该站查看 danglian-node status。", en="Have the site look at danglian-node status."),
    Cause.BROKER: Text(
        zh="消息服务器丢失了已确认的内容：站点会自动重发；若持续存在，请检查服务器磁盘。",
        en="The broker lost what it had acknowledged; the site sends it again. If this lasts, check the broker's disk.",
    ),
    Cause.HUB: Text(
        zh="县级枢纽没有处理新到内容：请查看磁盘空间和日志，必要时重新启动。",
        en="The hub does not take what arrives: look at its disk and log, and restart it if need be.",
    ),
    Cause.COURIER: Text(
        zh="信使没有来：请安排人到该站写出信使包并带回。",
        en="No courier has come: send somebody to that site for a bundle.",
    ),
    Cause.BACKUP: Text(
        zh="没有及时做成备份：请接上或接通备份目标，并运行 danglian-hub backup。",
        en="No backup was made in time: plug the target in or make it reachable, and run danglian-hub backup.",
    ),
    Cause.DRILL: Text(
        zh="备份能否恢复未经证实：请运行 danglian-hub restore --drill。",
        en="Nobody knows whether the backups can be restored: run danglian-hub restore --drill.",
    ),
    Cause.HOLDINGS: Text(
        zh="馆藏文件或其副本有问题：请运行 danglian-hub holdings list 查看。",
        en="Something is wrong with the held files or their copies: see danglian-hub holdings list.",
    ),
    Cause.KEPT_AT_SITE: Text(
        zh="请该站运行 danglian-node transfer kept 查看是哪些文件，从移交方留存的副本或备份补回，再加 --verify 核对。",
        en="Have the site see with danglian-node transfer kept which files, put them back from the giver's copy or a"
        " backup, and prove it with --verify.",
    ),
    Cause.AUDIT_AT_SITE: Text(
        zh="有记录被改动或删除，或恢复过旧备份：请运行 danglian-hub audit verify，"
        "到该站运行 danglian-node audit verify，保存其数据库；查明后 danglian-hub audit settle。",
        en="A line was changed or removed, or an old backup put back: run danglian-hub audit verify, and danglian-node"
        " audit verify there; keep its database. Once it is known: danglian-hub audit settle.",
    ),
    Cause.AUDIT_AT_COUNTY: Text(
        zh="县级日志被改动，或枢纽恢复过旧备份：请运行 danglian-hub audit verify，与较早的备份比对；"
        "查明后 danglian-hub audit settle。",
        en="The county's log was changed, or the hub put back: run danglian-hub audit verify, compare an older"
        " backup. Once it is known: danglian-hub audit settle.",
    ),
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong now."""

    site: str
    kind: AlarmKind
    cause: Cause
    evidence: tuple[Text, ...] = ()
    """Facts that led to it, for the person who looks after it."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alarm as it is stored; all moments are the hub's."""

    id: int
    site: str
    kind: AlarmKind
    cause: Cause
    evidence: tuple[Text, ...] = ()
    opened_at_ms: int
    counted_from_ms: int
    """Since when the time to the next rung counts: the last opening."""
    held_at_ms: int
    """When it was last true."""
    cleared_at_ms: int | None = None
    """Since when it is not true any more; it is closed after a while, so that it does not flap."""
    reopened: int = 0
    told: int = 0
    """Rungs that were told."""
    acknowledged_at_ms: int | None = None
    acknowledged_by: str = ""
    note: str = ""
    closed_at_ms: int | None = None


# When an alarm opens and closes

STEADY_S = 180.0
"""Seconds for which something must be over before its alarm is closed: six beats."""

FLAPPING_STEADY_S = 3600.0
"""The same for an alarm that came back ``FLAPPING_REOPENINGS`` times: a line that comes and goes is one alarm."""

FLAPPING_REOPENINGS = 3
"""Times that an alarm must have come back to count as flapping."""

REOPEN_WITHIN_S = 24 * 3600.0
"""Seconds after its closing within which an alarm is opened again instead of a new one."""

ACKNOWLEDGED_FOR_S = 7 * 24 * 3600.0
"""Seconds for which an acknowledgement stops the telling: what was promised and forgotten is told on."""


class Move(StrEnum):
    """What becomes of an alarm."""

    OPEN = "open"
    REOPEN = "reopen"
    HOLD = "hold"
    CLEAR = "clear"
    CLOSE = "close"
    REST = "rest"


def move_of(alarm: Alarm | None, *, found: bool, now_ms: int) -> Move:
    """Decide what becomes of a site's last alarm of a kind, open or closed, now that its cause was found or not."""
    if alarm is None:
        return Move.OPEN if found else Move.REST
    if alarm.closed_at_ms is not None:
        if not found:
            return Move.REST
        return Move.REOPEN if now_ms - alarm.closed_at_ms < REOPEN_WITHIN_S * 1000 else Move.OPEN
    if found:
        return Move.HOLD
    if alarm.cleared_at_ms is None:
        return Move.CLEAR
    steady_s = FLAPPING_STEADY_S if alarm.reopened >= FLAPPING_REOPENINGS else STEADY_S
    return Move.CLOSE if now_ms - alarm.cleared_at_ms >= steady_s * 1000 else Move.REST


def is_muted(alarm: Alarm, now_ms: int) -> bool:
    """Tell whether an acknowledgement, or the end of its cause, keeps an alarm from being told further."""
    if alarm.closed_at_ms is not None or alarm.cleared_at_ms is not None:
        return True
    acknowledged = alarm.acknowledged_at_ms
    return acknowledged is not None and now_ms - acknowledged < ACKNOWLEDGED_FOR_S * 1000
