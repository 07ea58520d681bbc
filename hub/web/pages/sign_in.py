"""Signing in and out."""

from litestar import get, post
from litestar.response import Redirect
from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry
from hub.staff import sessions, sign_in
from hub.staff.sessions import Session, Stage
from hub.staff.sign_in import Admitted, Caller, Refusal, TurnedAway
from hub.web.admission import ATTEMPT, NEEDS, Door
from hub.web.answers import Notice, Page, away_to, page, preference, safe_path, signed_in, signed_out
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.forms import clean, line_of, secret_of
from hub.web.visitors import LANGUAGE_COOKIE, THEME_COOKIE, Visitor, visitor_of
from hub.web.words import in_language
from protocol.errors import CallTimeout, LinkDown

_WHY = ("idle", "left", "done", "over")


@get("/sign-in", opt={NEEDS: Door.OPEN})
async def show_sign_in(request: AnyRequest) -> Page | Redirect:
    """Show the form; who is signed in goes on."""
    visitor = visitor_of(request)
    wanted = safe_path(request.query_params.get("next", ""))
    if visitor.account is not None:
        return away_to(wanted)
    words = in_language(visitor.language)
    why = request.query_params.get("why", "")
    told = dict(
        zip(_WHY, (words.sign_in.idle, words.sign_in.left, words.set_up.done, words.sign_in.code_over), strict=True)
    )
    notice = Notice(words=told[why], is_fault=why == "over") if why in told else None
    return form(request, wanted, clean(request.query_params.get("login", "")), notice)


@post("/sign-in", opt={NEEDS: Door.OPEN, ATTEMPT: True}, status_code=200)
async def do_sign_in(request: AnyRequest) -> Page | Redirect:
    """Judge name and password."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    login, wanted = await line_of(request, "login"), safe_path(await line_of(request, "next"))
    caller = Caller(origin=visitor.origin, agent=visitor.agent)
    password = await secret_of(request, "password")
    judged = await sign_in.sign_in(backstage.database, backstage.sealer, login, password, caller, backstage.clock_ms())
    if isinstance(judged, TurnedAway):
        notice = _turned_away(visitor, judged)
        return form(request, wanted, login, notice, status=401)
    return let_in(backstage, judged, wanted)


@get("/sign-in/code", opt={NEEDS: Door.OPEN})
async def show_code(request: AnyRequest) -> Page | Redirect:
    """Show the form for the one-time code."""
    visitor = visitor_of(request)
    wanted = safe_path(request.query_params.get("next", ""))
    if visitor.session is None:
        return away_to("/sign-in", next=wanted)
    if visitor.account is not None:
        return away_to(wanted)
    return page(request, "code.html", values={"wanted": wanted})


@post("/sign-in/code", opt={NEEDS: Door.OPEN, ATTEMPT: True}, status_code=200)
async def do_code(request: AnyRequest) -> Page | Redirect:
    """Judge the one-time code."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    wanted = safe_path(await line_of(request, "next"))
    if visitor.session is None or visitor.account is not None:
        return away_to("/sign-in", next=wanted, why="over" if visitor.was_signed_in else "")
    caller = Caller(origin=visitor.origin, agent=visitor.agent)
    code = await line_of(request, "code")
    judged = await sign_in.give_code(backstage.database, visitor.session, code, caller, backstage.clock_ms())
    if isinstance(judged, Admitted):
        return let_in(backstage, judged, wanted)
    if judged.why is Refusal.OVER:
        return away_to("/sign-in", next=wanted, why="over")
    return page(request, "code.html", status=401, values={"wanted": wanted, "notice": _turned_away(visitor, judged)})


@post("/sign-out", opt={NEEDS: Door.SIGNED_IN}, status_code=200)
async def do_sign_out(request: AnyRequest) -> Page | Redirect:
    """End the session, and lead whoever came by the provider to where that one's is ended too."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    session = visitor.session
    if session is not None:
        entry = AuditEntry(who=visitor.login, action=Action.SIGN_OUT, object=visitor.login, origin=visitor.origin)
        now_ms = backstage.clock_ms()

        def end(connection: Connection) -> None:
            sessions.end(connection, session)
            audit.append(connection, entry, now_ms)

        await backstage.database.write(end)
    way = await _way_out(request, session) or away_to("/sign-in", why="left")
    way.set_cookie(signed_out(backstage))
    return way


async def _way_out(request: AnyRequest, session: Session | None) -> Page | None:
    """Return the page that leads on to the provider; None where it has no say, or cannot be reached now."""
    backstage = backstage_of(request)
    provider = backstage.reach.provider
    if session is None or session.way != sessions.OUTSIDE or provider is None:
        return None
    try:
        address = await provider.way_out(f"{backstage.settings.url}/sign-in?why=left")
    except (LinkDown, CallTimeout):
        # The session here is over, which is what was asked for; nobody is kept waiting for the rest.
        return None
    if not address:
        return None
    words = in_language(visitor_of(request).language).outside
    values = {"title": words.leaving_title.format(name=provider.settings.called), "lead": words.leaving}
    return page(request, "outside.html", values={**values, "address": address, "here": "/sign-in"})


def form(request: AnyRequest, wanted: str, login: str, notice: Notice | None, *, status: int = 200) -> Page:
    """Return the page on which people sign in."""
    provider = backstage_of(request).reach.provider
    called = "" if provider is None else provider.settings.called
    values = {"wanted": wanted, "login": login, "notice": notice, "here": "/sign-in", "provider": called}
    return page(request, "sign_in.html", status=status, values=values)


def let_in(backstage: Backstage, judged: Admitted, wanted: str) -> Redirect:
    """Send somebody with a new session where they wanted to go, by way of the one-time code where there is one."""
    way = away_to("/sign-in/code", next=wanted) if judged.stage is Stage.CODE else away_to(wanted)
    way.set_cookie(signed_in(backstage, judged.secret))
    if judged.stage is Stage.FULL:
        for name, value in ((LANGUAGE_COOKIE, judged.account.language), (THEME_COOKIE, judged.account.theme)):
            if value:
                way.set_cookie(preference(backstage, name, value))
    return way


def _turned_away(visitor: Visitor, judged: TurnedAway) -> Notice:
    words = in_language(visitor.language).sign_in
    if judged.why is Refusal.WAIT:
        return Notice(words=words.wait.format(seconds=judged.wait_s), hint=words.wait_hint, is_fault=True)
    if judged.why is Refusal.WRONG_CODE:
        return Notice(words=words.code_wrong, hint=words.code_wrong_hint, is_fault=True)
    return Notice(words=words.wrong, hint=words.wrong_hint, is_fault=True)
