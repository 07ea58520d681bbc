"""The mass changes that a site's brake holds, asked of the site itself, and the decision of a person about one."""

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect

from hub import audit
from hub.audit import Action, AuditEntry
from hub.audit import Outcome as Done
from hub.web.answers import Notice, Page, away_to, page, spoken
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.forms import line_of
from hub.web.held_changes import BrakeDecision, ask_brakes
from hub.web.pages.deciding import OPT, actor_of, names_of, number_of
from hub.web.pages.tending import site_of
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.calls import HeldLines
from protocol.sites import Site
from protocol.wording import Text

DECISIONS = ("release", "reject")


@get("/sites/{code:str}/brakes", opt=OPT)
async def show_brakes(request: AnyRequest, code: FromPath[str]) -> Page:
    """Show what the site holds now."""
    words = in_language(visitor_of(request).language).brakes
    told = {"release": words.released, "reject": words.rejected}.get(request.query_params.get("done", ""))
    return await _shown(request, site_of(code), None if told is None else Notice(words=told))


@post("/sites/{code:str}/brakes", opt=OPT, status_code=200)
async def do_decide_brake(request: AnyRequest, code: FromPath[str]) -> Page | Redirect:
    """Release or reject a change; what the site has not confirmed is said to be undecided."""
    site, backstage = site_of(code), backstage_of(request)
    number, held_at_ms = number_of(await line_of(request, "number")), number_of(await line_of(request, "held"))
    decision, words = await line_of(request, "decision"), in_language(visitor_of(request).language).brakes
    if decision not in DECISIONS or number is None or held_at_ms is None:
        return await _shown(request, site, Notice(words=words.undecided, is_fault=True))
    decided = BrakeDecision(number=number, held_at_ms=held_at_ms, decision=decision)
    said = await ask_brakes(backstage.reach, site, decided)
    is_decided = isinstance(said, HeldLines) and said.is_decided
    actor = actor_of(request)
    entry = AuditEntry(
        who=actor.who,
        action=Action.BRAKE_DECIDED,
        object=f"{site.code} brake {number}",
        outcome=Done.DONE if is_decided else Done.REFUSED,
        origin=actor.origin,
        detail=decision,
    )
    await backstage.database.write(lambda connection: audit.append(connection, entry, backstage.clock_ms()))
    if not is_decided:
        return await _shown(request, site, Notice(words=words.undecided, is_fault=True))
    return away_to(f"/sites/{site.code}/brakes", done=decision)


async def _shown(request: AnyRequest, site: Site, notice: Notice | None) -> Page:
    backstage, visitor = backstage_of(request), visitor_of(request)
    said = await ask_brakes(backstage.reach, site)
    names = await backstage.database.read(names_of)
    values = {
        "site": site.code,
        "name": names.get(site.code, site.code),
        "held": said if isinstance(said, HeldLines) else None,
        "why_not": spoken(said, visitor) if isinstance(said, Text) else "",
        "notice": notice,
    }
    return page(request, "brakes.html", status=400 if notice is not None and notice.is_fault else 200, values=values)
