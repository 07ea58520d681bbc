"""Silence: which sites are not heard although they promised to be, and the likeliest cause (promise 12).

Pure: what is known of all sites goes in, findings come out. A guess is made from what a site said last, from what the
broker refused, and from who else is silent. Causes that many sites share come first, because one phone call to the
township settles them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from hub.alarm.alarm_settings import AlarmSettings
from hub.alarm.alarms import AlarmKind, Cause, Finding
from hub.alarm.office_hours import is_open, open_s
from hub.alarm.stalls import DISK_LOW_BYTES, Course
from hub.sites.board import Facts, NodeState, is_by_courier, is_offline
from protocol.errors import BadValue
from protocol.rhythms import Rhythm, sound
from protocol.sites import Site, parse_site
from protocol.wording import Count, Text
from replication.faults import FaultKind

COUNTY_SHARE = 0.5
"""Share of the sites that should be heard now whose silence is the county's own trouble."""

COUNTY_SITES_MIN = 5
"""Sites that must be silent at least before the county is suspected."""

TOWN_SITES_MIN = 3
"""Sites of a township that must all be silent before its line is suspected."""

RESTARTS_MANY = 3
"""Restarts within a day that make a program suspicious; a shared PC is switched on once or twice."""

CLOCK_WRONG_MS = 24 * 3600 * 1000
"""Milliseconds of error from which on a clock may make a node distrust the county's certificate."""

_LINK_FAULTS = frozenset({FaultKind.LINK_LOST.value, FaultKind.LINK_STALLED.value, FaultKind.UNREACHABLE.value})


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub itself could hear: nobody is silent while nobody listens."""

    since_ms: int
    """Since when the hub has heard the broker without a break."""
    refused_ms: Mapping[str, int] = {}
    """Site to when the broker last refused a key of it."""
    enrolled_ms: Mapping[str, int] = {}
    """Site to when its present installation was enrolled."""
    open_alarms: frozenset[str] = frozenset()
    """Sites whose silence is an alarm already: it lasts until they are heard, also through the night."""


def rhythm_of(node: NodeState | None, settings: AlarmSettings) -> Rhythm:
    """Return when a site promises to be heard; the county's usual hours for one that says nothing."""
    if node is None or not node.rhythm:
        return settings.usual_rhythm
    try:
        return sound(msgspec.json.decode(node.rhythm, type=Rhythm))
    except msgspec.DecodeError:
        return settings.usual_rhythm


def silences(
    facts: Sequence[Facts],
    courses: Mapping[str, Course],
    listening: Listening,
    settings: AlarmSettings,
    now_ms: int,
) -> list[Finding]:
    """Return the sites that missed their window, each with the likeliest cause."""
    enrolled = [one for one in facts if one.enrolled_nodes]
    neighbours = _Neighbours(enrolled, settings, now_ms)
    found = []
    for one in enrolled:
        if _is_silent(one, listening, settings, now_ms):
            cause, evidence = _guess(one, courses.get(one.site), neighbours, listening, now_ms)
            found.append(Finding(site=one.site, kind=AlarmKind.SILENT, cause=cause, evidence=evidence))
    return found


def _is_silent(one: Facts, listening: Listening, settings: AlarmSettings, now_ms: int) -> bool:
    node, calendar = one.node, settings.calendar
    if is_by_courier(one):
        # Nobody expects to hear it: the board says of when its last bundle is.
        return False
    if node is not None and not is_offline(node.seen_at_ms, now_ms):
        return False
    if one.site in listening.open_alarms:
        return True
    rhythm, window_s = rhythm_of(node, settings), settings.missed_after_minutes * 60
    since_ms = max(node.seen_at_ms if node is not None else 0, listening.since_ms)
    if open_s(rhythm, calendar, since_ms, now_ms, window_s) < window_s:
        return False
    if node is not None:
        return True
    enrolled_ms, enough_s = listening.enrolled_ms.get(one.site, now_ms), settings.never_seen_after_hours * 3600
    return open_s(rhythm, calendar, enrolled_ms, now_ms, enough_s) >= enough_s


