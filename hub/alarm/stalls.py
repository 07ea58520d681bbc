"""Stalls that look healthy: lag 0 while nothing moves, an outbox that never empties, a folder that nobody can read.

One sign of life shows a state; only the course of several shows that it does not move. ``course_after`` keeps the
little that must be remembered of each site, and ``stalls_of`` compares what the node, the broker and the watermark say.
Both are pure, and both use the hub's clock only.
"""

import msgspec

from hub.alarm.alarms import AlarmKind, Cause, Finding
from hub.sites.board import Mark, NodeState, is_offline, lag_of
from protocol.wording import Count, Text

STALL_S = 600.0
"""Seconds for which nothing may move before that is a stall: ten times what the publisher waits to send again."""

HUB_STALL_S = 120.0
"""Seconds for which the hub may leave the broker's frames lying: two of the broker's own deadlines."""

REJECTS_JUMP_ROWS = 50
"""Rows rejected beyond the usual that are worth a question."""

REJECTS_JUMP_SHARE = 0.05
"""Share of a site's records that must be rejected beyond the usual, where that is more than ``REJECTS_JUMP_ROWS``."""

DISK_LOW_BYTES = 500 * 1024 * 1024
"""Free bytes below which a site's disk counts as nearly full: one large import with its log."""

RESTARTS_WINDOW_MS = 24 * 3600 * 1000
"""Milliseconds over which restarts of a node are counted."""

DAY_MS = 24 * 3600 * 1000
"""Milliseconds of a day."""


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How one site has moved lately, as it is stored."""

    site: str
    epoch: str = ""
    applied: int = 0
    apart_since_ms: int | None = None
    """Since when it is heard, stands elsewhere than its watermark, and that watermark has not moved."""
    outbox_low: int = 0
    kept_since_ms: int | None = None
    """Since when it is heard and its outbox does not shrink although all of it is applied."""
    unread_since_ms: int | None = None
    rejected_usual: int = 0
    started_at_ms: int = 0
    """What the node says when it started: another number means another start, whatever its clock shows."""
    restarts: int = 0
    restarts_since_ms: int = 0


class BrokerSigns(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub sees of the broker; positions are places in its stream, of all sites together."""

    is_connected: bool = False
    last: int = 0
    """Place of the latest frame in the stream."""
    pending: int | None = None
    """Frames that wait for the hub or were given to it and not taken; None where the broker does not say."""
    still_since_ms: int | None = None
    """Since when frames wait and the hub takes none."""
    mute_since_ms: int | None = None
    """Since when the broker is connected and says nothing of its stream: of a cluster, too few servers are left."""


def course_after(before: Course | None, node: NodeState, mark: Mark | None, now_ms: int) -> Course:
    """Return the course of a site after another look at it."""
    known = before or Course(
        site=node.site,
        rejected_usual=node.rejected,
        started_at_ms=node.started_at_ms,
        restarts_since_ms=now_ms,
    )
    here = (mark.epoch, mark.position) if mark is not None else ("", 0)
    offline = is_offline(node.seen_at_ms, now_ms)
    stands = before is not None and here == (known.epoch, known.applied) and not offline
    apart = not offline and _is_apart(node, mark)
    kept = not offline and not apart and node.outbox_frames > 0 and node.seq > 0
    shrinks = node.outbox_frames < known.outbox_low
    restarted = node.started_at_ms != known.started_at_ms
    fresh = now_ms - known.restarts_since_ms > RESTARTS_WINDOW_MS
    return Course(
        site=node.site,
        epoch=here[0],
        applied=here[1],
        apart_since_ms=_since(known.apart_since_ms if stands else None, now_ms) if apart else None,
        outbox_low=node.outbox_frames,
        kept_since_ms=_since(known.kept_since_ms if stands and not shrinks else None, now_ms) if kept else None,
        unread_since_ms=_since(known.unread_since_ms, now_ms) if node.folders_unread else None,
        rejected_usual=min(known.rejected_usual, node.rejected),
        started_at_ms=node.started_at_ms,
        restarts=(0 if fresh else known.restarts) + int(restarted),
        restarts_since_ms=now_ms if fresh else known.restarts_since_ms,
    )


def _since(since_ms: int | None, now_ms: int) -> int:
    return now_ms if since_ms is None else since_ms


def _is_apart(node: NodeState, mark: Mark | None) -> bool:
    if mark is None or mark.epoch != node.epoch:
        return lag_of(node, mark) > 0
    return node.seq != mark.position


def stalls_of(
    node: NodeState, mark: Mark | None, course: Course, broker: BrokerSigns, now_ms: int, unread_days: float
) -> list[Finding]:
    """Return what does not move at a site that is heard; nothing is said of a site that is offline."""
    if is_offline(node.seen_at_ms, now_ms):
        return []
    found = [
        _apart(node, mark, course, broker, now_ms),
        _kept(node, course, now_ms),
        _disk(node),
        _rejects(node, course),
    ]
    if course.unread_since_ms is not None and now_ms - course.unread_since_ms >= unread_days * DAY_MS:
        found.append(_unread(node, course.unread_since_ms, now_ms))
    return [one for one in found if one is not None]


