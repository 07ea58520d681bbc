"""The clock of a request 办理时限: how many working days of its term are used, when it ends, who must be told.

Everything follows from the history, the calendar and the day of today. A phase is a run of states with one term; it
counts from the day after the one on which it began. While the clock stands (a pause with its reason, or papers that
the applicant has yet to bring) nothing counts, and what was used stays used. An extension adds to the term of the phase
that it was given in.
"""

import datetime
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from hub.window.requests import HistoryLine
from hub.window.settings import WindowSettings
from hub.window.states import State, Step
from hub.window.working_days import Warned, WorkCalendar, after, between, warning_of
from protocol.county_time import day_of
from protocol.wording import Text


class Phase(StrEnum):
    """A run of states with one term."""

    DRAFT = "draft"
    ACCEPTANCE = "acceptance"
    SEARCH = "search"
    TELLING = "telling"
    REVIEW = "review"
    CERTIFICATION = "certification"
    SUPPLEMENT = "supplement"
    COLLECTION = "collection"


PHASES: Final = {
    Phase.DRAFT: Text(zh="草稿", en="draft"),
    Phase.ACCEPTANCE: Text(zh="受理", en="acceptance"),
    Phase.SEARCH: Text(zh="查找", en="search"),
    Phase.TELLING: Text(zh="告知", en="telling the applicant"),
    Phase.REVIEW: Text(zh="利用审核", en="review of access"),
    Phase.CERTIFICATION: Text(zh="出证", en="certification"),
    Phase.SUPPLEMENT: Text(zh="补充材料", en="more papers"),
    Phase.COLLECTION: Text(zh="领取", en="collection"),
}

PHASE_OF: Final = {
    State.DRAFTED: Phase.DRAFT,
    State.SUBMITTED: Phase.ACCEPTANCE,
    State.IDENTITY_CHECKED: Phase.ACCEPTANCE,
    State.ACCEPTED: Phase.SEARCH,
    State.ROUTED: Phase.SEARCH,
    State.SEARCHING: Phase.SEARCH,
    State.FOUND: Phase.TELLING,
    State.PARTIAL: Phase.TELLING,
    State.NOT_FOUND: Phase.TELLING,
    State.ACCESS_REVIEW: Phase.REVIEW,
    State.CERTIFYING: Phase.CERTIFICATION,
    State.SUPPLEMENT_REQUESTED: Phase.SUPPLEMENT,
    State.APPROVED: Phase.COLLECTION,
    State.ISSUED: Phase.COLLECTION,
}
"""States in which a term runs; in the others nothing is owed."""

OF_THE_APPLICANT: Final = frozenset((Phase.DRAFT, Phase.SUPPLEMENT, Phase.COLLECTION))
"""Terms of the applicant: at their end the request expires; the county is not late."""


class Urgency(StrEnum):
    """How a term stands."""

    ON_TIME = "on_time"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    PAUSED = "paused"
    APPLICANT = "applicant"
    """It is the applicant's turn."""
    LAPSED = "lapsed"
    """The applicant's term is over: the request may expire."""


URGENCIES: Final = {
    Urgency.ON_TIME: Text(zh="期限内", en="on time"),
    Urgency.DUE_SOON: Text(zh="即将到期", en="due soon"),
    Urgency.OVERDUE: Text(zh="已逾期", en="overdue"),
    Urgency.PAUSED: Text(zh="暂停计时", en="the clock stands"),
    Urgency.APPLICANT: Text(zh="等申请人", en="the applicant's turn"),
    Urgency.LAPSED: Text(zh="申请人逾期", en="the applicant's term is over"),
}


class Told(StrEnum):
    """Who is told of a term, from the nearest to the farthest."""

    HANDLER = "handler"
    HEAD = "head"
    LEADER = "leader"


TOLD: Final = {
    Told.HANDLER: Text(zh="经办人", en="handler"),
    Told.HEAD: Text(zh="窗口负责人", en="head of the window"),
    Told.LEADER: Text(zh="分管馆领导", en="leader of the archive"),
}


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """How the term of a request stands on a day."""

    phase: Phase
    began: datetime.date
    """The day that the phase began; it does not count."""
    term_days: int
    """Working days, with extensions."""
    used_days: int
    due: datetime.date | None
    """The last day of the term; None while the clock stands."""
    late_days: int
    """Working days behind the last one; 0 until then."""
    urgency: Urgency
    tell: tuple[Told, ...]
    warning: Warned | None
    """What makes the day uncertain."""

    @property
    def left_days(self) -> int:
        """Working days that are left, today not counted; 0 at the end and behind it."""
        return max(0, self.term_days - self.used_days)


