"""The desk: requests by deadline, what is typed and not sent yet, and the way to a request by its number."""

from collections.abc import Collection
from typing import Final

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.administration import Actor
from hub.roles import Permission
from hub.web.answers import Notice, Page, away_to, page
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.faults import Forbidden
from hub.web.forms import clean
from hub.web.admission import NEEDS, Door
from hub.web.pages.windowing import CLERK, done, due_of, id_of, may_come_in, parts_of
from hub.web.standings import TONES
from hub.web.visitors import Visitor, visitor_of
from hub.web.words import in_language
from hub.window import desk, ledger, unsent
from hub.window.applicants import REQUESTERS
from hub.window.clocks import URGENCIES, Deadline, Urgency
from hub.window.requests import PURPOSES, Request
from hub.window.states import ENDED, STATES, State
from hub.window.unsent import Unsent
from protocol.wording import Text

LISTED_MAX: Final = 100
"""Requests on one page of the desk: five days of a busy window."""

NUMBER_CHARS_MAX: Final = 30
"""Characters of a number that is looked up."""

_VIEWS: Final = ("mine", "all", "review", "ended")
_OPEN: Final = frozenset(State) - ENDED
_URGENT: Final = {Urgency.OVERDUE: "bad", Urgency.DUE_SOON: "watch", Urgency.LAPSED: "watch"}


class DeskLine(msgspec.Struct, frozen=True, kw_only=True):
    """One request in the list: no more of a person than a masked name."""

    request: Request
    state: Text
    tone: str
    in_words: Text
    deadline: Deadline | None
    urgency: Text | None
    urgency_tone: str
    has_news: bool = False

    @property
    def order(self) -> tuple[int, str, str]:
        """By deadline, what is owed to nobody last."""
        due = None if self.deadline is None else self.deadline.due
        return (0, due.isoformat(), self.request.number) if due is not None else (1, "", self.request.number)


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
    key, now_ms = parts_of(request).sealing_key, backstage.clock_ms()

    def read(connection: Connection) -> tuple[list[Request], list[Unsent]]:
        return _listed(connection, view, visitor), unsent.listed(connection, key, visitor.login)

    found, begun = await backstage.database.read(read)
    lines = sorted((line_of(backstage, one) for one in found), key=lambda one: one.order)
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
        "at_ms": now_ms,
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


def line_of(backstage: Backstage, one: Request) -> DeskLine:
    """Return a request as the list shows it."""
    due = due_of(backstage, one)
    return DeskLine(
        request=one,
        state=STATES[one.standing.state],
        tone=TONES[one.standing.state],
        in_words=desk.in_words(one),
        deadline=due,
        urgency=None if due is None else URGENCIES[due.urgency],
        urgency_tone="" if due is None else _URGENT.get(due.urgency, ""),
    )


def _listed(connection: Connection, view: str, visitor: Visitor) -> list[Request]:
    states: Collection[State] = {
        "review": (State.ACCESS_REVIEW,),
        "ended": tuple(sorted(ENDED)),
    }.get(view, tuple(sorted(_OPEN)))
    found = desk.listed(connection, states=states, limit=desk.LISTED_MAX)
    if view == "mine":
        found = [one for one in found if any(line.who == visitor.login for line in one.history)]
    return found[:LISTED_MAX]
