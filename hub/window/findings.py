"""What the lookups of a request mean for the request itself: the steps that the program takes by itself.

A request whose questions are being asked is routed and searching; when something is found, or nobody is left to answer,
it is found, partly found or not found. A late answer moves it on, also out of "not found", and opens it again if it was
delivered or closed. Once a person has gone on with it (access review and beyond), only the mark "new answer" says so.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.window import desk, ledger, lookup_ledger
from hub.window.lookup_ledger import StoredLookup
from hub.window.requests import Request, possible
from hub.window.states import State, Step
from protocol.lookups import LookupState, SiteOutcome, state_of
from protocol.wording import Text

ACTOR: Final = Actor(who="hub:lookup")

LATE: Final = Text(zh="站点补来新的答复", en="a late answer of a site")
INCOMPLETE: Final = Text(zh="所问站点答复不全", en="not every site that was asked has answered")


def begin(connection: Connection, request_id: UUID, now_ms: int) -> None:
    """Note at a request that its questions are being asked; a request that is elsewhere stays there."""
    for step in (Step.ROUTE, Step.SEARCH):
        _take(connection, ledger.found(connection, request_id), step, now_ms)


def tell_request(connection: Connection, request_id: UUID, now_ms: int, *, is_find: bool = False) -> None:
    """Take the steps that follow from where the request's questions stand now.

    Only a record of which nobody knew before opens a request again: an answer without one, or the end of a question,
    changes nothing for whoever has gone home.
    """
    request = ledger.found(connection, request_id)
    if request is None:
        return
    stored = lookup_ledger.of_request(connection, request_id)
    hits = sum(lookup_ledger.count_hits(connection, one.lookup_id) for one in stored)
    states = [state(connection, one) for one in stored]
    is_open = any(one in (LookupState.SEARCHING, LookupState.WAITING, LookupState.PARTIAL) for one in states)
    if is_find:
        request = _take(connection, request, Step.REOPEN, now_ms, reason=LATE.zh)
    step = _step(hits=hits, is_open=is_open)
    if step is None or request is None:
        return
    reason = "" if _is_whole(connection, step, stored, states) else INCOMPLETE.zh
    _take(connection, request, step, now_ms, reason=reason)


def _is_whole(
    connection: Connection, step: Step, stored: Sequence[StoredLookup], states: Sequence[LookupState]
) -> bool:
    """Tell whether a step says all of itself: what nobody has answered for is said with the others."""
    if step is Step.FIND_NOTHING:
        return all(one is LookupState.NOT_FOUND for one in states)
    unheard = {SiteOutcome.EXPIRED, SiteOutcome.FAILED}
    return step is Step.FIND_PART or all(
        unheard.isdisjoint(lookup_ledger.outcomes_of(connection, one.lookup_id)) for one in stored
    )


def state(connection: Connection, stored: StoredLookup) -> LookupState:
    """Return where a question stands."""
    outcomes = lookup_ledger.outcomes_of(connection, stored.lookup_id)
    is_live = SiteOutcome.WAITING in outcomes
    return state_of(outcomes, hits=lookup_ledger.count_hits(connection, stored.lookup_id), is_live=is_live)


def _step(*, hits: int, is_open: bool) -> Step | None:
    if hits:
        return Step.FIND_PART if is_open else Step.FIND
    return None if is_open else Step.FIND_NOTHING


def _take(connection: Connection, request: Request | None, step: Step, now_ms: int, reason: str = "") -> Request | None:
    """Take a step if it may be taken; a request that is found already is not found again."""
    # A clock that stands, for example for a holder that is offline, goes on with what this step brings.
    if request is None or step not in possible(request.standing):
        return request
    if step is Step.FIND_NOTHING and request.standing.state is not State.SEARCHING:
        # That what came up is somebody else, only a person can say.
        return request
    return desk.take(connection, ACTOR, request.request_id, step, now_ms, reason=reason)
