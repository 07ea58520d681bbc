"""The request 查档申请: what is asked by whom and why, and its history, from which everything else follows.

The history only grows. Where a request stands is never stored beside it as a truth of its own: ``fold`` says it, and
``stepped`` says which line comes next, or why none may.
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from hub.window.applicants import Applicant, ApplicantGiven, said
from hub.window.states import STATES, STEPS, TABLE, Allowed, Back, Duty, State, Step
from protocol.case_words import PURPOSE_WORDS
from protocol.errors import BadValue, Refused
from protocol.wording import Text

TEXT_CHARS_MAX: Final = 500
"""Characters of a question, a purpose in words, or a reason."""

CASE_CHARS_MAX: Final = 60
"""Characters of a case number."""

QUESTIONS_MAX: Final = 20
"""Questions of one request; a longer list is a research request."""

PERSONS_MAX: Final = 20
"""Persons named in one question."""

EXTENDED_DAYS_MAX: Final = 30
"""Working days by which one step may extend the term."""

PREFIX: Final = "CD"
"""Begins a request's number 查档登记号: ``CD2026-000123``."""


class Purpose(StrEnum):
    """For what it is needed 查档目的: the code list of the register."""

    LENGTH_OF_SERVICE = "length_of_service"
    MARRIAGE = "marriage"
    HOUSING = "housing"
    LAND_AND_FOREST = "land_and_forest"
    SCHOOLING = "schooling"
    INHERITANCE = "inheritance"
    GOING_ABROAD = "going_abroad"
    LITIGATION = "litigation"
    MEDIATION = "mediation"
    HISTORY = "history"
    RESEARCH = "research"
    OFFICIAL = "official"
    OTHER = "other"
    """Said in words."""


PURPOSES: Final = {one: PURPOSE_WORDS[one.value] for one in Purpose}


class Use(StrEnum):
    """What the applicant wants of a record, each more than the one before."""

    VIEW = "view"
    COPY = "copy"
    CERTIFIED = "certified"


USES: Final = {
    Use.VIEW: Text(zh="查阅", en="view"),
    Use.COPY: Text(zh="复制", en="copy"),
    Use.CERTIFIED: Text(zh="出证", en="certified copy or statement"),
}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is looked for, in the applicant's words and in parts that a search can use."""

    question_id: UUID
    text: str
    """In words; may name persons, so it is neither logged nor audited."""
    persons: tuple[str, ...] = ()
    livelihood_kind: str = ""
    """Id of ``protocol.vocabularies.LIVELIHOOD_KINDS``, if it is one of them."""
    year_from: int | None = None
    year_to: int | None = None
    place: str = ""
    person_keys: tuple[str, ...] = ()
    """Keys of the identity numbers that were typed into the question (``protocol.person_keys``); the numbers themselves
    are masked, and nothing is looked for by them: catalogues are searched by words."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the window types it; never stored or logged as it is."""

    request_id: UUID
    """Made by the client, once: however often it is sent, it is one request."""
    applicant: ApplicantGiven
    purpose: Purpose
    purpose_note: str = ""
    """In words; needed where the purpose is ``OTHER``."""
    case_ref: str = ""
    """Number of the applicant's own case; needed from whoever has one (``applicants.WITH_CASE``)."""
    questions: tuple[Question, ...]
    uses: tuple[Use, ...] = (Use.VIEW,)


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, as it is kept."""

    applicant: Applicant
    purpose: Purpose
    purpose_note: str = ""
    case_ref: str
    """Never empty once kept. A citizen has no case: the request's own number stands here, so that every site that is
    asked sees under which case, and no clerk invents one."""
    questions: tuple[Question, ...]
    uses: tuple[Use, ...]


class HistoryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One step that was taken."""

    seq: int
    """From 1, without gaps."""
    step: Step
    state: State
    """In which the request is after it."""
    at_ms: int
    who: str
    """Login of the person, or the name of the program's part (``hub:lookup``)."""
    reason: str = ""
    days: int = 0
    """Working days of an extension."""
    rule: str = ""
    """Rule and version by which it was decided (``R03@2``), if no person decided."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A step that somebody wants to take."""

    step: Step
    who: str
    at_ms: int
    reason: str = ""
    days: int = 0
    rule: str = ""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request stands; follows from its history."""

    state: State
    seq: int
    since_ms: int
    """When it came into this state."""
    before: State | None
    """The state in which more papers were asked for; None unless they are waited for."""
    past: frozenset[State]
    paused_for: str = ""
    """Why the clock stands; empty while it goes. Whatever changes the state lets it go on."""
    extended_days: int = 0
    """Working days by which the term of this state was extended."""
    accepted_by: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it is kept, with its whole history."""

    request_id: UUID
    number: str
    """Number in the register 查档登记号, printed on papers; says nothing of persons."""
    content: Content
    case_id: UUID | None = None
    """The mediation case that it is linked to."""
    history: tuple[HistoryLine, ...]
    standing: Standing


def digest_of(content: Content) -> str:
    """Return by what the same content is known again: SHA-256 of what is kept of it, in hexadecimal."""
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def only_adds_papers(known: Content, changed: Content) -> bool:
    """Tell whether a content differs from the one that is kept by more papers of the applicant and nothing else."""
    before, after = known.applicant.evidence, changed.applicant.evidence
    same = msgspec.structs.replace(changed.applicant, evidence=before)
    return all(one in after for one in before) and msgspec.structs.replace(changed, applicant=same) == known


