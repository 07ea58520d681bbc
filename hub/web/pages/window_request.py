"""One request: where it stands, what may be done next, who asks for what, and its course."""

from typing import Final
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.staff.roles import Permission
from hub.web.admission import NEEDS, Door
from hub.web.answers import Notice, Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import backstage_of
from hub.web.faults import Forbidden, Missing
from hub.web.forms import line_of
from hub.web.pages.deciding import actor_of
from hub.web.pages.windowing import done, may_come_in, parts_of
from hub.web.request_pieces import offers_for, pieces_of
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from hub.window import cases, desk, ledger, lookup_reading
from hub.window.applicants import PAPERS, REQUESTERS
from hub.window.requests import PURPOSES, USES, Request
from hub.window.states import State, Step
from protocol.errors import DanglianError
from replication.database import Database

SEQ_DIGITS_MAX: Final = 9
"""Digits of a line's number in a form."""

OPT: Final = {NEEDS: Door.SIGNED_IN}
"""Clerks and reviewers come here; who is neither is turned away by ``seen``."""


@get("/window/requests/{name:str}", opt=OPT)
async def show_request(request: AnyRequest, name: FromPath[str]) -> Page:
    """Show a request."""
    one = await seen(request, id_of(name))
    words = in_language(visitor_of(request).language)
    happened = {"step": words.request.done, "begun": words.lookup.begun, "widened": words.lookup.widened_done}
    happened |= {"amended": words.amend.done}
    happened |= {"reviewed": words.lookup.reviewed, "sent": words.copies.sent, "printed": words.copies.printed}
    happened |= {"spoiled": words.copies.spoiled, "revoked": words.copies.revoked, "received": words.copies.received}
    happened |= {"copy_withdrawn": words.copies.withdrawn, "no_record": words.copies.no_record_done}
    told = happened.get(request.query_params.get("done", ""))
    made = await shown(request, one, None if told is None else Notice(words=told))
    backstage = backstage_of(request)
    if await backstage.database.read(lambda connection: lookup_reading.with_news(connection, [one.request_id])):
        # The page that is on its way still marks them; the next one does not.
        await backstage.database.write(lambda connection: lookup_reading.mark_seen(connection, one.request_id))
    lookups = parts_of(request).lookups
    if lookups is not None:
        lookups.index_shown(question.question_id for question in one.content.questions)
    return made


@post("/window/requests/{name:str}/step", opt=OPT, status_code=200)
async def do_step(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Take a step."""
    request_id, visitor = id_of(name), visitor_of(request)
    chosen, reason = await line_of(request, "step"), await line_of(request, "reason")
    seq, days = await line_of(request, "seq"), await line_of(request, "days")
    one = await seen(request, request_id)
    if chosen not in {offer.step.value for offer in offers_for(one, visitor)} and chosen not in _just_taken(one):
        # The page was shown before somebody else went on, or the button is not this visitor's: show how it stands.
        return await shown(
            request, one, Notice(words=in_language(visitor.language).request.overtaken, is_fault=True), 409
        )

    def step(connection: Connection, actor: Actor, now_ms: int) -> Request:
        return desk.take(
            connection,
            actor,
            request_id,
            Step(chosen),
            now_ms,
            reason=reason,
            days=number_of(days),
            expected_seq=number_of(seq) or None,
        )

    try:
        await done(request, step)
    except DanglianError as error:
        return await shown(request, await present(request, request_id), fault_notice(error, visitor), 400)
    return away_to(f"/window/requests/{request_id}", done="step")


async def seen(request: AnyRequest, request_id: UUID, *, is_again: bool = False) -> Request:
    """Return a request that the visitor may see, and write down that it was read.

    ``is_again`` is for what a page opens by itself: the line that its visitor's reading has just left says it already.

    Raises:
        Forbidden: the visitor has nothing to do at the window.
        Missing: there is no such request.

    """
    if not may_come_in(visitor_of(request)):
        raise Forbidden
    one = await present(request, request_id)
    if is_again:
        database, actor, now_ms = backstage_of(request).database, actor_of(request), backstage_of(request).clock_ms()
        if await database.read(lambda connection: desk.was_just_shown(connection, actor, one, now_ms)):
            return one
    return await done(request, lambda connection, actor, now: desk.shown(connection, actor, request_id, now))


async def shown(request: AnyRequest, one: Request, notice: Notice | None = None, status: int = 200) -> Page:
    """Return the page of a request."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    values = {
        "one": one,
        "who": one.content.applicant,
        "case_no": await _case_no(backstage.database, one),
        "may_work": visitor.may(Permission.WORK_REQUESTS),
        "pieces": await pieces_of(backstage, visitor, one),
        "purposes": PURPOSES,
        "requesters": REQUESTERS,
        "uses": USES,
        "papers": PAPERS,
        "disposed_at_ms": await backstage.database.read(
            lambda connection: ledger.disposed_at_ms(connection, one.request_id)
        ),
        "copies_first": one.standing.state in (State.CERTIFYING, State.ISSUED),
        "sep": "、" if visitor.language.value == "zh" else ", ",
        "notice": notice,
    }
    stream = f"/stream/window/{one.request_id}"
    return page(request, "request.html", status=status, stream=stream, values=values)


async def present(request: AnyRequest, request_id: UUID) -> Request:
    """Return a request as it stands.

    Raises:
        Missing: there is none.

    """
    one = await backstage_of(request).database.read(lambda connection: ledger.found(connection, request_id))
    if one is None:
        raise Missing
    return one


async def _case_no(database: Database, one: Request) -> str:
    if one.case_id is None:
        return ""
    case_id = one.case_id
    case = await database.read(lambda connection: cases.found(connection, case_id))
    return "" if case is None else case.case_no


def number_of(text: str) -> int:
    """Return a number of a form; 0 for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= SEQ_DIGITS_MAX else 0


def _just_taken(one: Request) -> frozenset[str]:
    return frozenset((one.history[-1].step.value,))
