"""The receiving plan: made for a year, with what was agreed about when records of a kind come, and why."""

from collections.abc import Callable

import msgspec
from litestar import get, post
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.transfers import planning
from hub.transfers.planning import AFTER_YEARS_MAX, Agreement
from hub.web.answers import Notice, Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.faults import Missing
from hub.web.forms import clean, line_of
from hub.web.pages.deciding import names_of, number_of, written
from hub.web.pages.transfers import OPT
from hub.web.reach import Receiving
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.county_time import local_time
from protocol.errors import BadValue
from protocol.receiving_plans import Basis, years_before_transfer
from protocol.vocabularies import LIVELIHOOD_KINDS
from protocol.wording import Text

YEARS = (1900, 2200)
"""Years of which a plan can be shown."""

AGREEMENT_CHARS_MAX = 200
"""Characters of who agreed, and of why."""

KINDS = {kind: Text(zh=one.zh, en=one.en) for kind, one in LIVELIHOOD_KINDS.items()}


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the form of an agreement."""

    site: str = ""
    kind: str = ""
    after: str = ""
    agreed_by: str = ""
    reason: str = ""


@get("/plan", opt=OPT)
async def show_plan(request: AnyRequest) -> Page:
    """Show the plan of a year with what has become of each line, and what was agreed."""
    words = in_language(visitor_of(request).language).keeping
    done = {"made": words.made_done, "agreed": words.agreed_done, "retracted": words.retracted_done}
    told = done.get(request.query_params.get("done", ""))
    asked = request.query_params
    wish = Wish(
        site=clean(asked.get("for", "")), kind=clean(asked.get("kind", "")), after=clean(asked.get("after", ""))
    )
    return await _shown(
        request, _year(request, asked.get("year", "")), wish, None if told is None else Notice(words=told)
    )


@post("/plan/make", opt=OPT, status_code=200)
async def do_make_plan(request: AnyRequest) -> Page | Redirect:
    """Make the plan of a year, or bring it up to date, and tell every site its lines."""
    year, receiving = _year(request, await line_of(request, "year")), _receiving(request)
    return await _changed(
        request,
        year,
        Wish(),
        "made",
        lambda found, actor, now_ms: planning.make(found, actor, receiving.archive, year, now_ms),
    )


@post("/plan/agree", opt=OPT, status_code=200)
async def do_agree(request: AnyRequest) -> Page | Redirect:
    """Write down when records of a kind come from a site, who agreed and why."""
    year, _ = _year(request, await line_of(request, "year")), _receiving(request)
    wish = Wish(**{name: await line_of(request, name) for name in Wish.__struct_fields__})

    def step(connection: Connection, actor: Actor, now_ms: int) -> None:
        planning.agree(connection, actor, _agreement(wish, now_ms), now_ms)

    return await _changed(request, year, wish, "agreed", step)


@post("/plan/retract", opt=OPT, status_code=200)
async def do_retract(request: AnyRequest) -> Page | Redirect:
    """Take an agreement back."""
    year, _ = _year(request, await line_of(request, "year")), _receiving(request)
    site, kind = await line_of(request, "site"), await line_of(request, "kind")
    return await _changed(
        request,
        year,
        Wish(),
        "retracted",
        lambda found, actor, now_ms: planning.retract(found, actor, site, kind, now_ms),
    )


def _agreement(wish: Wish, now_ms: int) -> Agreement:
    years = number_of(wish.after)
    if years is None:
        raise BadValue(
            Text(zh="请填写满几年移交。", en="the years are missing"),
            Text(zh=f"0 至 {AFTER_YEARS_MAX} 的整数。", en=f"A whole number from 0 to {AFTER_YEARS_MAX}."),
        )
    return Agreement(
        site=wish.site,
        kind=wish.kind,
        after_years=years,
        agreed_by=wish.agreed_by[:AGREEMENT_CHARS_MAX],
        reason=wish.reason[:AGREEMENT_CHARS_MAX],
        agreed_at_ms=now_ms,
    )


async def _changed(
    request: AnyRequest, year: int, wish: Wish, done: str, step: Callable[[Connection, Actor, int], object]
) -> Page | Redirect:
    try:
        await written(request, step)
    except BadValue as error:
        return await _shown(request, year, wish, fault_notice(error, visitor_of(request)))
    return away_to("/plan", year=str(year), done=done)


async def _shown(request: AnyRequest, year: int, wish: Wish, notice: Notice | None) -> Page:
    backstage = backstage_of(request)
    receiving, site = backstage.reach.receiving, clean(request.query_params.get("site", ""))

    def read(connection: Connection) -> dict[str, object]:
        lines = [] if receiving is None else planning.plan_lines(connection, receiving.archive, year, site=site)
        agreed = {(one.site, one.kind): one for one in planning.agreements(connection)}
        return {"lines": lines, "agreed": agreed, "names": names_of(connection)}

    values = await backstage.database.read(read)
    more = {
        "year": year,
        "site": site,
        "kinds": KINDS,
        "wish": wish,
        "statutory": 0 if receiving is None else years_before_transfer(receiving.archive),
        "is_agreed": Basis.AGREED,
        "can_work": receiving is not None,
        "notice": notice,
        "here": f"/plan?year={year}",
        "after_max": AFTER_YEARS_MAX,
        "chars_max": AGREEMENT_CHARS_MAX,
    }
    status = 400 if notice is not None and notice.is_fault else 200
    return page(request, "plan.html", status=status, values=values | more)


def _year(request: AnyRequest, text: str) -> int:
    asked = number_of(text)
    if asked is not None and YEARS[0] <= asked <= YEARS[1]:
        return asked
    return local_time(backstage_of(request).clock_ms()).year


def _receiving(request: AnyRequest) -> Receiving:
    found = backstage_of(request).reach.receiving
    if found is None:
        raise Missing
    return found
