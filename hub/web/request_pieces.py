"""The parts of a request's page that move: where it stands and what may be done next, and its course.

They know who looks: a step is offered only to whoever may take it.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from hub.staff import accounts
from hub.staff.roles import Permission
from hub.web.answers import frame_of
from hub.web.backstage import Backstage
from hub.web.desk_lines import line_of
from hub.web.pieces import Pieces
from hub.web.request_copies import copies_of
from hub.web.request_lookups import QuestionLine, questions_of
from hub.web.standings import ADVICE, EFFECTS, MEANINGS, USUAL
from hub.web.visitors import Visitor
from hub.web.words import in_language
from hub.window import access_book, amendments, desk, sheets
from hub.window.access_book import Judged
from hub.window.amendments import Scope, scope_of
from hub.window.applicants import Requester
from hub.window.clocks import PHASES, Deadline
from hub.window.issuance import COPIED
from hub.window.requests import HistoryLine, Request, Use
from hub.window.rules import RELATIONS, Relation
from hub.window.states import STATES, STEPS, TABLE, Duty, State, Step
from protocol.wording import Count, Text

BY_OTHER_MEANS = frozenset(
    (
        *(Step.AMEND, Step.LINK_CASE, Step.EXPIRE, Step.ROUTE, Step.SEARCH, Step.REVIEW_ACCESS),
        *(Step.FIND, Step.FIND_PART, Step.CERTIFY),
    )
)
"""Steps that have a form of their own, or come by themselves."""

ASIDE = frozenset((Step.FIND_NOTHING, Step.ISSUE))
"""Steps that come by themselves where all goes well: kept out of the way of the one that is usual."""

PLACES = {
    State.FOUND: "request-lookups",
    State.PARTIAL: "request-lookups",
    State.APPROVED: "request-lookups",
    State.NOT_FOUND: "request-copies",
    State.CERTIFYING: "request-copies",
}
"""Where on the page the next thing is done, if not by a button beside the words that say so."""

WIDER = frozenset((State.SEARCHING, State.FOUND, State.PARTIAL, State.NOT_FOUND))
"""States in which more holders may be asked."""

USUAL_RELATION = {
    Requester.PERSON: Relation.SUBJECT,
    Requester.AGENT: Relation.SUBJECT,
    Requester.GUARDIAN: Relation.SUBJECT,
    Requester.HEIR: Relation.SUBJECT,
    Requester.LAWYER: Relation.CASE,
    Requester.MEDIATION: Relation.CASE,
    Requester.PETITION: Relation.CASE,
    Requester.JUDICIAL: Relation.CASE,
    Requester.UNIT: Relation.CREATOR,
}
"""What a record usually has to do with whoever asks; the clerk says otherwise."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A step that may be taken now, as its button is shown."""

    step: Step
    words: Text
    effect: Text | None
    needs_reason: bool
    needs_days: bool


async def pieces_of(backstage: Backstage, visitor: Visitor, one: Request) -> Pieces:
    """Return the moving parts of a request's page for this visitor."""
    now_ms = backstage.clock_ms()

    def read(connection: Connection) -> tuple[list[QuestionLine], Sequence[Judged], dict[str, object]]:
        lines = copies_of(connection, one.request_id, now_ms)
        made: dict[str, object] = {
            "copies": lines,
            # Of all paper that the window ever had: only where something is to be printed on it.
            "balance": sheets.balance(connection) if lines else None,
            "amended": amendments.of_request(connection, one.request_id),
            "people": accounts.names_of(connection, {line.who for line in one.history}),
        }
        return questions_of(connection, one), access_book.of_request(connection, one.request_id), made

    questions, judged, made = await backstage.database.read(read)
    values = _state_values(backstage, visitor, one, judged)
    values |= _lookup_values(backstage, visitor, one, questions, judged)
    values |= {
        **made,
        "may_work": visitor.may(Permission.WORK_REQUESTS),
        "may_say_nothing": visitor.may(Permission.WORK_REQUESTS) and one.standing.state is State.NOT_FOUND,
    }
    names = ("request-state", "request-course", "request-lookups", "request-copies")
    return {name: backstage.printer.render(f"pieces/{name}.html", values) for name in names}


def _state_values(backstage: Backstage, visitor: Visitor, one: Request, judged: Sequence[Judged]) -> dict[str, object]:
    offers = offers_for(one, visitor)
    usual = _usual(one)
    rulings = {found.decision.named: found.decision.reason for found in judged}
    last = one.history[-1]
    line = line_of(backstage, one)
    return {
        **frame_of(backstage, visitor),
        "one": one,
        "line": line,
        "why": _said(last, rulings) if last.state is one.standing.state else None,
        "reasons": {entry.seq: _said(entry, rulings) for entry in one.history if entry.reason},
        "meaning": MEANINGS[one.standing.state],
        "advice": ADVICE[one.standing.state],
        "may_amend": _may_amend(visitor, one),
        "place": PLACES.get(one.standing.state, ""),
        "term": term_of(line.deadline),
        "warned": _warned(line.deadline, visitor),
        "usual": [offer for offer in offers if offer.step is usual],
        "plain": [offer for offer in offers if offer.step is not usual and not _is_aside(offer)],
        "aside": [offer for offer in offers if offer.step is not usual and _is_aside(offer)],
        "waits": _waits(one, visitor),
        "states": STATES,
        "steps": STEPS,
        "previous": dict(_states_before(one)),
    }