class _Neighbours:
    """Who should be heard now, and who of them is not: of the county and of each town."""

    def __init__(self, facts: Sequence[Facts], settings: AlarmSettings, now_ms: int) -> None:
        self.due = 0
        self.silent = 0
        self._town_due: dict[str, int] = defaultdict(int)
        self._town_silent: dict[str, int] = defaultdict(int)
        for one in facts:
            site, node = _site(one.site), one.node
            if (
                site is None
                or node is None
                or is_by_courier(one)
                or not is_open(rhythm_of(node, settings), settings.calendar, now_ms)
            ):
                continue
            offline = int(is_offline(node.seen_at_ms, now_ms))
            self.due += 1
            self.silent += offline
            self._town_due[site.town] += 1
            self._town_silent[site.town] += offline

    @property
    def is_county_silent(self) -> bool:
        """True if most of the county is not heard."""
        return self.silent >= COUNTY_SITES_MIN and self.silent >= COUNTY_SHARE * self.due

    def town(self, code: str) -> tuple[int, int]:
        """Return how many sites of a site's town are silent, and how many should be heard."""
        site = _site(code)
        return (0, 0) if site is None else (self._town_silent[site.town], self._town_due[site.town])


def _site(code: str) -> Site | None:
    try:
        return parse_site(code)
    except BadValue:
        return None


def _guess(
    one: Facts, course: Course | None, neighbours: _Neighbours, listening: Listening, now_ms: int
) -> tuple[Cause, tuple[Text, ...]]:
    node = one.node
    refused_ms = listening.refused_ms.get(one.site, 0)
    if refused_ms > (node.seen_at_ms if node is not None else 0):
        minutes = (now_ms - refused_ms) // 60_000
        fact = Text(
            zh=f"{minutes} 分钟前服务器拒绝了该站密钥",
            en=f"the broker refused its key {Count(minutes):minute|minutes} ago",
        )
        return Cause.REJECTED_KEY, (fact,)
    if node is None:
        return Cause.NEVER_SEEN, ()
    if neighbours.is_county_silent:
        return Cause.COUNTY, (
            Text(
                zh=f"此刻应在线的 {neighbours.due} 个站点中 {neighbours.silent} 个失联",
                en=f"{neighbours.silent} of the {Count(neighbours.due):site|sites} that should be heard now are silent",
            ),
        )
    silent, due = neighbours.town(one.site)
    if silent >= TOWN_SITES_MIN and silent == due:
        fact = Text(zh=f"本乡镇 {due} 个站点全部失联", en=f"all {Count(due):site|sites} of the township are silent")
        return Cause.TOWN_LINK, (fact,)
    return _guess_alone(node, course)


def _guess_alone(node: NodeState, course: Course | None) -> tuple[Cause, tuple[Text, ...]]:
    """Guess from what the site itself said last."""
    if node.stopping:
        return Cause.STOPPED, ()
    if node.disk_free_bytes < DISK_LOW_BYTES and node.started_at_ms:
        free = node.disk_free_bytes // (1024 * 1024)
        return Cause.DISK, (Text(zh=f"失联前磁盘只剩 {free} MB", en=f"{free} MB of disk were left"),)
    if course is not None and course.restarts >= RESTARTS_MANY:
        fact = Text(
            zh=f"失联前一天内重启 {course.restarts} 次",
            en=f"it had restarted {Count(course.restarts):time|times} in a day",
        )
        return Cause.PROCESS, (fact,)
    if abs(node.clock_offset_ms or 0) > CLOCK_WRONG_MS:
        days = round((node.clock_offset_ms or 0) / CLOCK_WRONG_MS, 1)
        return Cause.CLOCK, (Text(zh=f"电脑时钟偏差 {days:+} 天", en=f"its clock was off by {days:+} days"),)
    if _LINK_FAULTS & set(node.faults.split(",")):
        return Cause.LINK, (Text(zh=f"失联前的线路故障：{node.faults}", en=f"faults of its link: {node.faults}"),)
    return Cause.POWER_OR_LINK, ()