def _apart(node: NodeState, mark: Mark | None, course: Course, broker: BrokerSigns, now_ms: int) -> Finding | None:
    if course.apart_since_ms is None or now_ms - course.apart_since_ms < STALL_S * 1000:
        return None
    applied = mark.position if mark is not None and mark.epoch == node.epoch else 0
    minutes = (now_ms - course.apart_since_ms) // 60_000
    evidence = (
        Text(
            zh=f"站点在 {node.seq}，服务器确认到 {node.published}，县级处理到 {applied}，已 {minutes} 分钟不动",
            en=f"the site is at {node.seq}, the broker took {node.published}, applied are {applied};"
            f" nothing has moved for {Count(minutes):minute|minutes}",
        ),
    )
    if node.seq < applied:
        return Finding(site=node.site, kind=AlarmKind.REWOUND, cause=Cause.SITE, evidence=evidence)
    if node.published <= applied:
        faults = (Text(zh=f"站点报告：{node.faults}", en=f"the site reports: {node.faults}"),) if node.faults else ()
        return Finding(site=node.site, kind=AlarmKind.NOT_SENT, cause=Cause.SITE, evidence=(*evidence, *faults))
    if broker.pending:
        # The hub has work waiting: if it does none, that is an alarm about the hub.
        return None
    waiting = Text(zh="消息服务器上没有待处理的内容", en="nothing waits at the broker")
    return Finding(site=node.site, kind=AlarmKind.LOST_ON_THE_WAY, cause=Cause.BROKER, evidence=(*evidence, waiting))


def _kept(node: NodeState, course: Course, now_ms: int) -> Finding | None:
    if course.kept_since_ms is None or now_ms - course.kept_since_ms < STALL_S * 1000:
        return None
    minutes = (now_ms - course.kept_since_ms) // 60_000
    fact = Text(
        zh=f"县级已全部处理并发出回执，但站点仍留着 {node.outbox_frames} 帧，已 {minutes} 分钟不减",
        en=f"all is applied and receipts are sent, yet the site keeps {Count(node.outbox_frames):frame|frames} for"
        f" {minutes} min",
    )
    return Finding(site=node.site, kind=AlarmKind.UNCONFIRMED, cause=Cause.SITE, evidence=(fact,))


def _disk(node: NodeState) -> Finding | None:
    # A node that says nothing of its start is a sketch of one: its missing number is not a full disk.
    if node.disk_free_bytes >= DISK_LOW_BYTES or not node.started_at_ms:
        return None
    free = node.disk_free_bytes // (1024 * 1024)
    fact = Text(zh=f"磁盘只剩 {free} MB", en=f"{free} MB of disk are left")
    return Finding(site=node.site, kind=AlarmKind.DISK_LOW, cause=Cause.SITE, evidence=(fact,))


def _rejects(node: NodeState, course: Course) -> Finding | None:
    more = node.rejected - course.rejected_usual
    if more < max(REJECTS_JUMP_ROWS, REJECTS_JUMP_SHARE * node.records):
        return None
    fact = Text(
        zh=f"拒收行由 {course.rejected_usual} 增至 {node.rejected}：多半是表格换了样式",
        en=f"rejected rows went from {course.rejected_usual} to {node.rejected}: most often a sheet with a new layout",
    )
    return Finding(site=node.site, kind=AlarmKind.REJECTS_JUMPED, cause=Cause.SITE, evidence=(fact,))


def _unread(node: NodeState, since_ms: int, now_ms: int) -> Finding:
    days = (now_ms - since_ms) // DAY_MS
    fact = Text(
        zh=f"{node.folders_unread} 个目录已 {days} 天读不到：磁盘没插，或目录被换",
        en=f"{Count(node.folders_unread):folder|folders} could not be read for {Count(days):day|days}: unplugged, or"
        " another one in their place",
    )
    return Finding(site=node.site, kind=AlarmKind.FOLDER_UNREAD, cause=Cause.SITE, evidence=(fact,))


def hub_stall(county: str, broker: BrokerSigns, now_ms: int) -> Finding | None:
    """Return the finding about a hub that takes nothing although the stream has something for it."""
    if broker.still_since_ms is None or now_ms - broker.still_since_ms < HUB_STALL_S * 1000:
        return None
    seconds = (now_ms - broker.still_since_ms) // 1000
    fact = Text(
        zh=f"消息服务器上有 {broker.pending} 帧待处理，已 {seconds} 秒没有进展",
        en=f"{Count(broker.pending or 0):frame waits|frames wait} at the broker, and none was taken for {seconds}"
        " seconds",
    )
    return Finding(site=county, kind=AlarmKind.NOT_APPLIED, cause=Cause.HUB, evidence=(fact,))
