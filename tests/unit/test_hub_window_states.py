"""Every step from every state: written out here a second time, so that a slip in the table is seen."""

import pytest

from hub.window.requests import Move, Standing, possible, stepped
from hub.window.states import ENDED, STATES, STEPS, TABLE, WORKING, State, Step
from protocol.errors import Refused

S = State
ALWAYS = {Step.LINK_CASE: None}
WORKED = {Step.EXTEND: None, Step.PAUSE: None}
MORE = {Step.ASK_SUPPLEMENT: S.SUPPLEMENT_REQUESTED}
GONE = {Step.WITHDRAW: S.WITHDRAWN}

EXPECTED: dict[State, dict[Step, State | None]] = {
    S.DRAFTED: {Step.AMEND: None, Step.SUBMIT: S.SUBMITTED, Step.EXPIRE: S.EXPIRED, **GONE},
    S.SUBMITTED: {
        Step.AMEND: None,
        Step.CHECK_IDENTITY: S.IDENTITY_CHECKED,
        Step.REFUSE: S.REFUSED,
        **MORE,
        **GONE,
        **WORKED,
    },
    S.IDENTITY_CHECKED: {Step.AMEND: None, Step.ACCEPT: S.ACCEPTED, Step.REFUSE: S.REFUSED, **MORE, **GONE, **WORKED},
    S.ACCEPTED: {Step.AMEND: None, Step.ROUTE: S.ROUTED, **MORE, **GONE, **WORKED},
    S.REFUSED: {Step.CLOSE: S.CLOSED},
    S.ROUTED: {Step.SEARCH: S.SEARCHING, **GONE, **WORKED},
    S.SEARCHING: {
        Step.ROUTE: S.ROUTED,
        Step.FIND: S.FOUND,
        Step.FIND_PART: S.PARTIAL,
        Step.FIND_NOTHING: S.NOT_FOUND,
        **GONE,
        **WORKED,
    },
    S.FOUND: {
        Step.AMEND: None,
        Step.ROUTE: S.ROUTED,
        Step.FIND_NOTHING: S.NOT_FOUND,
        Step.REVIEW_ACCESS: S.ACCESS_REVIEW,
        **MORE,
        **GONE,
        **WORKED,
    },
    S.PARTIAL: {
        Step.AMEND: None,
        Step.ROUTE: S.ROUTED,
        Step.FIND: S.FOUND,
        Step.FIND_NOTHING: S.NOT_FOUND,
        Step.REVIEW_ACCESS: S.ACCESS_REVIEW,
        **MORE,
        **GONE,
        **WORKED,
    },
    S.NOT_FOUND: {
        Step.AMEND: None,
        Step.ROUTE: S.ROUTED,
        Step.FIND: S.FOUND,
        Step.FIND_PART: S.PARTIAL,
        Step.CERTIFY: S.CERTIFYING,
        Step.DELIVER: S.DELIVERED,
        **MORE,
        **GONE,
        **WORKED,
    },
    S.ACCESS_REVIEW: {Step.APPROVE: S.APPROVED, Step.DENY: S.DENIED, **MORE, **GONE, **WORKED},
    S.APPROVED: {
        Step.CERTIFY: S.CERTIFYING,
        Step.DELIVER: S.DELIVERED,
        Step.EXPIRE: S.EXPIRED,
        **GONE,
        **WORKED,
    },
    S.DENIED: {Step.CLOSE: S.CLOSED, Step.REOPEN: S.SEARCHING},
    S.CERTIFYING: {Step.ISSUE: S.ISSUED, **GONE, **WORKED},
    S.ISSUED: {
        Step.CERTIFY_AGAIN: S.CERTIFYING,
        Step.DELIVER: S.DELIVERED,
        Step.EXPIRE: S.EXPIRED,
        **WORKED,
    },
    S.DELIVERED: {Step.CERTIFY_AGAIN: S.CERTIFYING, Step.CLOSE: S.CLOSED, Step.REOPEN: S.SEARCHING},
    S.CLOSED: {Step.REOPEN: S.SEARCHING},
    S.WITHDRAWN: {},
    S.EXPIRED: {},
    S.SUPPLEMENT_REQUESTED: {
        Step.AMEND: None,
        Step.SUPPLEMENT: S.SUBMITTED,
        Step.EXPIRE: S.EXPIRED,
        **GONE,
    },
}
"""None: the state stays. The request was everywhere before, and waits with its papers from when it was submitted."""


def standing(state: State) -> Standing:
    return Standing(
        state=state,
        seq=7,
        since_ms=0,
        before=State.SUBMITTED if state is State.SUPPLEMENT_REQUESTED else None,
        past=frozenset(State),
        accepted_by="lin.min",
    )


def move(step: Step) -> Move:
    return Move(step=step, who="wu.hai", at_ms=1, reason="理由", days=3 if step is Step.EXTEND else 0)


@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("state", list(State))
def test_a_step_leads_where_it_should_or_is_refused_with_what_is_possible(state: State, step: Step) -> None:
    expected = {**EXPECTED[state], **ALWAYS}
    if step in expected:
        line = stepped(standing(state), move(step))

        assert (line.state, line.seq) == (expected[step] or state, 8)
        return
    with pytest.raises(Refused) as refused:
        stepped(standing(state), move(step))

    assert (STATES[state].zh in refused.value.reason.zh, STEPS[step].en in refused.value.reason.en) == (True, True)


@pytest.mark.parametrize("state", list(State))
def test_what_is_possible_is_what_is_not_refused(state: State) -> None:
    assert set(possible(standing(state))) == set(EXPECTED[state]) | set(ALWAYS)


@pytest.mark.parametrize(
    ("step", "needed"), [(step, allowed.needs_past) for step, allowed in TABLE.items() if allowed.needs_past]
)
def test_a_step_that_needs_a_past_is_refused_without_it(step: Step, needed: State) -> None:
    """A request that was refused at the door is not searched for by opening it again."""
    origin = min(TABLE[step].origins)
    without = Standing(
        state=origin, seq=3, since_ms=0, before=None, past=frozenset(State) - {needed}, accepted_by="lin.min"
    )

    with pytest.raises(Refused):
        stepped(without, move(step))


def test_every_state_and_step_has_words_in_both_languages() -> None:
    said = [*STATES.values(), *STEPS.values()]

    assert (set(STATES), set(STEPS), all(one.zh and one.en for one in said)) == (set(State), set(Step), True)


def test_ended_and_working_states_do_not_meet() -> None:
    assert frozenset() == ENDED & WORKING
