"""Beginning a request: who asks and why, then the question. What is typed is kept as it is typed.

The id stands in the address before anything is typed, so a reload finds what was kept, and a form sent twice makes one
request. Once it is on the register, the same address leads to it.
"""

import asyncio
from collections.abc import Iterable, Mapping
from uuid import UUID, uuid4

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response
from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.web.answers import Page, away_to, fault_notice, frame_of, page
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import backstage_of
from hub.web.evidence_words import lines_for, papers_for
from hub.web.faults import Missing
from hub.web.forms import fields_of, line_of
from hub.web.pages.window_lookups import begin_search, may_search
from hub.web.pages.windowing import CLERK, done, parts_of, today_of
from hub.web.request_lookups import order_of, places_of, query_of
from hub.web.visitors import visitor_of
from hub.web.window_form import (
    COUNT,
    QUESTION,
    applicant_of,
    check_of,
    draft_of,
    is_ticked,
    line,
    merged,
    questions_shown,
    shape_of,
)
from hub.window import applicants, desk, identity, ledger, unsent
from hub.window.applicants import DOCUMENTS, ORGANS, PAPERS, REQUESTERS
from hub.window.contents import OF_ORGANS, OF_PERSONS, content_of
from hub.window.lookup_opening import Prospect
from hub.window.requests import PURPOSES, QUESTIONS_MAX, TEXT_CHARS_MAX, USES, Question, Request, Use
from hub.window.rules import Rules
from hub.window.states import Step
from hub.window.unsent import Fields
from protocol.errors import DanglianError, Refused
from protocol.queries import parse
from protocol.vocabularies import LIVELIHOOD_KINDS
from protocol.wording import Text

_OPENING = (Step.SUBMIT, Step.CHECK_IDENTITY, Step.ACCEPT)
"""What the clerk who has compared the originals does in one go."""


@get("/window/new", opt=CLERK)
async def show_new() -> Redirect:
    """Lead to a form of a new request, with an id of its own."""
    return away_to(f"/window/new/{uuid4()}")


