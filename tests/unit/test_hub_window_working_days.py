"""Working days by the State Council's notices, and what is said where there is none yet."""

import datetime

import pytest

from hub.alarm.office_hours import Calendar
from hub.window.working_days import UNPUBLISHED, WorkCalendar, after, between, official, warning_of

OFFICIAL = official(Calendar())
DAY = datetime.timedelta(days=1)


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "is_worked"),
    [
        ("2026-01-01", False),  # New Year
        ("2026-01-04", True),  # a Sunday worked for it
        ("2026-02-14", True),  # a Saturday worked for the Spring Festival
        ("2026-02-17", False),
        ("2026-02-28", True),
        ("2026-05-09", True),
        ("2026-09-20", True),
        ("2026-10-01", False),
        ("2026-10-10", True),
        ("2026-10-11", False),  # a Sunday
        ("2026-10-12", True),
    ],
)
def test_days_of_2026(text: str, is_worked: bool) -> None:
    assert OFFICIAL.is_worked(day(text)) is is_worked


@pytest.mark.parametrize(
    ("begins", "days", "ends"),
    [
        ("2026-03-02", 4, "2026-03-06"),
        ("2026-03-05", 4, "2026-03-11"),  # over a weekend
        ("2026-02-13", 4, "2026-02-26"),  # the worked Saturday counts, then nine days off
        ("2026-09-30", 4, "2026-10-12"),  # National Day; the worked Saturday counts
        ("2026-03-07", 1, "2026-03-09"),  # begins on a Saturday
        ("2026-03-02", 0, "2026-03-02"),
    ],
)
def test_a_term_ends_on_its_last_working_day(begins: str, days: int, ends: str) -> None:
    assert after(OFFICIAL, day(begins), days) == day(ends)


def test_counting_is_the_reverse_of_reckoning() -> None:
    begins = day("2026-01-30")

    assert [between(OFFICIAL, begins, after(OFFICIAL, begins, count)) for count in range(40)] == list(range(40))


def test_nothing_lies_between_a_day_and_itself_or_one_before() -> None:
    assert [between(OFFICIAL, day("2026-03-03"), day(text)) for text in ("2026-03-03", "2026-02-01")] == [0, 0]


def test_a_year_that_is_not_published_is_warned_of() -> None:
    """The year behind the last published one has no make-up days yet: only weekends count, and that is said."""
    last = max(OFFICIAL.years)
    first_day = datetime.date(last + 1, 1, 4)
    warned = warning_of(OFFICIAL, datetime.date(last, 12, 28), first_day)

    assert warned is not None
    assert (warned.name, str(last + 1) in warned.words.zh, str(last + 1) in warned.words.en) == (
        UNPUBLISHED,
        True,
        True,
    )
    assert [OFFICIAL.is_worked(first_day + DAY * n) for n in range(7)] == [
        (first_day + DAY * n).isoweekday() < 6 for n in range(7)
    ]


def test_a_clerk_is_told_whom_to_ask_and_an_administrator_what_to_do() -> None:
    last = max(OFFICIAL.years)
    warned = warning_of(OFFICIAL, datetime.date(last, 12, 28), datetime.date(last + 1, 1, 4))

    assert warned is not None
    assert "hub.toml" not in warned.words.both() + warned.ask.both()
    assert ("管理员" in warned.ask.zh, "hub.toml" in warned.remedy.zh, "hub.toml" in warned.remedy.en) == (True,) * 3


def test_a_published_year_is_not_warned_of() -> None:
    assert warning_of(OFFICIAL, day("2026-01-01"), day("2026-12-31")) is None


def test_the_countys_own_days_go_before_and_make_their_year_known() -> None:
    county = Calendar(
        holidays=frozenset((day("2026-03-03"), day("2026-02-14"), day("2031-02-03"))),
        workdays=frozenset((day("2026-03-07"), day("2026-10-01"))),
    )
    made = official(county)

    assert [made.is_worked(day(text)) for text in ("2026-03-03", "2026-02-14", "2026-03-07", "2026-10-01")] == [
        *(False, False, True, True)
    ]
    assert warning_of(made, day("2031-02-01"), day("2031-02-10")) is None


def test_without_any_notice_weekends_still_count() -> None:
    assert after(WorkCalendar(), day("2026-10-01"), 2) == day("2026-10-05")
