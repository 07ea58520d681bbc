"""Office time: nights, weekends and holidays do not count, whatever the site's clock says."""

import datetime
import zoneinfo

from hypothesis import given
from hypothesis import strategies as st

from hub.alarm.office_hours import DAYS_COUNTED_MAX, Calendar, is_open, open_s, zone_of
from protocol.rhythms import OfficeHours, Rhythm, parse_hours

SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")
OFFICE = Rhythm(hours=(parse_hours("1-5 09:00-11:30"), parse_hours("1-5 14:00-17:00")))
ALWAYS = Rhythm()
PLAIN = Calendar()
HOUR = 3600


def ms(day: int, hour: int, minute: int = 0, month: int = 11) -> int:
    """A moment of 2026 in Shanghai; 2 November 2026 is a Monday."""
    return int(datetime.datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI).timestamp() * 1000)


def test_only_office_hours_count() -> None:
    assert open_s(OFFICE, PLAIN, ms(2, 8), ms(2, 18)) == 5.5 * HOUR
    assert open_s(OFFICE, PLAIN, ms(2, 10), ms(2, 15)) == 2.5 * HOUR
    assert open_s(OFFICE, PLAIN, ms(2, 12), ms(2, 14)) == 0


def test_a_weekend_does_not_count() -> None:
    friday_evening, monday_morning = ms(6, 17), ms(9, 9)

    assert open_s(OFFICE, PLAIN, friday_evening, monday_morning) == 0
    assert open_s(OFFICE, PLAIN, friday_evening, ms(9, 9, 15)) == 900


def test_holidays_do_not_count_and_worked_weekends_do() -> None:
    calendar = Calendar(
        holidays=frozenset({datetime.date(2026, 11, 2)}), workdays=frozenset({datetime.date(2026, 11, 7)})
    )

    assert open_s(OFFICE, calendar, ms(2, 0), ms(3, 0)) == 0
    assert open_s(OFFICE, calendar, ms(7, 0), ms(8, 0)) == 5.5 * HOUR


def test_a_site_without_hours_is_expected_round_the_clock() -> None:
    holidays = Calendar(holidays=frozenset({datetime.date(2026, 11, 2)}))

    assert open_s(ALWAYS, holidays, ms(2, 1), ms(3, 1)) == 24 * HOUR


def test_overlapping_hours_count_once() -> None:
    twice = Rhythm(hours=(parse_hours("1 09:00-12:00"), parse_hours("1 10:00-13:00"), parse_hours("1 09:30-10:00")))

    assert open_s(twice, PLAIN, ms(2, 0), ms(3, 0)) == 4 * HOUR


def test_hours_are_those_of_the_sites_own_zone() -> None:
    urumqi = Rhythm(hours=(parse_hours("1-5 10:00-18:00"),), time_zone="Asia/Urumqi")

    assert [is_open(urumqi, PLAIN, ms(2, hour)) for hour in (10, 12, 19, 20)] == [False, True, True, False]


def test_a_zone_that_nobody_knows_counts_as_chinas() -> None:
    assert [zone_of(name) for name in ("No/Where", "../../etc/passwd", "")] == [zone_of("Asia/Shanghai")] * 3


def test_summer_time_changes_the_length_of_a_day() -> None:
    berlin = Rhythm(time_zone="Europe/Berlin")
    begins = datetime.datetime(2026, 3, 29, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
    ends = datetime.datetime(2026, 3, 30, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))

    assert open_s(berlin, PLAIN, int(begins.timestamp() * 1000), int(ends.timestamp() * 1000)) == 23 * HOUR


def test_counting_stops_when_there_is_enough_and_never_goes_back_for_ever() -> None:
    assert HOUR <= open_s(ALWAYS, PLAIN, 0, ms(2, 0), enough_s=HOUR) <= 24 * HOUR
    assert open_s(ALWAYS, PLAIN, 0, ms(2, 0)) <= (DAYS_COUNTED_MAX + 1) * 24 * HOUR


SPANS = st.builds(
    lambda day, opens, length: OfficeHours(days=(day,), opens=opens, closes=min(1440, opens + length)),
    st.integers(1, 7),
    st.integers(0, 1439),
    st.integers(1, 1440),
)


@given(
    hours=st.lists(SPANS, max_size=6),
    moments=st.lists(st.integers(ms(1, 0), ms(28, 0)), min_size=3, max_size=3).map(sorted),
)
def test_office_time_adds_up(hours: list[OfficeHours], moments: list[int]) -> None:
    """What is counted up to a moment and from it on is what is counted at once, and never more than the time itself."""
    rhythm, (first, middle, last) = Rhythm(hours=tuple(hours)), moments
    whole = open_s(rhythm, PLAIN, first, last)

    assert abs(open_s(rhythm, PLAIN, first, middle) + open_s(rhythm, PLAIN, middle, last) - whole) < 0.001
    assert 0 <= whole <= (last - first) / 1000
