"""The first page: what needs a person now, then the pulse."""

from litestar import get
from litestar.params import FromPath
from litestar.response import Redirect

from hub.alarm.attention import Matter
from hub.staff.roles import Permission
from hub.web.admission import NEEDS, Door
from hub.web.answers import Page, away_to, page
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.pages.tending import site_of
from hub.web.pictures import holdings_of
from hub.web.visitors import visitor_of
from protocol.county_time import local_time


@get("/", opt={NEEDS: Door.OPEN})
async def show_root() -> Redirect:
    """Go to the first page."""
    return away_to("/today")


@get("/needs/{matter:str}/{site:str}", opt={NEEDS: Permission.SEE_SITES})
async def go_to_need(request: AnyRequest, matter: FromPath[str], site: FromPath[str]) -> Redirect:
    """Go to where a need is decided: to its queue whoever may, else to the site's page.

    The pieces of the first page are the same for everybody, so who may what is known only here.
    """
    code, visitor = site_of(site).code, visitor_of(request)
    if matter == Matter.TRANSFER.value and visitor.may(Permission.RECEIVE_TRANSFERS):
        return away_to("/transfers", site=code)
    if matter == Matter.REJECTED.value:
        return away_to(f"/sites/{code}/files")
    if visitor.may(Permission.DECIDE):
        queues = {
            Matter.BRAKE: f"/sites/{code}/brakes",
            Matter.CONFLICT: f"/decisions/conflicts?site={code}",
            Matter.QUARANTINE: f"/decisions/quarantine?site={code}",
        }
        path = queues.get(Matter(matter)) if matter in tuple(Matter) else None
        if path is not None:
            return away_to(path)
    return away_to(f"/sites/{code}")


@get("/today", opt={NEEDS: Permission.SEE_SITES})
async def show_today(request: AnyRequest) -> Page:
    """Show the first page."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    outlook = await backstage.live.now()
    pieces = backstage.pieces.of_today(outlook, visitor.language)
    counted = backstage.spreads.newest()
    values = {
        "pieces": pieces,
        "holdings": None if counted is None else holdings_of(counted, local_time(backstage.clock_ms()).year),
        "may_search": visitor.may(Permission.SEARCH_CATALOGUE),
    }
    return page(request, "today.html", stream="/stream/today", values=values)
