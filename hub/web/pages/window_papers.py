"""What the window hands over on paper, as pages that are printed: a request's form, its receipt, its statement."""

import base64
import hashlib
from uuid import uuid4

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.staff import accounts
from hub.staff.administration import Actor
from hub.web.answers import Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import backstage_of
from hub.web.desk_lines import line_of
from hub.web.faults import Missing
from hub.web.pages.window_request import OPT, present, seen, shown
from hub.web.pages.windowing import CLERK, done, parts_of
from hub.web.statement_views import contents_of, questions_said
from hub.web.visitors import visitor_of
from hub.window import certificates, desk, statements
from hub.window.applicants import PAPERS, REQUESTERS
from hub.window.certificates import NothingFound
from hub.window.requests import PURPOSES, USES, Request
from hub.window.statement_words import verdict
from hub.window.states import STATES, State, Step
from protocol.completeness import Signed, Statement
from protocol.errors import BadValue, DanglianError


@get("/window/requests/{name:str}/form", opt=OPT)
async def show_form(request: AnyRequest, name: FromPath[str]) -> Page:
    """Show the form of a request as it is signed and filed."""
    return await _paper(request, "paper_form.html", await seen(request, id_of(name)))


@get("/window/requests/{name:str}/receipt", opt=OPT)
async def show_receipt(request: AnyRequest, name: FromPath[str]) -> Page:
    """Show the receipt that the applicant takes along."""
    return await _paper(request, "paper_receipt.html", await seen(request, id_of(name)))


@get("/window/requests/{name:str}/statement", opt=OPT)
async def show_statement(request: AnyRequest, name: FromPath[str]) -> Page:
    """Show a statement of completeness, signed as it is now; that it was made is in the audit log."""
    one, maker = await seen(request, id_of(name)), parts_of(request).maker
    if maker is None:
        raise Missing

    def step(connection: Connection, actor: Actor, now_ms: int) -> bytes:
        return statements.make(connection, maker, one.request_id, uuid4(), by=actor.who, now_ms=now_ms)

    try:
        made = await done(request, step)
    except BadValue as error:
        return await shown(request, one, fault_notice(error, visitor_of(request)), 400)
    signed = msgspec.json.decode(made, type=Signed)
    statement = msgspec.json.decode(signed.statement, type=Statement)
    values = {
        "statement": statement,
        "questions": questions_said(statement),
        "verdict": verdict(statement),
        "digest": hashlib.sha256(made).hexdigest(),
        "key": signed.key,
        "signature": signed.signature,
        "signed": base64.b64encode(made).decode(),
        "back_to": f"/window/requests/{one.request_id}",
    }
    return page(request, "paper_statement.html", values=values)


@post("/window/requests/{name:str}/no-record", opt=CLERK, status_code=200)
async def do_no_record(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Give a statement of no record, which carries the statement of completeness."""
    request_id, maker = id_of(name), parts_of(request).maker
    one = await present(request, request_id)
    if maker is None or one.standing.state is not State.NOT_FOUND:
        return away_to(f"/window/requests/{request_id}")

    def step(connection: Connection, actor: Actor, now_ms: int) -> None:
        made = statements.make(connection, maker, request_id, uuid4(), by=actor.who, now_ms=now_ms)
        statement = msgspec.json.decode(msgspec.json.decode(made, type=Signed).statement, type=Statement)
        contents = contents_of(statement, hashlib.sha256(made).hexdigest())
        nothing = NothingFound(request_id=request_id, contents=contents)
        certificates.say_nothing_found(connection, nothing, maker.county, maker.identity, actor.who, now_ms)
        desk.take(connection, actor, request_id, Step.CERTIFY, now_ms)

    try:
        await done(request, step)
    except DanglianError as error:
        return await shown(request, one, fault_notice(error, visitor_of(request)), 400)
    return away_to(f"/window/requests/{request_id}", done="no_record")


async def _paper(request: AnyRequest, template: str, one: Request) -> Page:
    visitor = visitor_of(request)
    deadline = line_of(backstage_of(request), one).deadline
    accepted = [line for line in one.history if line.step is Step.ACCEPT]
    handler = one.standing.accepted_by or one.history[0].who
    people = await backstage_of(request).database.read(lambda connection: accounts.names_of(connection, {handler}))
    values = {
        "one": one,
        "who": one.content.applicant,
        "back_to": f"/window/requests/{one.request_id}",
        "due": None if deadline is None else deadline.due,
        "accepted_ms": accepted[-1].at_ms if accepted else None,
        "handler": people.get(handler, handler),
        "state": STATES[one.standing.state],
        "requesters": REQUESTERS,
        "purposes": PURPOSES,
        "papers": PAPERS,
        "uses": USES,
        "sep": "、" if visitor.language.value == "zh" else ", ",
    }
    return page(request, template, values=values)
