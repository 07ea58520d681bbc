"""Stalls that look healthy: what node, broker and watermark say together, and over time."""

import msgspec
import pytest

from hub.alarm.alarms import AlarmKind, Finding
from hub.alarm.stalls import DAY_MS, HUB_STALL_S, STALL_S, BrokerSigns, Course, course_after, hub_stall, stalls_of
from hub.sites.board import Mark, NodeState
from protocol.beats import Want
from protocol.limits import OFFLINE_AFTER_S

START_MS = 1_790_000_000_000
STALL_MS = int(STALL_S * 1000)
IDLE = BrokerSigns(is_connected=True, last=500, pending=0)
NODE = NodeState(
    site="330523108204",
    node="U",
    epoch="e1",
    seq=120,
    published=120,
    outbox_frames=1,
    records=1000,
    withheld=0,
    rejected=10,
    warned=0,
    files=1,
    brakes_held=0,
    importing=False,
    disk_free_bytes=10**10,
    software="0.1",
    started_at_ms=5,
    seen_at_ms=START_MS,
)
MARK = Mark(site=NODE.site, epoch="e1", position=120, want=Want.NOTHING, moved_at_ms=START_MS)


def node(**changes: object) -> NodeState:
    return msgspec.structs.replace(NODE, **changes)


def mark(position: int) -> Mark:
    return msgspec.structs.replace(MARK, position=position)


def found(
    looks: list[tuple[NodeState, Mark | None]],
    *,
    every_ms: int = STALL_MS,
    broker: BrokerSigns = IDLE,
    unread_days: float = 3.0,
) -> list[AlarmKind]:
    """Return what is found after some looks, each as long after the other; the site is heard at each of them."""
    course: Course | None = None
    stalls: list[Finding] = []
    now_ms = START_MS
    for seen, at in looks:
        seen = msgspec.structs.replace(seen, seen_at_ms=now_ms)  # noqa: PLW2901 - the same sign of life, heard now
        course = course_after(course, seen, at, now_ms)
        stalls = stalls_of(seen, at, course, broker, now_ms, unread_days)
        now_ms += every_ms
    return [one.kind for one in stalls]


def test_a_site_that_is_applied_and_empty_has_no_stall() -> None:
    assert found([(node(outbox_frames=0), MARK)] * 3) == []


def test_what_the_broker_took_and_does_not_have_is_lost_on_the_way() -> None:
    """Node at 120, broker acknowledged 120, watermark 100, nothing pending: no lag anywhere that would shrink."""
    assert found([(node(), mark(100))] * 2) == [AlarmKind.LOST_ON_THE_WAY]


def test_what_waits_at_the_broker_is_no_stall_of_the_site() -> None:
    assert found([(node(), mark(100))] * 2, broker=msgspec.structs.replace(IDLE, pending=3)) == []


def test_what_the_broker_never_took_cannot_be_sent() -> None:
    assert found([(node(published=100), mark(100))] * 2) == [AlarmKind.NOT_SENT]


def test_a_watermark_that_moves_is_no_stall() -> None:
    assert found([(node(), mark(90)), (node(), mark(100)), (node(), mark(110))]) == []


def test_an_outbox_that_does_not_shrink_although_all_is_applied_is_a_stall() -> None:
    assert found([(node(outbox_frames=7), MARK)] * 2) == [AlarmKind.UNCONFIRMED]
    assert found([(node(outbox_frames=7), MARK), (node(outbox_frames=3), MARK)]) == []


def test_a_site_that_stands_before_its_watermark_went_back() -> None:
    """The board counts its lag as 0."""
    assert found([(node(seq=80, published=80), mark(120))] * 2) == [AlarmKind.REWOUND]


def test_a_moment_is_no_stall() -> None:
    assert found([(node(), mark(100))] * 3, every_ms=30_000) == []


def test_time_offline_does_not_count_as_a_stall() -> None:
    """It was behind when it was switched off on Friday; on Monday it has just begun to catch up."""
    before = course_after(None, node(), mark(100), START_MS)
    asleep = course_after(before, node(), mark(100), START_MS + DAY_MS)
    back_ms = START_MS + 3 * DAY_MS
    back = node(seen_at_ms=back_ms)
    course = course_after(asleep, back, mark(100), back_ms)

    assert stalls_of(back, mark(100), course, IDLE, back_ms, 3.0) == []


def test_nothing_is_said_of_a_stall_at_a_site_that_is_offline() -> None:
    course = Course(site=NODE.site, apart_since_ms=0, epoch="e1", applied=100)
    late_ms = START_MS + int(OFFLINE_AFTER_S * 1000) + 1

    assert stalls_of(node(disk_free_bytes=1), mark(100), course, IDLE, late_ms, 3.0) == []


@pytest.mark.parametrize(("days", "kinds"), [(2, []), (3, [AlarmKind.FOLDER_UNREAD])])
def test_a_folder_that_nobody_could_read_for_days_is_told(days: int, kinds: list[AlarmKind]) -> None:
    looks: list[tuple[NodeState, Mark | None]] = [(node(outbox_frames=0, folders_unread=1), MARK)] * (days + 1)

    assert found(looks, every_ms=DAY_MS) == kinds


def test_a_jump_of_rejected_rows_is_told_and_a_large_site_may_reject_more() -> None:
    calm, jump = node(outbox_frames=0, rejected=10), node(outbox_frames=0, rejected=70)

    assert found([(calm, MARK), (jump, MARK)]) == [AlarmKind.REJECTS_JUMPED]
    large = [msgspec.structs.replace(one, records=10_000) for one in (calm, jump)]
    assert found([(one, MARK) for one in large]) == []


def test_a_disk_that_is_full_to_the_last_byte_is_told() -> None:
    """0 is the default of the field, so a real node is told by its start."""
    assert found([(node(outbox_frames=0, disk_free_bytes=0), MARK)]) == [AlarmKind.DISK_LOW]
    assert found([(node(outbox_frames=0, disk_free_bytes=0, started_at_ms=0), MARK)]) == []


def test_restarts_are_counted_over_a_day() -> None:
    course: Course | None = None
    for hour in range(4):
        course = course_after(course, node(started_at_ms=hour), MARK, START_MS + hour * 3_600_000)
    assert course is not None
    assert course.restarts == 3
    assert course_after(course, node(started_at_ms=3), MARK, START_MS + 2 * DAY_MS).restarts == 0


def test_a_hub_that_takes_nothing_although_frames_wait_is_found() -> None:
    still = BrokerSigns(is_connected=True, last=10, pending=4, still_since_ms=START_MS)
    late_ms = START_MS + int(HUB_STALL_S * 1000)

    assert hub_stall("330523000000", still, late_ms - 1) is None
    stalled = hub_stall("330523000000", still, late_ms)
    assert stalled is not None
    assert stalled.kind is AlarmKind.NOT_APPLIED
