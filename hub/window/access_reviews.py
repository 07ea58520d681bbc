"""Deciding on access 利用审核: the rules first, a person where they say so, and both in the history of the request.

What the rules allow is allowed without another person; what they refer waits for a reviewer who did not accept the
request; what they refuse is refused with the rule's own words. Where papers are missing nothing is decided: the clerk
asks for them.
"""

import datetime
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.window import access_book, desk, ledger
from hub.window.access_book import Judged, RecordAsked
from hub.window.requests import Content, Move, Request
from hub.window.rules import Decision, Facts, Outcome, Rules, decide
from hub.window.states import Step
from protocol.county_time import day_of
from protocol.errors import BadValue
from protocol.wording import Text

RECORDS_MAX: Final = 200
"""Records of one review: more are a research request."""


class RulesNow(msgspec.Struct, frozen=True, kw_only=True):
    """The rules in force."""

    version: int
    rules: Rules


class Reviewed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a review."""

    request: Request
    judged: tuple[Judged, ...]
    outcome: Outcome
    """For all records together; ``MISSING`` and nothing was changed, ``REFER`` and a reviewer decides."""


def judged(content: Content, asked: RecordAsked, now: RulesNow, today: datetime.date) -> Decision:
    """Return what the rules say of one record, before anything is written."""
    facts = Facts(
        requester=content.applicant.requester,
        status=asked.status,
        relation=asked.relation,
        wanted=content.uses,
        evidence=content.applicant.evidence,
        today=today,
    )
    return decide(now.rules, now.version, facts)


def together(decisions: Sequence[Decision]) -> Outcome:
    """Return what several decisions come to: papers first, then a person where they are not all the same."""
    outcomes = {one.outcome for one in decisions}
    if Outcome.MISSING in outcomes:
        return Outcome.MISSING
    return outcomes.pop() if len(outcomes) == 1 else Outcome.REFER


def review(
    connection: Connection, actor: Actor, request_id: UUID, asked: Sequence[RecordAsked], now: RulesNow, now_ms: int
) -> Reviewed:
    """Decide by the rules on what was found, and take the steps that follow from it.

    Raises:
        BadValue: there is no such request, or no record, or too many.
        Refused: the request is not where access is decided.

    """
    if not 0 < len(asked) <= RECORDS_MAX:
        raise BadValue(
            Text(zh=f"请选择 1 至 {RECORDS_MAX} 条档案。", en=f"choose 1 to {RECORDS_MAX} records"),
            Text(zh="更多的请登记为专题查档。", en="For more, begin a research request."),
        )
    request, today = ledger.present(connection, request_id), day_of(now_ms)
    decisions = [judged(request.content, one, now, today) for one in asked]
    outcome = together(decisions)
    made = tuple(_judged(one, decision, outcome, now_ms) for one, decision in zip(asked, decisions, strict=True))
    if outcome is Outcome.MISSING:
        return Reviewed(request=request, judged=made, outcome=outcome)
    changed = desk.moved(connection, actor, request, Move(step=Step.REVIEW_ACCESS, who=actor.who, at_ms=now_ms))
    for one in made:
        access_book.put(connection, request_id, one)
    if outcome is not Outcome.REFER:
        step = Step.APPROVE if outcome is Outcome.ALLOW else Step.DENY
        reason = "；".join(dict.fromkeys(one.reason.zh for one in decisions))[: desk.REASON_CHARS_MAX]
        rule = " ".join(dict.fromkeys(one.named for one in decisions))[: desk.RULE_CHARS_MAX]
        move = Move(step=step, who=actor.who, at_ms=now_ms, reason=reason, rule=rule)
        changed = desk.moved(connection, actor, changed, move)
    return Reviewed(request=changed, judged=made, outcome=outcome)


def _judged(asked: RecordAsked, decision: Decision, outcome: Outcome, now_ms: int) -> Judged:
    """Return what is kept of a decision; it is final only where all of them together are."""
    is_final = outcome is not Outcome.REFER
    return Judged(
        asked=asked,
        decision=decision,
        granted=decision.allowed if is_final and decision.outcome is Outcome.ALLOW else (),
        decided_by=f"rule {decision.named}" if is_final else "",
        decided_at_ms=now_ms,
    )
