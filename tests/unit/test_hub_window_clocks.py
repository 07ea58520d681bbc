"""The clock of a request: what is used, when it ends, who is told; every day here is one of 2026."""

import datetime

import pytest

from hub.alarm.office_hours import Calendar
from hub.window.clocks import PHASE_OF, Deadline, Phase, Told, Urgency, deadline
from hub.window.settings import WindowSettings
from hub.window.states import ENDED, State, Step
from hub.window.working_days import UNPUBLISHED, official
from protocol.county_time import day_of
from tests.window import TO_FOUND, Taken, at, history

CALENDAR, TERMS = official(Calendar()), WindowSettings()
SEARCHING = TO_FOUND[:5]


def march(number: int) -> datetime.date:
    """A day of March 2026; the second is a Monday."""
    return datetime.date(2026, 3, number)


def on(today: datetime.date, *steps: Taken) -> Deadline:
    found = deadline(history(*steps), TERMS, CALENDAR, today)

    assert found is not None
    return found


def searched_since(day: datetime.date) -> list[Taken]:
    return [(step, day) for step in SEARCHING]


@pytest.mark.parametrize(
    ("today", "used", "urgency", "tell", "late"),
    [
        (2, 0, Urgency.ON_TIME, (), 0),
        (4, 2, Urgency.ON_TIME, (), 0),
        (5, 3, Urgency.DUE_SOON, (Told.HANDLER,), 0),
        (6, 4, Urgency.DUE_SOON, (Told.HANDLER,), 0),
        (7, 4, Urgency.OVERDUE, (Told.HANDLER, Told.HEAD), 0),
        (9, 5, Urgency.OVERDUE, (Told.HANDLER, Told.HEAD), 1),
        (10, 6, Urgency.OVERDUE, (Told.HANDLER, Told.HEAD), 2),
        (11, 7, Urgency.OVERDUE, (Told.HANDLER, Told.HEAD, Told.LEADER), 3),
    ],
)
def test_four_working_days_to_search(
    today: int, used: int, urgency: Urgency, tell: tuple[Told, ...], late: int
) -> None:
    found = on(march(today), *searched_since(march(2)))

    assert (found.phase, found.term_days, found.due) == (Phase.SEARCH, 4, march(6))
    assert (found.used_days, found.urgency, found.tell, found.late_days) == (used, urgency, tell, late)


def test_a_pause_does_not_count_and_what_was_used_stays_used() -> None:
    steps = [*searched_since(march(2)), (Step.PAUSE, march(4)), (Step.RESUME, march(11))]
    standing, gone_on = on(march(9), *steps[:-1]), on(march(12), *steps)

    assert (standing.urgency, standing.due, standing.used_days, standing.tell) == (Urgency.PAUSED, None, 2, ())
    assert (gone_on.used_days, gone_on.due) == (3, march(13))


def test_papers_that_are_waited_for_are_the_applicants_time() -> None:
    steps: list[Taken] = [(Step.SUBMIT, march(2)), (Step.ASK_SUPPLEMENT, march(2)), (Step.SUPPLEMENT, march(10))]
    waiting, back = on(march(9), *steps[:-1]), on(march(10), *steps)

    assert (waiting.phase, waiting.urgency, waiting.due) == (Phase.SUPPLEMENT, Urgency.APPLICANT, march(16))
    assert (back.phase, back.used_days, back.due) == (Phase.ACCEPTANCE, 0, march(11))


def test_a_supplement_that_never_comes_lapses() -> None:
    steps: list[Taken] = [(Step.SUBMIT, march(2)), (Step.ASK_SUPPLEMENT, march(2))]

    assert [on(march(day), *steps).urgency for day in (16, 17)] == [Urgency.APPLICANT, Urgency.LAPSED]


def test_an_extension_adds_to_the_term_of_its_phase_alone() -> None:
    steps = [*searched_since(march(2)), (Step.EXTEND, march(5), "卷多", 3)]
    longer, told = on(march(6), *steps), on(march(6), *steps, (Step.FIND, march(6)))

    assert (longer.term_days, longer.due) == (7, march(11))
    assert (told.phase, told.term_days, told.due) == (Phase.TELLING, 2, march(10))


def test_a_further_question_begins_a_new_search() -> None:
    steps = [*searched_since(march(2)), (Step.FIND, march(5)), (Step.ROUTE, march(9))]

    assert on(march(9), *steps).due == march(13)


def test_a_clock_that_was_put_back_gives_no_days_away() -> None:
    lines = history(*searched_since(march(5)), (Step.PAUSE, march(3)), (Step.RESUME, march(3)))
    found = deadline(lines, TERMS, CALENDAR, march(5))

    assert found is not None
    assert (found.used_days, found.due) == (0, march(11))


def test_the_days_off_of_spring_festival_do_not_count() -> None:
    found = on(datetime.date(2026, 2, 20), *searched_since(datetime.date(2026, 2, 13)))

    assert (found.used_days, found.due, found.warning) == (1, datetime.date(2026, 2, 26), None)


def test_a_term_into_a_year_that_is_not_published_is_marked() -> None:
    last = max(CALENDAR.years)
    found = on(datetime.date(last, 12, 30), *searched_since(datetime.date(last, 12, 30)))

    assert found.warning is not None
    assert found.warning.name == UNPUBLISHED


def test_a_term_of_one_day_is_due_soon_on_its_last_day_only() -> None:
    submitted: Taken = (Step.SUBMIT, march(2))

    assert [on(march(day), submitted).urgency for day in (2, 3, 4)] == [
        *(Urgency.ON_TIME, Urgency.DUE_SOON, Urgency.OVERDUE)
    ]


@pytest.mark.parametrize("state", sorted(ENDED | {State.DELIVERED}))
def test_nothing_is_owed_where_a_request_has_ended(state: State) -> None:
    assert state not in PHASE_OF


def test_every_other_state_has_a_term() -> None:
    assert set(PHASE_OF) == set(State) - ENDED - {State.DELIVERED}


@pytest.mark.parametrize(("hour", "day"), [(0, 2), (7, 2), (23, 2)])
def test_days_are_those_of_china(hour: int, day: int) -> None:
    assert day_of(at(march(2), hour)) == march(day)
