"""When and how fast files may leave a site."""

import datetime
from zoneinfo import ZoneInfo

import pytest

from node.carriage_rules import CarriageRules, Pacer, rules_of
from node.config import parse
from node.night_window import parse_window
from protocol.errors import BadSetting, BadValue

SETTINGS = 'site = "330523108204"\nname = "某村"\n[hub]\nurls = ["tls://h:4222"]\n'
SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(hour: int, minute: int = 0) -> int:
    return int(datetime.datetime(2026, 11, 23, hour, minute, tzinfo=SHANGHAI).timestamp() * 1000)


@pytest.mark.parametrize(
    ("hours", "now", "begins"),
    [
        ("22:00-06:00", at(21, 59), at(22)),
        ("22:00-06:00", at(22), 0),
        ("22:00-06:00", at(3), 0),
        ("22:00-06:00", at(6), at(22)),
        ("12:00-13:30", at(13, 29), 0),
        ("12:00-13:30", at(13, 30), at(12) + 86_400_000),
        ("00:00-24:00", at(5), 0),
        ("", at(12), 0),
    ],
)
def test_files_leave_in_the_hours_that_are_set(hours: str, now: int, begins: int) -> None:
    rules = CarriageRules(parse_window(hours), "Asia/Shanghai", Pacer(0), lambda: now)

    assert rules.not_before_ms() == begins


@pytest.mark.parametrize("hours", ["22-06", "25:00-06:00", "06:00-06:00", "22:00", "22:00-24:30", "夜间"])
def test_hours_that_are_none_are_refused_with_an_example(hours: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_window(hours)

    assert "22:00-06:00" in caught.value.hint.zh


def test_the_settings_name_what_is_wrong_with_them() -> None:
    with pytest.raises(BadSetting, match=r"carriage\.hours"):
        parse(SETTINGS + '[carriage]\nhours = "at night"')


async def test_a_rate_is_kept_over_time_and_a_quiet_site_begins_with_a_second_of_it() -> None:
    now, slept = 0.0, 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now, slept
        now += seconds
        slept += seconds

    pacer = Pacer(1_000, clock=lambda: now, sleep=sleep)
    now += 60
    for _ in range(20):
        await pacer.let_pass(500)

    assert slept == pytest.approx(9.0)


async def test_without_a_rate_nobody_waits() -> None:
    rules = rules_of(parse(SETTINGS), lambda: at(12))
    await rules.pacer.let_pass(10**12)

    assert rules.not_before_ms() == 0
