"""What was decided in the queues, by whom, and undoing it."""

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.decisions import reversal, rulings
from hub.web.answers import Notice, Page, away_to, page
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.faults import Missing
from hub.web.pages.deciding import OPT, SHOWN_MAX, number_of, surroundings, written
from hub.web.visitors import visitor_of
from hub.web.words import in_language


@get("/decisions", opt=OPT)
async def show_rulings(request: AnyRequest) -> Page:
    """Show what was decided, the newest first."""
    before = number_of(request.query_params.get("before", ""))

    def read(connection: Connection) -> dict[str, object]:
        found = rulings.listed(connection, SHOWN_MAX + 1, before)
        older_than = found[SHOWN_MAX - 1].id if len(found) > SHOWN_MAX else None
        return {**surroundings(connection), "rulings": found[:SHOWN_MAX], "older_than": older_than}

    values = await backstage_of(request).database.read(read)
    words = in_language(visitor_of(request).language).decisions
    told = Notice(words=words.undo_done) if request.query_params.get("done") == "undone" else None
    return page(request, "decisions.html", values=values | {"notice": told})


@post("/decisions/rulings/{number:int}/undo", opt=OPT, status_code=200)
async def do_undo(request: AnyRequest, number: FromPath[int]) -> Redirect:
    """Undo a decision; one that was undone before stays undone.

    Raises:
        Missing: there is none of this number.

    """
    if await written(request, lambda found, actor, now_ms: reversal.undo(found, actor, number, now_ms)) is None:
        raise Missing
    return away_to("/decisions", done="undone")
