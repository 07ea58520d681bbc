"""Asking a site which mass changes its brake holds, and telling it what a person decided about one."""

import msgspec

from hub.commands.fields import OUTCOMES
from hub.web.reach import Reach
from protocol.calls import Brakes, HeldLines, Outcome
from protocol.errors import Retryable
from protocol.limits import CALL_DEADLINE_S
from protocol.sites import Site
from protocol.wording import Text

_LINK_DOWN = Text(zh="与消息服务器的连接中断", en="no connection to the broker")


class BrakeDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decided about the very change that was shown."""

    number: int
    held_at_ms: int
    decision: str


async def ask_brakes(reach: Reach, site: Site, decided: BrakeDecision | None = None) -> HeldLines | Text:
    """Return what the site says, or why it said nothing of use."""
    if reach.asker is None:
        return _LINK_DOWN
    number, held_at_ms, decision = (0, 0, "") if decided is None else msgspec.structs.astuple(decided)
    try:
        heard = await reach.asker.ask_one(
            lambda name, question: Brakes(
                asker=name, question=question, brake_id=number, held_at_ms=held_at_ms, decision=decision
            ),
            site,
            CALL_DEADLINE_S,
        )
    except Retryable as error:
        return error.reason
    body = heard.answer.body if heard.answer is not None else None
    if isinstance(body, HeldLines):
        return body
    return HeldLines() if heard.outcome is Outcome.NOTHING else OUTCOMES[heard.outcome]
