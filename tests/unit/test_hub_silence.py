"""Silence: who missed the window, by the hub's clock, and the likeliest cause."""

import datetime
import zoneinfo
from typing import Any

import msgspec
import pytest

from hub.alarm.alarm_settings import AlarmSettings
from hub.alarm.alarms import Cause, Finding
from hub.alarm.silence import Listening, rhythm_of, silences
from hub.alarm.stalls import Course
from hub.sites.board import Facts, NodeState
from protocol.rhythms import Rhythm, parse_hours

SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")
SETTINGS = AlarmSettings()
OFFICE = Rhythm(hours=(parse_hours("1-5 09:00-11:30"), parse_hours("1-5 14:00-17:00")))


def ms(day: int, hour: int, minute: int = 0) -> int:
    """A moment of November 2026; the 2nd is a Monday."""
    return int(datetime.datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI).timestamp() * 1000)


def site(code: str = "330523108204", seen_at_ms: int | None = None, **changes: Any) -> Facts:  # noqa: ANN401 - any field
    """An enrolled site that was last heard at a moment; never, without one."""
    node = None
    if seen_at_ms is not None:
        plain = NodeState(
            site=code,
            node="U",
            epoch="e1",
            seq=1,
            published=1,
            outbox_frames=0,
            records=1,
            withheld=0,
            rejected=0,
            warned=0,
            files=1,
            brakes_held=0,
            importing=False,
            disk_free_bytes=10**10,
            software="0.1",
            started_at_ms=5,
            seen_at_ms=seen_at_ms,
            rhythm=msgspec.json.encode(OFFICE).decode(),
        )
        node = msgspec.structs.replace(plain, **changes)
    return Facts(site=code, enrolled_nodes=1, node=node)


LONG = Listening(since_ms=ms(1, 0))


def judged(
    *facts: Facts, at_ms: int, listening: Listening = LONG, courses: dict[str, Course] | None = None
) -> list[Finding]:
    return silences(facts, courses or {}, listening, SETTINGS, at_ms)


def cause(*facts: Facts, at_ms: int, listening: Listening = LONG, courses: dict[str, Course] | None = None) -> Cause:
    return judged(*facts, at_ms=at_ms, listening=listening, courses=courses)[0].cause


def test_a_night_is_no_silence_and_a_missed_morning_is() -> None:
    one = site(seen_at_ms=ms(2, 17))

    assert judged(one, at_ms=ms(3, 8)) == []
    assert judged(one, at_ms=ms(3, 9, 14)) == []
    assert [found.site for found in judged(one, at_ms=ms(3, 9, 15))] == [one.site]


def test_a_weekend_is_no_silence() -> None:
    assert judged(site(seen_at_ms=ms(6, 17)), at_ms=ms(9, 9, 5)) == []


def test_a_clock_that_is_wrong_by_days_changes_nothing() -> None:
    """The node says that it lives in last month; the hub heard it a minute ago."""
    assert judged(site(seen_at_ms=ms(3, 10), clock_offset_ms=-30 * 86_400_000), at_ms=ms(3, 10, 1)) == []


def test_nobody_is_silent_while_the_hub_could_not_hear() -> None:
    """The county's server was off over lunch; the villages are given their window from its return on."""
    one, back = site(seen_at_ms=ms(3, 10)), Listening(since_ms=ms(3, 15))

    assert judged(one, at_ms=ms(3, 15, 10), listening=back) == []
    assert len(judged(one, at_ms=ms(3, 15, 16), listening=back)) == 1


def test_an_open_alarm_lasts_through_the_night_and_through_a_restart_of_the_hub() -> None:
    one = site(seen_at_ms=ms(2, 10))
    restarted = Listening(since_ms=ms(3, 2), open_alarms=frozenset({one.site}))

    assert len(judged(one, at_ms=ms(3, 3), listening=restarted)) == 1


def test_a_site_of_version_1_0_has_the_countys_usual_hours() -> None:
    """It declares nothing; what it does not declare cannot make it silent at night."""
    old = site(seen_at_ms=ms(2, 17), rhythm="")

    assert rhythm_of(old.node, SETTINGS) == SETTINGS.usual_rhythm
    assert judged(old, at_ms=ms(3, 8)) == []
    assert len(judged(old, at_ms=ms(3, 9, 15))) == 1


def test_a_rhythm_that_cannot_be_read_is_the_usual_one() -> None:
    assert rhythm_of(site(seen_at_ms=0, rhythm="{").node, SETTINGS) == SETTINGS.usual_rhythm