class _Run(msgspec.Struct, kw_only=True):
    """A phase as it is gone through; ``from_day`` is None while the clock stands."""

    phase: Phase | None
    began: datetime.date
    from_day: datetime.date | None
    used: int = 0
    extended: int = 0

    def stop(self, calendar: WorkCalendar, day: datetime.date) -> None:
        """Let the clock stand."""
        if self.from_day is not None:
            self.used += between(calendar, self.from_day, day)
            self.from_day = None


def deadline(
    history: Sequence[HistoryLine], terms: WindowSettings, calendar: WorkCalendar, today: datetime.date
) -> Deadline | None:
    """Return how the term stands on a day; None if nothing is owed to or by anybody.

    Args:
        history: of the request, one line at least.
        terms: of the county.
        calendar: which days are worked.
        today: the day in China; one before the last line counts as the day of that line.

    """
    run = _run_of(history, calendar)
    if run.phase is None:
        return None
    today = max(today, day_of(history[-1].at_ms))
    term = _term(run.phase, terms) + run.extended
    if run.from_day is None:
        warning = warning_of(calendar, run.began, today)
        return _deadline(run, (term, run.used), None, (Urgency.PAUSED, 0, ()), warning)
    due = after(calendar, run.from_day, term - run.used)
    used, late = run.used + between(calendar, run.from_day, today), between(calendar, due, today)
    # A term of one day is not due soon from its first hour on.
    urgency = _urgency(run.phase, due, today, is_soon=term - used <= min(terms.due_soon_days, term - 1))
    tell = _tell(urgency, late, terms)
    return _deadline(run, (term, used), due, (urgency, late, tell), warning_of(calendar, run.began, max(due, today)))


def _run_of(history: Sequence[HistoryLine], calendar: WorkCalendar) -> _Run:
    state, day = history[0].state, day_of(history[0].at_ms)
    run, aside = _begun(state, day), _begun(state, day)
    for line in history[1:]:
        # A clock that was put back does not give days away.
        day = max(day, day_of(line.at_ms))
        if line.state is not state:
            if line.state is State.SUPPLEMENT_REQUESTED:
                run.stop(calendar, day)
                aside, run = run, _begun(line.state, day)
            elif line.step is Step.SUPPLEMENT:
                run = aside
                run.from_day = day
            elif PHASE_OF.get(line.state) is not run.phase:
                run = _begun(line.state, day)
            elif run.from_day is None:
                run.from_day = day
            state = line.state
        elif line.step is Step.PAUSE:
            run.stop(calendar, day)
        elif line.step is Step.RESUME:
            run.from_day = day
        elif line.step is Step.EXTEND:
            run.extended += line.days
    return run


def _begun(state: State, day: datetime.date) -> _Run:
    return _Run(phase=PHASE_OF.get(state), began=day, from_day=day)


def _term(phase: Phase, terms: WindowSettings) -> int:
    return {
        Phase.DRAFT: terms.draft_days,
        Phase.ACCEPTANCE: terms.accept_days,
        Phase.SEARCH: terms.search_days,
        Phase.TELLING: terms.tell_days,
        Phase.REVIEW: terms.review_days,
        Phase.CERTIFICATION: terms.certify_days,
        Phase.SUPPLEMENT: terms.supplement_days,
        Phase.COLLECTION: terms.collect_days,
    }[phase]


def _urgency(phase: Phase, due: datetime.date, today: datetime.date, *, is_soon: bool) -> Urgency:
    if phase in OF_THE_APPLICANT:
        return Urgency.LAPSED if today > due else Urgency.APPLICANT
    if today > due:
        return Urgency.OVERDUE
    return Urgency.DUE_SOON if is_soon else Urgency.ON_TIME


def _tell(urgency: Urgency, late: int, terms: WindowSettings) -> tuple[Told, ...]:
    if urgency is Urgency.DUE_SOON:
        return (Told.HANDLER,)
    if urgency is not Urgency.OVERDUE:
        return ()
    return tuple(Told) if late > terms.escalate_after_days else (Told.HANDLER, Told.HEAD)


def _deadline(
    run: _Run,
    days: tuple[int, int],
    due: datetime.date | None,
    how: tuple[Urgency, int, tuple[Told, ...]],
    warning: Warned | None,
) -> Deadline:
    if run.phase is None:
        message = "a deadline without a phase"
        raise AssertionError(message)
    urgency, late, tell = how
    return Deadline(
        phase=run.phase,
        began=run.began,
        term_days=days[0],
        used_days=days[1],
        due=due,
        late_days=late,
        urgency=urgency,
        tell=tell,
        warning=warning,
    )
