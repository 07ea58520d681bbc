"""What copies and certificates do to the request for which they are made; screens and commands alike call these.

An order brings a request to where certificates are made, the last print to its issue, and a ruined sheet or a
revocation back: nothing that is revoked or half printed is handed over.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.window import certificates, copies, desk, ledger, serials, sheets
from hub.window.certificates import Printing
from hub.window.copy_orders import OPEN, CopyOrder, CopyRoutes, CopyWish
from hub.window.requests import possible
from hub.window.serials import Certificate, Fate
from hub.window.sheets import Sheet
from hub.window.states import STATES, State, Step
from protocol.errors import Refused
from protocol.wording import Text

COPIED: Final = frozenset((State.APPROVED, State.CERTIFYING, State.ISSUED, State.DELIVERED))
"""States of a request in which copies may be ordered: what was approved, and is not over."""


def order(connection: Connection, actor: Actor, wish: CopyWish, routes: CopyRoutes, now_ms: int) -> CopyOrder:
    """Send an order to the holder.

    Raises:
        BadValue: something in it is missing or wrong.
        Refused: the request was not approved, or is over.

    """
    request = ledger.present(connection, wish.request_id)
    if request.standing.state not in COPIED:
        state = STATES[request.standing.state]
        raise Refused(
            Text(
                zh=f"申请 {request.number} {state.zh}，不能调取复制件。",
                en=f"{request.number} is {state.en}: no copy can be ordered for it",
            ),
            Text(zh="同意利用后、办结前才能调取。", en="Order between the approval and the end of the request."),
        )
    made = copies.ask(connection, wish, routes, actor.who, now_ms)
    if Step.CERTIFY in possible(request.standing):
        desk.take(connection, actor, wish.request_id, Step.CERTIFY, now_ms)
    return made


def issue(connection: Connection, actor: Actor, serial: str, printing: Printing, now_ms: int) -> Certificate:
    """Enter the sheets of a certificate; its request is issued once nothing of it is under way any more.

    Raises:
        BadValue: it is not made, void or revoked, or a sheet was used before or never received.

    """
    made = certificates.issue(connection, serial, printing, actor.who, now_ms)
    if not _is_under_way(connection, made.request_id):
        _step(connection, actor, made.request_id, Step.ISSUE, now_ms)
    return made


def spoil(connection: Connection, actor: Actor, number: str, because: str, now_ms: int) -> Sheet:
    """Enter a sheet as spoiled; its page is printed again before anything is handed over.

    Raises:
        BadValue: no reason is given, the sheet was never received, or is entered as spoiled already.

    """
    spoilt = sheets.spoil(connection, number, because, actor.who, now_ms)
    one = serials.look_up(connection, spoilt.serial) if spoilt.serial else None
    if one is not None and one.fate is Fate.ISSUED:
        _step(connection, actor, one.request_id, Step.CERTIFY_AGAIN, now_ms, because)
    return spoilt


def revoke(connection: Connection, actor: Actor, serial: str, because: str, now_ms: int) -> Certificate:
    """Revoke a certificate; a request that has no other one goes back to where certificates are made.

    Raises:
        BadValue: it was never given out, is void or revoked already, or no reason is given.

    """
    revoked = certificates.revoke(connection, serial, because, actor.who, now_ms)
    if not any(one.fate is Fate.ISSUED for one in _of(connection, revoked.request_id)):
        _step(connection, actor, revoked.request_id, Step.CERTIFY_AGAIN, now_ms, because)
    return revoked


def _is_under_way(connection: Connection, request_id: UUID) -> bool:
    """Tell whether a copy of a request is still to come, or a page of a certificate to be printed."""
    if any(one.state in OPEN for one in copies.of_request(connection, request_id)):
        return True
    return any(
        one.fate in (Fate.TAKEN, Fate.READY)
        or (one.fate is Fate.ISSUED and sheets.pages_missing(connection, one.serial, one.pdf_pages))
        for one in _of(connection, request_id)
    )


def _of(connection: Connection, request_id: UUID) -> list[Certificate]:
    return serials.listed(connection, request_id=request_id, limit=None)


def _step(connection: Connection, actor: Actor, request_id: UUID, step: Step, now_ms: int, because: str = "") -> None:
    """Take a step where the request is in a state that allows it; a request that is over stays as it is."""
    known = ledger.found(connection, request_id)
    if known is not None and step in possible(known.standing):
        desk.take(connection, actor, request_id, step, now_ms, reason=because)
