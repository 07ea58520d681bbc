"""What is asked and found for a request: the search, wider ones, the review of access, the stream of answers."""

import asyncio
from contextlib import aclosing
from typing import Final
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Stream
from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.web.answers import Notice, Page, away_to, fault_notice
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import Backstage, backstage_of
from hub.web.forms import choices_of, line_of
from hub.web.pages.watching import stream_of
from hub.web.pages.window_request import OPT, present, seen, shown
from hub.web.pages.windowing import CLERK, done, parts_of
from hub.web.pieces import Pieces
from hub.web.request_lookups import order_of
from hub.web.request_pieces import pieces_of
from hub.web.visitors import STREAM, Visitor, visitor_of
from hub.web.words import in_language
from hub.window import access_reviews, ledger, lookup_ledger, lookup_reading
from hub.window.access_book import RecordAsked
from hub.window.access_reviews import Reviewed, RulesNow
from hub.window.lookups import UnderWay
from hub.window.requests import Request
from hub.window.rules import Outcome, Relation
from hub.window.states import State
from protocol.errors import DanglianError

LIVE_LOOK_S: Final = 0.3
"""Seconds between two looks while another worker asks holders: the first answers come within a second. What is asked
here says itself when there is something new."""

CALM_LOOK_S: Final = 2.0
"""The same when nobody is asked live: an answer by letter may come at any time."""


@post("/window/requests/{name:str}/search", opt=CLERK, status_code=200)
async def do_search(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Ask the holders."""
    request_id = id_of(name)
    one = await present(request, request_id)
    try:
        await begin_search(request, one)
    except DanglianError as error:
        return await shown(request, await present(request, request_id), fault_notice(error, visitor_of(request)), 400)
    return away_to(f"/window/requests/{request_id}", done="begun")


@post("/window/requests/{name:str}/widen", opt=CLERK, status_code=200)
async def do_widen(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Ask those as well that were left out."""
    request_id, question_id = id_of(name), id_of(await line_of(request, "question"))
    because, lookups = await line_of(request, "because"), parts_of(request).lookups
    one = await present(request, request_id)
    if lookups is None or question_id not in {question.question_id for question in one.content.questions}:
        return away_to(f"/window/requests/{request_id}")
    try:
        async with aclosing(lookups.widen(question_id, because=because, by=visitor_of(request).login)) as views:
            async for _ in views:
                break
    except DanglianError as error:
        return await shown(request, one, fault_notice(error, visitor_of(request)), 400)
    return away_to(f"/window/requests/{request_id}", done="widened")


@post("/window/requests/{name:str}/review", opt=CLERK, status_code=200)
async def do_review(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Let the rules decide on the entries that were chosen."""
    request_id, visitor = id_of(name), visitor_of(request)
    chosen, relation = await choices_of(request, "entry"), await line_of(request, "relation")
    words = in_language(visitor.language).lookup
    one = await present(request, request_id)
    asked = await backstage_of(request).database.read(lambda connection: _asked(connection, one, chosen, relation))
    if not asked:
        notice = Notice(words=words.nothing_chosen, hint=words.nothing_chosen_hint, is_fault=True)
        return await shown(request, one, notice, 400)
    version, rules = await asyncio.to_thread(parts_of(request).rules)
    now = RulesNow(version=version, rules=rules)

    def step(connection: Connection, actor: Actor, now_ms: int) -> Reviewed:
        return access_reviews.review(connection, actor, request_id, asked, now, now_ms)

    try:
        reviewed = await done(request, step)
    except DanglianError as error:
        return await shown(request, await present(request, request_id), fault_notice(error, visitor), 400)
    if reviewed.outcome is Outcome.MISSING:
        why = reviewed.judged[0].decision.reason.in_language(visitor.language.value)
        notice = Notice(words=words.papers_missing.format(why=why), hint=words.papers_missing_hint, is_fault=True)
        return await shown(request, reviewed.request, notice, 400)
    return away_to(f"/window/requests/{request_id}", done="reviewed")


@get("/stream/window/{name:str}", opt={**OPT, STREAM: True})
async def stream_request(request: AnyRequest, name: FromPath[str]) -> Stream:
    """Send what moves on a request's page."""
    backstage, visitor, lookups = backstage_of(request), visitor_of(request), parts_of(request).lookups
    one = await seen(request, id_of(name), is_again=True)
    asked = [question.question_id for question in one.content.questions]
    under_way = UnderWay({})

    async def look() -> tuple[Pieces, float]:
        nonlocal under_way
        # Before anything is read, so that nothing comes in between.
        under_way = lookups.under_way(asked) if lookups is not None else under_way
        return await _look(backstage, visitor, one.request_id, under_way)

    async def changed() -> None:
        await under_way.changed()

    return stream_of(backstage, visitor, look, changed)


async def begin_search(request: AnyRequest, one: Request) -> None:
    """Put every question of a request to the sites; one that was put before is not put again.

    Raises:
        DanglianError: the words of a question cannot be understood, or the store is away.

    """
    backstage, lookups = backstage_of(request), parts_of(request).lookups
    if lookups is None or not may_search(one):
        return
    for question in one.content.questions:
        await lookups.begin(order_of(one, question, visitor_of(request).login, backstage.clock_ms()))


def may_search(one: Request) -> bool:
    """Tell whether a request is where its questions may be put."""
    return one.standing.state in (State.ACCEPTED, State.ROUTED, State.SEARCHING)


async def _look(backstage: Backstage, visitor: Visitor, request_id: UUID, under_way: UnderWay) -> tuple[Pieces, float]:
    def read(connection: Connection) -> tuple[Request | None, bool]:
        one = ledger.found(connection, request_id)
        return one, bool(lookup_ledger.being_asked(connection, request_id) - under_way.lookups)

    one, is_live_elsewhere = await backstage.database.read(read)
    if one is None:
        return {}, CALM_LOOK_S
    return await pieces_of(backstage, visitor, one), LIVE_LOOK_S if is_live_elsewhere else CALM_LOOK_S


def _asked(connection: Connection, one: Request, chosen: list[str], relation: str) -> list[RecordAsked]:
    """Return the entries of a form that were really found for this request, each once."""
    wanted = set(chosen)
    found: dict[tuple[str, UUID], RecordAsked] = {}
    for question in one.content.questions:
        view = lookup_reading.view_of(connection, question.question_id)
        for hit in view.hits if view is not None else ():
            if f"{hit.site} {hit.record.record_id}" in wanted:
                found[hit.site, hit.record.record_id] = RecordAsked(
                    site=hit.site,
                    record_id=hit.record.record_id,
                    status=hit.record.access_status,
                    relation=Relation(relation) if relation in tuple(Relation) else Relation.NONE,
                )
    return list(found.values())