@get("/window/new/{name:str}", opt=CLERK)
async def show_who(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Show the first page."""
    return await _shown(request, id_of(name), is_question=False)


@get("/window/new/{name:str}/question", opt=CLERK)
async def show_question(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Show the second page."""
    return await _shown(request, id_of(name), is_question=True)


@post("/window/new/{name:str}/kept", opt=CLERK, status_code=200)
async def do_keep(request: AnyRequest, name: FromPath[str]) -> Response[dict[str, str]]:
    """Keep what is typed so far, and return the parts of the page that follow from it."""
    request_id, sent = id_of(name), await fields_of(request)
    is_question = any(one.startswith(f"{QUESTION}-") for one in sent)
    if await _on_register(request, request_id):
        # The form was sent meanwhile: a late word of it changes nothing any more.
        return Response({})
    fields = await _kept(request, request_id, sent, is_question=is_question)
    _, rules = await asyncio.to_thread(parts_of(request).rules)
    return Response({} if is_question else _pieces(request, fields, rules))


@post("/window/new/{name:str}", opt=CLERK, status_code=200)
async def do_who(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Take the first page, and go on to the second if it is right."""
    request_id, go = id_of(name), await line_of(request, "go")
    if await _on_register(request, request_id):
        return away_to(f"/window/requests/{request_id}")
    try:
        fields = await _kept(request, request_id, await fields_of(request), is_question=False)
        if go == "again":
            return away_to(f"/window/new/{request_id}")
        _check_who(request, fields)
    except DanglianError as error:
        return await _shown(request, request_id, is_question=False, fault=error)
    return away_to(f"/window/new/{request_id}/question")


@post("/window/new/{name:str}/question", opt=CLERK, status_code=200)
async def do_question(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Take the second page: one more question, back, or the whole request."""
    request_id, go = id_of(name), await line_of(request, "go")
    if await _on_register(request, request_id):
        return away_to(f"/window/requests/{request_id}")
    sent = await fields_of(request)
    try:
        if go in ("back", "more"):
            return await _leafed(request, request_id, await _kept(request, request_id, sent, is_question=True), go)
        await _submit(request, request_id, sent)
    except DanglianError as error:
        return await _shown(request, request_id, is_question=True, fault=error)
    return away_to(f"/window/requests/{request_id}")


async def _leafed(request: AnyRequest, request_id: UUID, fields: Fields, go: str) -> Redirect:
    """Go back to the first page, or show one more question."""
    if go == "back":
        return away_to(f"/window/new/{request_id}")
    more = str(min(len(questions_shown(fields)) + 1, QUESTIONS_MAX))
    await _keep(request, request_id, {**fields, f"{QUESTION}-{COUNT}": (more,)})
    return away_to(f"/window/new/{request_id}/question")


async def _submit(request: AnyRequest, request_id: UUID, sent: Mapping[str, list[str]]) -> None:
    """Write the request and its questions down, all in one transaction: the clerk waits for the disk once.

    Raises:
        DanglianError: something is wrong with it; what was typed is kept.

    """
    login, key, lookups = visitor_of(request).login, parts_of(request).sealing_key, parts_of(request).lookups
    opened: list[UUID] = []

    def step(connection: Connection, actor: Actor, now_ms: int) -> Request:
        fields = _put_in(connection, key, request_id, login, sent, is_question=True, now_ms=now_ms)
        made = _sent(request, connection, actor, request_id, fields, now_ms)
        if lookups is not None and may_search(made):
            opened[:] = [
                question.question_id
                for question in made.content.questions
                if question in foreseen
                and lookups.put_down(connection, order_of(made, question, login, now_ms), foreseen[question], now_ms)
            ]
        return made

    try:
        foreseen = await _foreseen(request, request_id, sent)
        made = await done(request, step)
    except DanglianError:
        await _kept(request, request_id, sent, is_question=True)
        raise
    if lookups is not None:
        lookups.set_off(opened)
    if len(opened) < len(made.content.questions):
        await begin_search(request, made)


async def _foreseen(
    request: AnyRequest, request_id: UUID, sent: Mapping[str, list[str]]
) -> Mapping[Question, Prospect]:
    """Return what is known of each question, if the sites will be asked at once."""
    login, key, lookups = visitor_of(request).login, parts_of(request).sealing_key, parts_of(request).lookups
    before = await backstage_of(request).database.read(
        lambda connection: unsent.found(connection, key, request_id, login)
    )
    fields = merged({} if before is None else before.fields, sent, is_question=True)
    if lookups is None or not is_ticked(fields, "seen"):
        return {}
    # As the register keeps them: the same questions are put down, and no identity number is looked for.
    questions = content_of(draft_of(request_id, fields), parts_of(request).county_key).questions
    return {question: await lookups.foresee(query_of(question), places_of(question)) for question in questions}


def _check_who(request: AnyRequest, fields: Fields) -> None:
    """Say what is wrong with the first page while it is still in sight."""
    key, any_question = parts_of(request).county_key, Question(question_id=UUID(int=0), text="-")
    applicants.kept(applicant_of(fields), key)
    asked = msgspec.structs.replace(draft_of(UUID(int=0), dict(_of_who(fields))), questions=(any_question,))
    kept = content_of(asked, key).applicant
    fault = identity.fault_of(kept, today_of(backstage_of(request))) if is_ticked(fields, "seen") else None
    if fault is not None:
        raise Refused(
            fault,
            Text(zh="请补登证件，或不勾选“已当面核对”。", en="Record the paper, or leave the originals unticked."),
        )


def _of_who(fields: Fields) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Yield the first page's fields: those of the second are not asked about yet."""
    return ((name, some) for name, some in fields.items() if not name.startswith(f"{QUESTION}-"))


def _sent(
    request: AnyRequest, connection: Connection, actor: Actor, request_id: UUID, fields: Fields, now_ms: int
) -> Request:
    """Write a request into the register, take the steps that were already done at the window, and forget the form."""
    asked = draft_of(request_id, fields)
    for question in asked.questions:
        # Words that no search understands are said so before anything is on the register.
        parse(query_of(question).words)
    made = desk.draft(connection, actor, asked, parts_of(request).county_key, now_ms)
    for step in _OPENING if is_ticked(fields, "seen") else _OPENING[:1]:
        made = desk.take(connection, actor, request_id, step, now_ms)
    unsent.discard(connection, request_id, actor.who)
    return made


async def _on_register(request: AnyRequest, request_id: UUID) -> bool:
    one = await backstage_of(request).database.read(lambda connection: ledger.found(connection, request_id))
    return one is not None


async def _kept(request: AnyRequest, request_id: UUID, sent: Mapping[str, list[str]], *, is_question: bool) -> Fields:
    """Put a page that was sent to what is kept, and return the whole."""
    backstage, login, key = backstage_of(request), visitor_of(request).login, parts_of(request).sealing_key
    now_ms = backstage.clock_ms()
    return await backstage.database.write(
        lambda connection: _put_in(connection, key, request_id, login, sent, is_question=is_question, now_ms=now_ms)
    )


def _put_in(
    connection: Connection,
    key: bytes,
    request_id: UUID,
    login: str,
    sent: Mapping[str, list[str]],
    *,
    is_question: bool,
    now_ms: int,
) -> Fields:
    before = unsent.found(connection, key, request_id, login)
    fields = merged({} if before is None else before.fields, sent, is_question=is_question)
    unsent.tidy(connection, now_ms)
    unsent.keep(connection, key, request_id, login, fields, now_ms)
    return fields


async def _keep(request: AnyRequest, request_id: UUID, fields: Fields) -> None:
    backstage, login, key = backstage_of(request), visitor_of(request).login, parts_of(request).sealing_key
    now_ms = backstage.clock_ms()
    await backstage.database.write(lambda connection: unsent.keep(connection, key, request_id, login, fields, now_ms))


async def _shown(
    request: AnyRequest, request_id: UUID, *, is_question: bool, fault: DanglianError | None = None
) -> Page | Redirect:
    backstage, visitor = backstage_of(request), visitor_of(request)
    login, key = visitor.login, parts_of(request).sealing_key

    def read(connection: Connection) -> tuple[bool, bool, Fields]:
        known = ledger.found(connection, request_id) is not None
        mine = unsent.found(connection, key, request_id, login)
        return known, mine is None and unsent.is_begun(connection, request_id), {} if mine is None else mine.fields

    _, rules = await asyncio.to_thread(parts_of(request).rules)
    known, is_of_another, fields = await backstage.database.read(read)
    if known:
        return away_to(f"/window/requests/{request_id}")
    if is_of_another:
        raise Missing
    values = {
        "request_id": request_id,
        "uses": USES,
        "chosen_uses": fields.get("use", ()) if fields else (Use.CERTIFIED.value,),
        "kinds": LIVELIHOOD_KINDS,
        "questions": questions_shown(fields),
        "questions_max": QUESTIONS_MAX,
        "notice": None if fault is None else fault_notice(fault, visitor),
        **_who(request, fields, rules),
    }
    template = "window_question.html" if is_question else "window_who.html"
    return page(request, template, status=200 if fault is None else 400, values=values)


def _who(request: AnyRequest, fields: Fields, rules: Rules) -> dict[str, object]:
    shown = {name: line(fields, name) for name in ("name", "organ", "phone", "on_behalf_of", "number", "valid_until")}
    shown |= {name: line(fields, name) for name in ("purpose_note", "case_ref", "document")}
    unfit = OF_PERSONS if shape_of(fields).requester in ORGANS else OF_ORGANS
    shape, check = shape_of(fields), check_of(fields, parts_of(request).county_key)
    return {
        "typed": shown,
        "shape": shape,
        "purposes": {one: words for one, words in PURPOSES.items() if one not in unfit},
        "purpose": line(fields, "purpose"),
        "text_chars": TEXT_CHARS_MAX,
        "is_seen": is_ticked(fields, "seen"),
        "check": check,
        "documents": DOCUMENTS,
        "requesters": REQUESTERS,
        "papers": {one: PAPERS[one] for one in papers_for(rules, shape.requester)},
        "evidence_lines": lines_for(rules, shape.requester),
        "ticked": fields.get("paper", ()),
        "today": today_of(backstage_of(request)).isoformat(),
    }


def _pieces(request: AnyRequest, fields: Fields, rules: Rules) -> dict[str, str]:
    backstage, visitor = backstage_of(request), visitor_of(request)
    values = {**frame_of(backstage, visitor), **_who(request, fields, rules)}
    names = ("number-check", "who-more")
    return {name: str(backstage.printer.render(f"pieces/window-{name}.html", values)) for name in names}