def first_line(who: str, at_ms: int) -> HistoryLine:
    """Return the line with which a history begins."""
    return HistoryLine(seq=1, step=Step.DRAFT, state=State.DRAFTED, at_ms=at_ms, who=who)


def fold(history: Sequence[HistoryLine]) -> Standing:
    """Return where a request with this history stands; the history has one line at least."""
    first = history[0]
    standing = Standing(state=first.state, seq=first.seq, since_ms=first.at_ms, before=None, past=frozenset())
    for line in history[1:]:
        standing = _after(standing, line)
    return standing


def _after(standing: Standing, line: HistoryLine) -> Standing:
    if line.state is standing.state:
        paused_for = {Step.PAUSE: line.reason, Step.RESUME: ""}.get(line.step, standing.paused_for)
        days = standing.extended_days + (line.days if line.step is Step.EXTEND else 0)
        return msgspec.structs.replace(standing, seq=line.seq, paused_for=paused_for, extended_days=days)
    return Standing(
        state=line.state,
        seq=line.seq,
        since_ms=line.at_ms,
        before=standing.state if line.state is State.SUPPLEMENT_REQUESTED else None,
        past=standing.past | {standing.state},
        accepted_by=line.who if line.step is Step.ACCEPT else standing.accepted_by,
    )


def stepped(standing: Standing, move: Move) -> HistoryLine:
    """Return the line that a step adds to the history of a request that stands so.

    Raises:
        Refused: the step is not allowed now, or not to this person; says what is possible instead.
        BadValue: it needs a reason or a number of days that is not given.

    """
    allowed = TABLE.get(move.step)
    if allowed is None or standing.state not in allowed.origins or not _has_past(standing, move.step):
        raise _not_now(standing, move.step)
    if move.step is Step.PAUSE and standing.paused_for:
        raise Refused(
            Text(zh="计时已经暂停。", en="the clock stands already"),
            Text(zh="先恢复计时，再以新的理由暂停。", en="Start it again before you stop it for another reason."),
        )
    if move.step is Step.RESUME and not standing.paused_for:
        raise _not_now(standing, move.step)
    reason = _checked_reason(move, allowed)
    _check_separation(standing, move)
    return HistoryLine(
        seq=standing.seq + 1,
        step=move.step,
        state=_target(standing, allowed.target),
        at_ms=move.at_ms,
        who=move.who,
        reason=reason,
        days=move.days if allowed.needs_days else 0,
        rule=move.rule,
    )


def _checked_reason(move: Move, allowed: Allowed) -> str:
    reason = said(move.reason, TEXT_CHARS_MAX)
    if allowed.needs_reason and not reason:
        raise BadValue(
            Text(zh=f"“{STEPS[move.step].zh}”须写明理由。", en=f"to {STEPS[move.step].en} needs a reason"),
            Text(zh="请写明理由，申请人会看到。", en="Say why; the applicant will read it."),
        )
    if allowed.needs_days and not 0 < move.days <= EXTENDED_DAYS_MAX:
        raise BadValue(
            Text(
                zh=f"延长天数应为 1 至 {EXTENDED_DAYS_MAX}。", en=f"a term is extended by 1 to {EXTENDED_DAYS_MAX} days"
            ),
            Text(zh="请填写工作日天数。", en="Give a number of working days."),
        )
    return reason


def possible(standing: Standing) -> tuple[Step, ...]:
    """Return the steps that may be taken now, in the order of the table."""
    return tuple(
        step
        for step, allowed in TABLE.items()
        if standing.state in allowed.origins
        and _has_past(standing, step)
        and not (step is Step.PAUSE and standing.paused_for)
        and not (step is Step.RESUME and not standing.paused_for)
    )


def is_repeated(history: Sequence[HistoryLine], move: Move) -> bool:
    """Tell whether a move is the last line over again: a button pressed twice, an answer sent again."""
    last = history[-1]
    return (last.step, last.who, last.reason, last.rule) == (
        move.step,
        move.who,
        said(move.reason, TEXT_CHARS_MAX),
        move.rule,
    )


def _has_past(standing: Standing, step: Step) -> bool:
    needed = TABLE[step].needs_past
    return needed is None or needed in standing.past or needed is standing.state


def _target(standing: Standing, target: State | Back | None) -> State:
    if isinstance(target, Back):
        return standing.before or standing.state
    return standing.state if target is None else target


def _check_separation(standing: Standing, move: Move) -> None:
    if TABLE[move.step].duty is Duty.REVIEWER and not move.rule and move.who == standing.accepted_by:
        raise Refused(
            Text(zh="受理人不能审核同一份申请。", en="whoever accepted a request does not decide on its access"),
            Text(zh="请由另一位审核员决定。", en="Have another reviewer decide."),
        )


def _not_now(standing: Standing, step: Step) -> Refused:
    steps = possible(standing)
    zh, en = "、".join(STEPS[one].zh for one in steps), ", ".join(STEPS[one].en for one in steps)
    state = STATES[standing.state]
    return Refused(
        Text(
            zh=f"“{state.zh}”的申请不能“{STEPS[step].zh}”。",
            en=f"a request that is {state.en}: cannot {STEPS[step].en}",
        ),
        Text(zh=f"现在可以：{zh}。", en=f"Possible now: {en}."),
    )
