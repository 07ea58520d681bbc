"""The parts of a request's page that move: where it stands and what may be done next, and its course.

They know who looks: a step is offered only to whoever may take it.
"""

from collections.abc import Iterable

import msgspec

from hub.roles import Permission
from hub.web.answers import frame_of
from hub.web.backstage import Backstage
from hub.web.desk_lines import line_of
from hub.web.pieces import Pieces
from hub.web.standings import ADVICE, EFFECTS, MEANINGS, USUAL
from hub.web.visitors import Visitor
from hub.web.words import in_language
from hub.window import desk
from hub.window.clocks import PHASES, Deadline
from hub.window.requests import Request
from hub.window.states import STATES, STEPS, TABLE, Duty, Step
from protocol.wording import Text

_PERMISSION_OF = {Duty.CLERK: Permission.WORK_REQUESTS, Duty.REVIEWER: Permission.APPROVE_ACCESS}

BY_OTHER_MEANS = frozenset((Step.AMEND, Step.LINK_CASE, Step.EXPIRE))
"""Steps that have a page of their own, or come by themselves."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A step that may be taken now, as its button is shown."""

    step: Step
    words: Text
    effect: Text | None
    needs_reason: bool
    needs_days: bool


def pieces_of(backstage: Backstage, visitor: Visitor, one: Request) -> Pieces:
    """Return the moving parts of a request's page for this visitor."""
    offers = offers_for(one, visitor)
    usual = USUAL.get(one.standing.state)
    line = line_of(backstage, one)
    values = {
        **frame_of(backstage, visitor),
        "one": one,
        "line": line,
        "meaning": MEANINGS[one.standing.state],
        "advice": ADVICE[one.standing.state],
        "term": term_of(line.deadline),
        "usual": [offer for offer in offers if offer.step is usual],
        "plain": [offer for offer in offers if offer.step is not usual and not offer.needs_reason],
        "with_reason": [offer for offer in offers if offer.step is not usual and offer.needs_reason],
        "waits": _waits(one, visitor),
        "states": STATES,
        "steps": STEPS,
        "previous": dict(_states_before(one)),
    }
    names = ("request-state", "request-course")
    return {name: backstage.printer.render(f"pieces/{name}.html", values) for name in names}


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
            en=f"{phase.en}: {deadline.late_days} working days late",
        )
    return Text(
        zh=f"{phase.zh}期限 {deadline.term_days} 个工作日，还剩 {deadline.left_days} 个",
        en=f"{phase.en}: {deadline.left_days} of {deadline.term_days} working days left",
    )


def _may(one: Request, visitor: Visitor, step: Step) -> bool:
    duty = TABLE[step].duty
    is_own = duty is Duty.REVIEWER and one.standing.accepted_by == visitor.login
    return visitor.may(_PERMISSION_OF[duty]) and not is_own


def _waits(one: Request, visitor: Visitor) -> str:
    """Say who takes the next step, where it is not this visitor."""
    usual = USUAL.get(one.standing.state)
    if usual is None or _may(one, visitor, usual):
        return ""
    words = in_language(visitor.language).request
    return words.waits_for_reviewer if TABLE[usual].duty is Duty.REVIEWER else words.waits_for_clerk


def _states_before(one: Request) -> Iterable[tuple[int, object]]:
    before = None
    for line in one.history:
        yield line.seq, before
        before = line.state
