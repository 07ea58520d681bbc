"""What owners answer to proposals of change: their decisions, and what became of what they accepted."""

from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import Connection, update

from hub.audit import Action
from hub.decisions.proposal_tables import proposal
from hub.decisions.proposals import Proposal, ProposalState, of_id, settle, tell
from hub.staff.administration import Actor
from protocol.errors import Refused
from protocol.letters import Letter, body_of
from protocol.limits import PROPOSAL_REASON_CHARS_MAX
from protocol.proposals import CORRECTION_DROPPED, PROPOSAL_DECIDED, CorrectionDropped, Decision, ProposalDecided
from protocol.wording import Text
from replication import letters
from replication.letters import Handlers

CODES_SHOWN_MAX: Final = 120
"""Characters of a word of a later version that is kept."""


log = structlog.get_logger(__name__)


def handlers(clock_ms: Callable[[], int]) -> Handlers:
    """Return what acts on the letters of sites about proposals."""

    def decided(connection: Connection, peer: str, letter: Letter) -> None:
        one = _of_peer(connection, peer, letter)
        if one is not None:
            _hear_decision(connection, one, body_of(letter, ProposalDecided), clock_ms())

    def dropped(connection: Connection, peer: str, letter: Letter) -> None:
        one = _of_peer(connection, peer, letter)
        if one is not None:
            because = body_of(letter, CorrectionDropped).because[:CODES_SHOWN_MAX]
            noted = update(proposal).where(proposal.c.number == one.number).values(dropped=because)
            connection.execute(noted)

    return {PROPOSAL_DECIDED: decided, CORRECTION_DROPPED: dropped}


def _of_peer(connection: Connection, peer: str, letter: Letter) -> Proposal | None:
    """Return what a letter is about; None if this hub was put back to before it."""
    one = of_id(connection, letter.topic)
    if one is None:
        log.info("answer_to_forgotten_proposal", site=peer)
        return None
    if one.site != peer:
        raise Refused(
            Text(zh="此建议不属于该站。", en="the proposal is about another site's record"),
            Text(zh="请检查该站的程序。", en="Look after that site's program."),
        )
    return one


def _hear_decision(connection: Connection, one: Proposal, said: ProposalDecided, now_ms: int) -> None:
    """Note what the owner decided; it stands even if we had taken the proposal back meanwhile."""
    if one.state not in (ProposalState.WAITING, ProposalState.WITHDRAWN):
        return
    known = {Decision.ACCEPTED.value: ProposalState.ACCEPTED, Decision.REFUSED.value: ProposalState.REFUSED}
    state = known.get(said.decision, ProposalState.VOID)
    because = Text(
        zh=said.reason_zh[:PROPOSAL_REASON_CHARS_MAX],
        en=(said.reason_en or said.reason_zh)[:PROPOSAL_REASON_CHARS_MAX],
    )
    who = said.decided_by[:CODES_SHOWN_MAX]
    settle(connection, one, state, who, because, said.decided_at_ms or now_ms)
    letters.settle(connection, one.proposal_id)
    actor = Actor(who=f"site:{one.site}")
    tell(connection, actor, Action.PROPOSAL_DECIDED, one, f"{state} {who}", now_ms)
