"""Rhythms: office hours as people write them, and tolerance towards what another version sends."""

import msgspec
import pytest

from protocol.errors import BadValue
from protocol.limits import OFFICE_HOURS_MAX
from protocol.rhythms import OfficeHours, Rhythm, parse_hours, sound


def test_office_hours_are_read_as_people_write_them() -> None:
    assert parse_hours(" 1-5 08:30-17:30 ") == OfficeHours(days=(1, 2, 3, 4, 5), opens=510, closes=1050)
    assert parse_hours("7 00:00-24:00") == OfficeHours(days=(7,), opens=0, closes=1440)


@pytest.mark.parametrize("written", ["", "1-5", "8 09:00-10:00", "5-1 09:00-10:00", "1 10:00-09:00", "1 09:00-25:00"])
def test_what_is_no_office_hours_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(BadValue) as refused:
        parse_hours(written)
    assert "1-5 08:30-17:30" in refused.value.hint.en


def test_senseless_hours_of_another_version_are_left_out() -> None:
    good = OfficeHours(days=(1,), opens=60, closes=120)
    bad = (OfficeHours(days=(), opens=1, closes=2), OfficeHours(days=(9,), opens=1, closes=2))
    backwards = OfficeHours(days=(1,), opens=5, closes=5)

    assert sound(Rhythm(hours=(*bad, good, backwards))).hours == (good,)
    assert len(sound(Rhythm(hours=(good,) * 1000)).hours) == OFFICE_HOURS_MAX


def test_rhythm_of_a_later_version_is_read() -> None:
    raw = b'{"hours":[{"days":[1],"opens":1,"closes":2,"lunch":true}],"moon":"full"}'

    assert msgspec.json.decode(raw, type=Rhythm).hours == (OfficeHours(days=(1,), opens=1, closes=2),)
