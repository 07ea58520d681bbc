"""Signing in by a provider of identities: going there, and coming back.

The way there is a page that goes on by itself, not an answer that redirects a form: browsers hold a redirect to the
rule where forms may go (``form-action``), and that rule stays this console alone, whoever the provider hands on to.
"""

from litestar import get, post
from litestar.response import Redirect

from hub.staff import oidc_sign_in
from hub.staff.oidc_provider import Provider
from hub.staff.oidc_sign_in import LetIn, Refusal, Returned, TurnedAway
from hub.staff.sign_in import Caller
from hub.web.admission import ATTEMPT, NEEDS, Door
from hub.web.answers import Notice, Page, away_to, fault_notice, page, safe_path
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.faults import Missing, TooMany
from hub.web.forms import FIELD_CHARS_MAX, clean, line_of
from hub.web.pages import sign_in
from hub.web.visitors import Visitor, visitor_of
from hub.web.words import in_language
from protocol.errors import CallTimeout, LinkDown

BACK = "/sign-in/outside/back"
"""Path to which the provider sends people back; the provider has to know it with the console's address before it."""

_STATUS = {
    Refusal.ASTRAY: 400,
    Refusal.DENIED: 401,
    Refusal.DISBELIEVED: 401,
    Refusal.UNLINKED: 403,
    Refusal.LOCKED: 403,
}


@post("/sign-in/outside", opt={NEEDS: Door.OPEN, ATTEMPT: True}, status_code=200)
async def do_go(request: AnyRequest) -> Page:
    """Send somebody to the provider.

    Raises:
        Missing: there is none.

    """
    backstage, visitor = backstage_of(request), visitor_of(request)
    provider = _provider(backstage)
    wanted = safe_path(await line_of(request, "next"))
    try:
        address = await oidc_sign_in.begin(
            backstage.database,
            provider,
            visitor.secret,
            wanted,
            _back(backstage),
            _caller(visitor),
            backstage.clock_ms(),
        )
    except (LinkDown, CallTimeout) as error:
        return sign_in.form(request, wanted, "", fault_notice(error, visitor), status=503)
    words = in_language(visitor.language).outside
    title = words.going_title.format(name=provider.settings.called)
    values = {"title": title, "lead": words.going, "address": address, "here": "/sign-in"}
    return page(request, "outside.html", values=values)


@get(BACK, opt={NEEDS: Door.OPEN})
async def come_back(request: AnyRequest) -> Page | Redirect:
    """Judge what somebody brings back from the provider.

    Raises:
        Missing: there is no provider.
        TooMany: the address tries too often.

    """
    backstage, visitor = backstage_of(request), visitor_of(request)
    provider = _provider(backstage)
    if "state" not in request.query_params:
        return away_to("/sign-in")
    wait_s = backstage.attempts.wait_s(visitor.origin)
    if wait_s:
        raise TooMany(wait_s)
    returned = Returned(
        **{
            name: clean(request.query_params.get(asked, "")[:FIELD_CHARS_MAX])
            for name, asked in (("state", "state"), ("code", "code"), ("error", "error"), ("issuer", "iss"))
        }
    )
    try:
        judged = await oidc_sign_in.end(
            backstage.database,
            provider,
            visitor.secret,
            returned,
            _back(backstage),
            _caller(visitor),
            backstage.clock_ms(),
        )
    except (LinkDown, CallTimeout) as error:
        return sign_in.form(request, "/today", "", fault_notice(error, visitor), status=503)
    if isinstance(judged, LetIn):
        return sign_in.let_in(backstage, judged.admitted, safe_path(judged.wanted))
    return sign_in.form(request, "/today", "", _turned_away(visitor, provider, judged), status=_STATUS[judged.why])


def _provider(backstage: Backstage) -> Provider:
    if backstage.reach.provider is None:
        raise Missing
    return backstage.reach.provider


def _back(backstage: Backstage) -> str:
    return f"{backstage.settings.url}{BACK}"


def _caller(visitor: Visitor) -> Caller:
    return Caller(origin=visitor.origin, agent=visitor.agent)


def _turned_away(visitor: Visitor, provider: Provider, judged: TurnedAway) -> Notice:
    words = in_language(visitor.language).outside
    said = {
        Refusal.ASTRAY: (words.astray, words.astray_hint),
        Refusal.DENIED: (words.denied, words.denied_hint),
        Refusal.DISBELIEVED: (words.disbelieved, words.disbelieved_hint),
        Refusal.UNLINKED: (words.unlinked, words.unlinked_hint.format(subject=judged.subject)),
        Refusal.LOCKED: (words.locked, words.locked_hint),
    }
    told, hint = said[judged.why]
    return Notice(words=told.replace("{name}", provider.settings.called), hint=hint, is_fault=True)