def test_a_site_that_was_revoked_is_not_called_silent() -> None:
    revoked = msgspec.structs.replace(site(seen_at_ms=ms(2, 10)), enrolled_nodes=0)

    assert judged(revoked, at_ms=ms(5, 10)) == []


def test_a_site_that_never_came_has_two_office_days() -> None:
    never = site()
    since = msgspec.structs.replace(LONG, enrolled_ms={never.site: ms(2, 9)})

    assert judged(never, at_ms=ms(3, 16, 59), listening=since) == []
    assert cause(never, at_ms=ms(3, 17), listening=since) is Cause.NEVER_SEEN


def test_a_refused_key_explains_a_silence_unless_the_site_was_heard_since() -> None:
    one = site(seen_at_ms=ms(3, 9))
    refused = msgspec.structs.replace(LONG, refused_ms={one.site: ms(3, 10)})
    before = msgspec.structs.replace(LONG, refused_ms={one.site: ms(3, 8)})

    assert cause(one, at_ms=ms(3, 11), listening=refused) is Cause.REJECTED_KEY
    assert cause(one, at_ms=ms(3, 11), listening=before) is Cause.POWER_OR_LINK


@pytest.mark.parametrize(
    ("changes", "guess"),
    [
        ({}, Cause.POWER_OR_LINK),
        ({"disk_free_bytes": 100 * 1024**2}, Cause.DISK),
        ({"disk_free_bytes": 0}, Cause.DISK),
        ({"clock_offset_ms": 3 * 86_400_000}, Cause.CLOCK),
        ({"clock_offset_ms": -3 * 86_400_000}, Cause.CLOCK),
        ({"faults": "publish_denied,link_stalled"}, Cause.LINK),
        ({"faults": "of_tomorrow"}, Cause.POWER_OR_LINK),
    ],
)
def test_what_a_site_said_last_explains_its_silence(changes: dict[str, Any], guess: Cause) -> None:
    assert cause(site(seen_at_ms=ms(3, 9), **changes), at_ms=ms(3, 11)) is guess


def test_a_program_that_said_goodbye_and_did_not_come_back_was_switched_off() -> None:
    assert cause(site(seen_at_ms=ms(3, 9), stopping=True), at_ms=ms(3, 11)) is Cause.STOPPED


def test_a_site_that_comes_by_courier_is_not_waited_for() -> None:
    one = site(seen_at_ms=ms(3, 9))
    carried = msgspec.structs.replace(one, comes_by_courier=True, courier_at_ms=ms(3, 9))
    listening = Listening(since_ms=0)
    assert [found.site for found in silences([one], {}, listening, SETTINGS, ms(3, 11))] == [one.site]
    assert silences([carried], {}, listening, SETTINGS, ms(3, 11)) == []


def test_a_program_that_restarted_again_and_again_is_the_suspect() -> None:
    one = site(seen_at_ms=ms(3, 9))

    assert cause(one, at_ms=ms(3, 11), courses={one.site: Course(site=one.site, restarts=4)}) is Cause.PROCESS


def town(number: int, count: int, seen_at_ms: int) -> list[Facts]:
    return [site(f"330523{number:03}{village:03}", seen_at_ms=seen_at_ms) for village in range(200, 200 + count)]


def test_a_whole_township_that_is_silent_points_to_its_line() -> None:
    silent, heard = town(108, 3, ms(3, 9)), town(109, 9, ms(3, 11))
    found = judged(*silent, *heard, at_ms=ms(3, 11))

    assert [one.cause for one in found] == [Cause.TOWN_LINK] * 3
    assert cause(*silent[:2], *heard, at_ms=ms(3, 11)) is Cause.POWER_OR_LINK


def test_one_village_that_is_heard_clears_the_townships_line() -> None:
    silent, heard = town(108, 3, ms(3, 9)), town(109, 9, ms(3, 11))
    neighbour = site("330523108300", seen_at_ms=ms(3, 11))

    assert cause(*silent, neighbour, *heard, at_ms=ms(3, 11)) is Cause.POWER_OR_LINK


def test_a_silent_county_is_the_countys_own_trouble() -> None:
    silent = town(108, 4, ms(3, 9)) + town(109, 4, ms(3, 9))
    found = judged(*silent, site("330523110200", seen_at_ms=ms(3, 11)), at_ms=ms(3, 11))

    assert {one.cause for one in found} == {Cause.COUNTY}
    assert found[0].evidence[0].zh == "此刻应在线的 9 个站点中 8 个失联"
