"""Tokens by which other systems use the interface, for the administrator: made, shown once, revoked.

What an administrator may not read (entries that are not open, the audit log) no token made here reads either: reviewer,
administrator and auditor are separated. Such tokens are made at the server (``danglian-hub token``).
"""

from typing import Final

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.staff import tokens
from hub.staff.administration import Actor
from hub.staff.roles import Permission
from hub.staff.tokens import LIFE_DAYS_DEFAULT, LIFE_DAYS_MAX, NAME_CHARS_MAX, SCOPES, NewToken, Scope
from hub.web.admission import NEEDS
from hub.web.answers import Notice, Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.faults import Missing
from hub.web.forms import choices_of, line_of
from hub.web.pages.deciding import number_of, written
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.errors import BadValue

OFFERED: Final = (Scope.CATALOGUE, Scope.SITES, Scope.DECISIONS, Scope.METRICS)
"""Scopes that are given here."""

_OPT = {NEEDS: Permission.MANAGE_ACCOUNTS}


@get("/tokens", opt=_OPT)
async def show_tokens(request: AnyRequest) -> Page:
    """List every token."""
    words = in_language(visitor_of(request).language).tokens
    told = Notice(words=words.revoked_done) if request.query_params.get("done") == "revoked" else None
    return await _listed(request, told)


@post("/tokens", opt=_OPT, status_code=200)
async def do_add_token(request: AnyRequest) -> Page:
    """Make a token, and show it this once."""
    name, days = await line_of(request, "name"), number_of(await line_of(request, "days")) or 0
    chosen = [scope for scope in OFFERED if scope.value in await choices_of(request, "scope")]

    def make(connection: Connection, actor: Actor, now_ms: int) -> NewToken:
        return tokens.add(connection, actor, name, chosen, now_ms, days=days)

    try:
        made = await written(request, make)
    except BadValue as error:
        return await _listed(request, fault_notice(error, visitor_of(request)), name=name, days=days, chosen=chosen)
    return await _listed(request, None, made=made)


@post("/tokens/{token_id:str}/revoke", opt=_OPT, status_code=200)
async def do_revoke_token(request: AnyRequest, token_id: FromPath[str]) -> Redirect:
    """Make a token worthless at once.

    Raises:
        Missing: there is none of this id.

    """
    try:
        await written(request, lambda found, actor, now_ms: tokens.revoke(found, actor, token_id, now_ms))
    except BadValue as error:
        raise Missing from error
    return away_to("/tokens", done="revoked")


async def _listed(
    request: AnyRequest,
    notice: Notice | None,
    *,
    made: NewToken | None = None,
    name: str = "",
    days: int = LIFE_DAYS_DEFAULT,
    chosen: list[Scope] | None = None,
) -> Page:
    backstage = backstage_of(request)
    values = {
        "tokens": await backstage.database.read(tokens.listed),
        "now_ms": backstage.clock_ms(),
        "made": made,
        "offered": OFFERED,
        "scope_words": SCOPES,
        "name": name,
        "days": days,
        "days_max": LIFE_DAYS_MAX,
        "name_chars": NAME_CHARS_MAX,
        "chosen": chosen or [],
        "notice": notice,
    }
    status = 400 if notice is not None and notice.is_fault else 200
    return page(request, "tokens.html", status=status, values=values)
