"""The rules by which the archive numbers what it takes, and what they would give for one transfer."""

import msgspec
from litestar import get, post
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.transfers import archive_codes, deciding
from hub.transfers.archive_codes import CodeRule
from hub.transfers.archive_numbers import GivenCode
from hub.web.answers import Notice, Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import backstage_of
from hub.web.faults import Missing
from hub.web.forms import clean, line_of
from hub.web.pages.deciding import names_of, written
from hub.web.pages.transfers import OPT
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.errors import BadValue
from protocol.sites import parse_site

CODES_SHOWN_MAX = 20
"""Codes of a preview that are listed."""

RULE_CHARS_MAX = 80
"""Characters of a pattern, or of one of the numbers in a rule."""


@get("/transfers/codes", opt=OPT)
async def show_codes(request: AnyRequest) -> Page:
    """Show the rules; with ``of``, what they would give for that transfer."""
    words = in_language(visitor_of(request).language).codes
    told = Notice(words=words.set_done) if request.query_params.get("done") == "set" else None
    return await _shown(request, clean(request.query_params.get("of", "")), CodeRule(pattern=""), told)


@post("/transfers/codes", opt=OPT, status_code=200)
async def do_set_rule(request: AnyRequest) -> Page | Redirect:
    """Set a rule in the place of the one for the same site and fonds."""
    if backstage_of(request).reach.receiving is None:
        raise Missing
    names = ("site", "office_fonds", "fonds", "catalogue", "pattern")
    wish = CodeRule(**{name: (await line_of(request, name))[:RULE_CHARS_MAX] for name in names})

    def step(connection: Connection, actor: Actor, now_ms: int) -> None:
        site = parse_site(wish.site).code if wish.site else ""
        archive_codes.set_rule(connection, msgspec.structs.replace(wish, site=site, set_by=actor.who), now_ms)

    try:
        await written(request, step)
    except BadValue as error:
        return await _shown(request, "", wish, fault_notice(error, visitor_of(request)))
    return away_to("/transfers/codes", done="set")


async def _shown(request: AnyRequest, of: str, wish: CodeRule, notice: Notice | None) -> Page:
    backstage = backstage_of(request)

    def read(connection: Connection) -> dict[str, object]:
        return {"rules": archive_codes.rules(connection), "names": names_of(connection)}

    def preview(connection: Connection) -> list[GivenCode]:
        return archive_codes.preview(connection, deciding.found(connection, id_of(of)))

    values, given = await backstage.database.read(read), list[GivenCode]()
    if of:
        try:
            given = await backstage.database.read(preview)
        except BadValue as error:
            notice = fault_notice(error, visitor_of(request))
    more = {
        "of": of,
        "given": given[:CODES_SHOWN_MAX],
        "given_count": len(given),
        "wish": wish,
        "notice": notice,
        "can_work": backstage.reach.receiving is not None,
        "chars_max": RULE_CHARS_MAX,
        "here": "/transfers/codes",
    }
    status = 400 if notice is not None and notice.is_fault else 200
    return page(request, "codes.html", status=status, values=values | more)
