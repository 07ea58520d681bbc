"""The desk: requests by deadline, what is typed and not sent yet, and the way to a request by its number."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.staff.roles import Permission
from hub.web.admission import NEEDS, Door
from hub.web.answers import Notice, Page, away_to, page
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import backstage_of
from hub.web.counter import link_of
from hub.web.desk_lines import line_of
from hub.web.faults import Forbidden
from hub.web.forms import clean
from hub.web.pages.windowing import CLERK, done, may_come_in, parts_of
from hub.web.visitors import Visitor, visitor_of
from hub.web.words import in_language
from hub.window import desk, ledger, lookup_reading, unsent
from hub.window.applicants import REQUESTERS
from hub.window.requests import PURPOSES, Request
from hub.window.states import ENDED, WORKING, State
from hub.window.unsent import Unsent

LISTED_MAX: Final = 100
"""Requests on one page of the desk: five days of a busy window."""

NUMBER_CHARS_MAX: Final = 30
"""Characters of a number that is looked up."""

_VIEWS: Final = ("mine", "all", "review", "ended")
_OPEN: Final = frozenset(State) - ENDED

OWED: Final = WORKING - {State.APPROVED, State.ISSUED}
"""States in which the county has something to do, and is late if it does not."""


@get("/window", opt={NEEDS: Door.SIGNED_IN})
async def show_desk(request: AnyRequest) -> Page:
    """Show the desk.

    Raises:
        Forbidden: the visitor has nothing to do here.

    """
    backstage, visitor = backstage_of(request), visitor_of(request)
    if not may_come_in(visitor):
        raise Forbidden
    first = "mine" if visitor.may(Permission.WORK_REQUESTS) else "review"
    asked = request.query_params.get("view", "")
    view = asked if asked in _VIEWS else first
    key = parts_of(request).sealing_key

    def read(connection: Connection) -> tuple[list[Request], list[Unsent], set[UUID]]:
        found = _listed(connection, view, visitor)
        news = lookup_reading.with_news(connection, [one.request_id for one in found])
        return found, unsent.listed(connection, key, visitor.login), news

    found, begun, news = await backstage.database.read(read)
    lines = sorted(
        (line_of(backstage, one, has_news=one.request_id in news) for one in found), key=lambda one: one.order
    )
    words = in_language(visitor.language).window
    told = {"discarded": words.discarded}.get(request.query_params.get("done", ""))
    values = {
        "view": view,
        "views": {"mine": words.mine, "all": words.everyone, "review": words.review, "ended": words.ended},
        "lines": lines if view != "ended" else lines[::-1],
        "listed_max": LISTED_MAX if len(lines) == LISTED_MAX else 0,
        "unsent": begun,
        "purposes": PURPOSES,
        "requesters": REQUESTERS,
        "may_work": visitor.may(Permission.WORK_REQUESTS),
        "counter_link": link_of(parts_of(request).county_key),
        "notice": None if told is None else Notice(words=told),
    }
    return page(request, "window.html", values=values)


@get("/window/find", opt={NEEDS: Door.SIGNED_IN})
async def find_request(request: AnyRequest) -> Page | Redirect:
    """Go to the request of a number, or say that there is none."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    if not may_come_in(visitor):
        raise Forbidden
    number = clean(request.query_params.get("number", ""))[:NUMBER_CHARS_MAX]
    one = await backstage.database.read(lambda connection: ledger.by_number(connection, number))
    if one is not None:
        return away_to(f"/window/requests/{one.request_id}")
    words = in_language(visitor.language).window
    values = {"number": number, "notice": Notice(words=words.not_found.format(number=number or "—"), is_fault=True)}
    return page(request, "window_not_found.html", status=404, values=values)


@post("/window/new/{name:str}/discard", opt=CLERK, status_code=200)
async def do_discard(request: AnyRequest, name: FromPath[str]) -> Redirect:
    """Forget what was typed."""
    request_id = id_of(name)

    def step(connection: Connection, actor: Actor, _now_ms: int) -> None:
        unsent.discard(connection, request_id, actor.who)

    await done(request, step)
    return away_to("/window", done="discarded")


def _listed(connection: Connection, view: str, visitor: Visitor) -> list[Request]:
    """Return a page of requests; of the open ones those first for which the county has something to do, the oldest.

    What waits for its applicant fills the rest: however many copies nobody has collected, they hide nothing overdue.
    """
    if view == "ended":
        return desk.listed(connection, states=_sorted(ENDED), limit=LISTED_MAX)
    if view == "review":
        return desk.listed(connection, states=(State.ACCESS_REVIEW,), is_oldest_first=True, limit=LISTED_MAX)
    mine = visitor.login if view == "mine" else ""
    found = desk.listed(connection, states=_sorted(OWED), worked_by=mine, is_oldest_first=True, limit=LISTED_MAX)
    left = LISTED_MAX - len(found)
    return found + (desk.listed(connection, states=_sorted(_OPEN - OWED), worked_by=mine, limit=left) if left else [])


def _sorted(states: Collection[State]) -> tuple[State, ...]:
    return tuple(sorted(states))
