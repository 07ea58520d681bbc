"""Answering the county about the brake: what is held, and the decision of a person there, as if it were made here.

The decision is only written down; the daemon carries it out as it does one of ``danglian-node brake``.
"""

from collections.abc import Callable

from sqlalchemy import Connection

from node import brake
from node.brake import BrakeState, Decision, HeldChange
from protocol.calls import Body, Brakes, HeldLine, HeldLines, Outcome
from protocol.limits import HELD_LINES_MAX
from replication.answering import Handler
from replication.database import Database

_ASKED = {Decision.RELEASE: BrakeState.RELEASE_ASKED, Decision.REJECT: BrakeState.REJECTED}


def brakes_handler(database: Database, clock_ms: Callable[[], int]) -> Handler:
    """Return what answers ``Brakes``."""

    async def answer(question: Brakes) -> tuple[Outcome, Body | None]:
        if question.decision:
            lines = await database.write(lambda connection: answered(connection, question, clock_ms()))
        else:
            lines = await database.read(lambda connection: answered(connection, question, 0))
        return (Outcome.ANSWERED if lines.total or question.decision else Outcome.NOTHING), lines

    return answer


def answered(connection: Connection, question: Brakes, now_ms: int) -> HeldLines:
    """Decide, if the question says so, and return what is held then."""
    is_decided = bool(question.decision) and _decided(connection, question, now_ms)
    held = brake.held(connection)
    lines = tuple(_line(one) for one in held[:HELD_LINES_MAX])
    return HeldLines(lines=lines, total=len(held), is_decided=is_decided)


def _decided(connection: Connection, question: Brakes, now_ms: int) -> bool:
    """Write a decision down for the very change that was shown; True if it stands, now or since before."""
    if question.decision not in tuple(Decision):
        return False
    decision = Decision(question.decision)
    for one in brake.held(connection, with_past=True):
        if (one.brake_id, one.held_at_ms) != (question.brake_id, question.held_at_ms):
            continue
        if one.state is BrakeState.HELD:
            brake.decide(connection, one.brake_id, decision, now_ms)
            return True
        return one.state is _ASKED[decision] or (decision is Decision.RELEASE and one.state is BrakeState.RELEASED)
    return False


def _line(one: HeldChange) -> HeldLine:
    return HeldLine(
        brake_id=one.brake_id,
        reason=one.reason,
        rows=one.row_count,
        of=one.of_count,
        state=one.state.value,
        held_at_ms=one.held_at_ms,
    )