def _lookup_values(
    backstage: Backstage, visitor: Visitor, one: Request, questions: Sequence[QuestionLine], judged: Sequence[Judged]
) -> dict[str, object]:
    state, may_work = one.standing.state, visitor.may(Permission.WORK_REQUESTS)
    return {
        "questions": questions,
        "found_count": sum(len(line.hits) for line in questions),
        "decided": {f"{found.asked.site} {found.asked.record_id}": found for found in judged},
        "has_desk": backstage.reach.window.lookups is not None,
        "may_search": may_work and state in (State.ACCEPTED, State.ROUTED) and all(not q.view for q in questions),
        "may_widen": may_work and state in WIDER,
        "may_review": may_work and state in (State.FOUND, State.PARTIAL),
        "may_copy": may_work and state in COPIED,
        "relations": RELATIONS,
        "usual_relation": USUAL_RELATION.get(one.content.applicant.requester, Relation.NONE),
    }


def offers_for(one: Request, visitor: Visitor) -> list[Offer]:
    """Return the steps that this visitor may take now, in the order of the table."""
    return [
        Offer(
            step=step,
            words=words,
            effect=EFFECTS.get(step),
            needs_reason=TABLE[step].needs_reason,
            needs_days=TABLE[step].needs_days,
        )
        for step, words in ((offer.step, offer.words) for offer in desk.next_steps(one))
        if step not in BY_OTHER_MEANS and _may(one, visitor, step)
    ]


def term_of(deadline: Deadline | None) -> Text:
    """Return how much of a term is left, in words."""
    if deadline is None:
        return Text(zh="", en="")
    phase = PHASES[deadline.phase]
    if deadline.late_days:
        return Text(
            zh=f"{phase.zh}已逾期 {deadline.late_days} 个工作日",
            en=f"{phase.en}: {Count(deadline.late_days):working day|working days} late",
        )
    return Text(
        zh=f"{phase.zh}期限 {deadline.term_days} 个工作日，还剩 {deadline.left_days} 个",
        en=f"{phase.en}: {deadline.left_days} of {Count(deadline.term_days):working day|working days} left",
    )


def _may(one: Request, visitor: Visitor, step: Step) -> bool:
    duty = TABLE[step].duty
    is_own = duty is Duty.REVIEWER and one.standing.accepted_by == visitor.login
    return visitor.may(desk.permission_for(step)) and not is_own


def _may_amend(visitor: Visitor, one: Request) -> str:
    """Return how much this visitor may correct; nothing if nothing."""
    scope = scope_of(one.standing) if visitor.may(Permission.WORK_REQUESTS) else Scope.NOTHING
    return "" if scope is Scope.NOTHING else scope.value


def _is_aside(offer: Offer) -> bool:
    return offer.needs_reason or offer.step in ASIDE


def _said(line: HistoryLine, rulings: Mapping[str, Text]) -> Text:
    """Return why a step was taken: a rule's reason in both languages, a person's as it was written."""
    return rulings.get(line.rule) or Text(zh=line.reason, en=line.reason)


def _usual(one: Request) -> Step | None:
    """Return the step that is usually next; who wants a certificate gets one ordered, or made of nothing found."""
    if one.standing.state in (State.APPROVED, State.NOT_FOUND) and Use.CERTIFIED in one.content.uses:
        return None
    return USUAL.get(one.standing.state)


def _waits(one: Request, visitor: Visitor) -> str:
    """Say who takes the next step, where it is not this visitor."""
    usual = USUAL.get(one.standing.state)
    if usual is None or _may(one, visitor, usual):
        return ""
    words = in_language(visitor.language).request
    return words.waits_for_reviewer if TABLE[usual].duty is Duty.REVIEWER else words.waits_for_clerk


def _warned(deadline: Deadline | None, visitor: Visitor) -> Text | None:
    """Say what makes the day uncertain; settings are named to nobody but those who may write them."""
    warning = None if deadline is None else deadline.warning
    if warning is None:
        return None
    then = warning.remedy if visitor.may(Permission.MANAGE_ACCOUNTS) else warning.ask
    return Text(zh=f"{warning.words.zh}{then.zh}", en=f"{warning.words.en} {then.en}")


def _states_before(one: Request) -> Iterable[tuple[int, object]]:
    before = None
    for line in one.history:
        yield line.seq, before
        before = line.state
