"""Requests under any order of steps, also forbidden and repeated ones.

The history folds to what the store says, no forbidden step is ever in it, and the clock only goes forward.
"""

import datetime
from collections import Counter
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import create_engine

from hub import audit
from hub.alarm.office_hours import Calendar
from hub.staff.account_tables import metadata as account_metadata
from hub.staff.administration import Actor
from hub.window import desk, ledger
from hub.window.clocks import OF_THE_APPLICANT, PHASE_OF, Urgency, deadline
from hub.window.dispute_counts import SMALL, shown
from hub.window.requests import HistoryLine, Move, first_line, fold, possible, stepped
from hub.window.settings import WindowSettings
from hub.window.states import TABLE, Back, State, Step
from hub.window.tables import metadata
from hub.window.working_days import after, between, official
from protocol.audit_chain import FIRST, first_broken
from protocol.county_time import day_of
from protocol.errors import Permanent
from tests.window import DAY_MS, KEY, MONDAY, NOW_MS, at, draft, uuid

CALENDAR, TERMS = official(Calendar()), WindowSettings()
ACTORS = (Actor(who="lin.min"), Actor(who="wu.hai"), Actor(who="hub:lookup"))
FREE = [step for step in Step if step not in (Step.DRAFT, Step.AMEND, Step.LINK_CASE)]
CHECKED_FIRST = frozenset(State) - {
    *(State.DRAFTED, State.SUBMITTED, State.IDENTITY_CHECKED, State.REFUSED, State.WITHDRAWN, State.EXPIRED),
    *(State.SUPPLEMENT_REQUESTED, State.CLOSED),
}
"""States that nobody reaches whose identity was not checked."""


