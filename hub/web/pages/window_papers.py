"""What the window hands over on paper, as pages that are printed: the form of a request, and its receipt."""

from litestar import get
from litestar.params import FromPath

from hub.web.answers import Page, page
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.desk_lines import line_of
from hub.web.pages.window_request import OPT, seen
from hub.web.pages.windowing import id_of
from hub.web.visitors import visitor_of
from hub.window.applicants import PAPERS, REQUESTERS
from hub.window.requests import PURPOSES, USES, Request
from hub.window.states import STATES, Step


@get("/window/requests/{name:str}/form", opt=OPT)
async def show_form(request: AnyRequest, name: FromPath[str]) -> Page:
    """Show the form of a request as it is signed and filed."""
    return _paper(request, "paper_form.html", await seen(request, id_of(name)))


@get("/window/requests/{name:str}/receipt", opt=OPT)
async def show_receipt(request: AnyRequest, name: FromPath[str]) -> Page:
    """Show the receipt that the applicant takes along."""
    return _paper(request, "paper_receipt.html", await seen(request, id_of(name)))


def _paper(request: AnyRequest, template: str, one: Request) -> Page:
    visitor = visitor_of(request)
    deadline = line_of(backstage_of(request), one).deadline
    accepted = [line for line in one.history if line.step is Step.ACCEPT]
    values = {
        "one": one,
        "who": one.content.applicant,
        "back_to": f"/window/requests/{one.request_id}",
        "due": None if deadline is None else deadline.due,
        "accepted_ms": accepted[-1].at_ms if accepted else None,
        "handler": one.standing.accepted_by or one.history[0].who,
        "state": STATES[one.standing.state],
        "requesters": REQUESTERS,
        "purposes": PURPOSES,
        "papers": PAPERS,
        "uses": USES,
        "sep": "、" if visitor.language.value == "zh" else ", ",
    }
    return page(request, template, values=values)