class RequestMachine(RuleBasedStateMachine):
    """One request at the desk, and whoever presses buttons."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self._engine = create_engine(f"sqlite:///{Path(self._folder.name) / 'requests.db'}")
        self._connection = self._engine.connect()
        metadata.create_all(self._connection)
        account_metadata.create_all(self._connection)
        self.now_ms = NOW_MS
        self.refusals = 0
        desk.draft(self._connection, ACTORS[0], draft(), KEY, self.now_ms)

    def teardown(self) -> None:
        self._connection.close()
        self._engine.dispose()
        self._folder.cleanup()

    @property
    def history(self) -> tuple[HistoryLine, ...]:
        return ledger.present(self._connection, uuid(1)).history

    @rule(hours=st.integers(min_value=0, max_value=90))
    def time_passes(self, hours: int) -> None:
        self.now_ms += hours * DAY_MS // 24

    @rule(step=st.sampled_from(FREE), actor=st.sampled_from(ACTORS), reason=st.sampled_from(["", "理由", "另一理由"]))
    def anybody_tries_anything(self, step: Step, actor: Actor, reason: str) -> None:
        before = self.history
        try:
            desk.take(self._connection, actor, uuid(1), step, self.now_ms, reason=reason, days=2)
        except Permanent:
            assert self.history == before

    @rule(data=st.data())
    def somebody_does_what_is_possible(self, data: st.DataObject) -> None:
        """Else the walk would hardly leave the first states."""
        able = [
            step for step in possible(fold(self.history)) if step in FREE and step not in (Step.WITHDRAW, Step.EXPIRE)
        ]
        if not able:
            return
        step, before = data.draw(st.sampled_from(able)), self.history
        who = ACTORS[1] if step in (Step.APPROVE, Step.DENY) else ACTORS[0]
        desk.take(self._connection, who, uuid(1), step, self.now_ms, reason="理由", days=2)
        after_it = self.history
        assert after_it[:-1] == before
        if step not in possible(fold(after_it)):
            desk.take(self._connection, who, uuid(1), step, self.now_ms, reason="理由", days=2)
            assert self.history == after_it

    @rule()
    def the_draft_comes_again(self) -> None:
        before = self.history
        desk.draft(self._connection, ACTORS[1], draft(), KEY, self.now_ms)
        assert self.history == before

    @invariant()
    def the_history_folds_to_the_state(self) -> None:
        one = ledger.present(self._connection, uuid(1))
        (listed,) = ledger.listed(self._connection, limit=10)

        assert (one.standing, listed.standing) == (fold(one.history), one.standing)
        (stored,) = ledger.listed(self._connection, limit=10)
        assert stored.standing.state is one.standing.state

    @invariant()
    def no_forbidden_step_is_in_the_history(self) -> None:
        history = self.history
        assert [line.seq for line in history] == list(range(1, len(history) + 1))
        for place, line in enumerate(history[1:], 1):
            before, allowed = fold(history[:place]), TABLE[line.step]
            target = before.state if allowed.target is None else allowed.target
            assert before.state in allowed.origins
            assert line.state is (before.before if isinstance(target, Back) else target)
            assert bool(line.reason) or not allowed.needs_reason

    @invariant()
    def nobody_goes_on_unchecked_and_nothing_leaves_unapproved(self) -> None:
        standing = fold(self.history)
        past = standing.past | {standing.state}
        if past & CHECKED_FIRST:
            assert {State.IDENTITY_CHECKED, State.ACCEPTED} <= past
        if State.ISSUED in past:
            assert past & {State.APPROVED, State.NOT_FOUND}
        decided = [line for line in self.history if line.step in (Step.APPROVE, Step.DENY)]
        assert all(line.who != standing.accepted_by for line in decided)

    @invariant()
    def every_step_has_its_line_in_the_log(self) -> None:
        lines = audit.LOG.after(self._connection, 0)

        assert len(lines) == len(self.history)
        assert first_broken(lines, 0, FIRST) is None

    @invariant()
    def the_clock_goes_forward(self) -> None:
        history = self.history
        today = max(day_of(self.now_ms), day_of(history[-1].at_ms))
        days = [today + datetime.timedelta(days=more) for more in range(12)]
        found = [deadline(history, TERMS, CALENDAR, day) for day in days]
        if history[-1].state not in PHASE_OF:
            assert found == [None] * len(days)
            return
        terms = [one for one in found if one is not None]
        assert len(terms) == len(days)
        assert [one.used_days for one in terms] == sorted(one.used_days for one in terms)
        assert {(one.due, one.phase, one.term_days) for one in terms} == {
            (terms[0].due, terms[0].phase, terms[0].term_days)
        }
        for day, one in zip(days, terms, strict=True):
            is_late = one.due is not None and day > one.due
            assert (one.urgency in (Urgency.OVERDUE, Urgency.LAPSED)) == is_late
            assert not (one.tell and (one.phase in OF_THE_APPLICANT or one.urgency is Urgency.PAUSED))


TestRequests = RequestMachine.TestCase
TestRequests.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)


@settings(deadline=None, max_examples=60)
@given(
    first=st.dates(datetime.date(2004, 1, 1), datetime.date(2030, 12, 1)),
    count=st.integers(0, 60),
    more=st.integers(0, 20),
)
def test_terms_only_grow(first: datetime.date, count: int, more: int) -> None:
    """More days never end earlier, and counting back finds the same number."""
    end = after(CALENDAR, first, count)

    assert end <= after(CALENDAR, first, count + more)
    assert between(CALENDAR, first, end) == count


@settings(deadline=None, max_examples=60)
@given(pause=st.integers(0, 20), length=st.integers(0, 20), extended=st.integers(0, 10))
def test_a_pause_or_an_extension_never_brings_the_end_nearer(pause: int, length: int, extended: int) -> None:
    days = [MONDAY + datetime.timedelta(days=n) for n in range(60)]

    def due(*steps: tuple[Step, int, int]) -> datetime.date | None:
        lines = [first_line("lin.min", at(MONDAY))]
        for step, day, more in ((Step.SUBMIT, 0, 0), *steps):
            move = Move(step=step, who="lin.min", at_ms=at(days[day]), reason="理由", days=more)
            lines.append(stepped(fold(lines), move))
        found = deadline(lines, TERMS, CALENDAR, days[-1])
        return None if found is None else found.due

    plain = due()
    later = due((Step.PAUSE, pause, 0), (Step.RESUME, pause + length, 0))
    longer = due((Step.EXTEND, 0, extended + 1))

    assert plain is not None
    assert later is not None
    assert longer is not None
    assert (plain <= later, plain < longer) == (True, True)


@settings(deadline=None, max_examples=60)
@given(counts=st.dictionaries(st.sampled_from("abcd"), st.integers(1, 6)))
def test_no_withheld_count_can_be_worked_out(counts: dict[str, int]) -> None:
    """Whoever knows the rule and the total and tries all numbers is left with several for every small count."""
    said = shown(Counter(counts))
    if said is None:
        return
    hidden = [name for name, count in said.items() if count is None]
    left = sum(counts[name] for name in hidden)
    possible_counts: dict[str, set[int]] = {name: set() for name in hidden}
    for guess in product(range(1, left + 1), repeat=len(hidden)):
        tried = counts | dict(zip(hidden, guess, strict=True))
        if sum(guess) == left and shown(Counter(tried)) == said:
            for name in hidden:
                possible_counts[name].add(tried[name])

    assert all(len(possible_counts[name]) > 1 for name in hidden if counts[name] < SMALL)
    assert all(said[name] in (None, count) for name, count in counts.items())
