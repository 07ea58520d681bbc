"""Accounts, for the administrator."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.staff import accounts, administration, oidc_links
from hub.staff.accounts import Account
from hub.staff.administration import Actor, NewAccount
from hub.staff.oidc_links import Link
from hub.staff.roles import ROLES, SEPARATED, Permission, Role
from hub.web.admission import NEEDS
from hub.web.answers import Notice, Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.faults import Missing
from hub.web.forms import choices_of, line_of
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.errors import BadValue, Refused

T = TypeVar("T")


_OPT = {NEEDS: Permission.MANAGE_ACCOUNTS}


@get("/users", opt=_OPT)
async def show_users(request: AnyRequest) -> Page:
    """List every account."""
    return await _listed(request)


@post("/users", opt=_OPT, status_code=200)
async def do_add_user(request: AnyRequest) -> Page:
    """Make an account, and show the link for its owner once."""
    login, name = await line_of(request, "login"), await line_of(request, "name")
    roles = await _roles_of(request)
    now_ms = backstage_of(request).clock_ms()
    try:
        made = await _written(
            request, lambda found, actor: administration.add(found, actor, login, name, roles, now_ms)
        )
    except (BadValue, Refused) as error:
        notice = fault_notice(error, visitor_of(request))
        return await _listed(request, notice=notice, login=login, name=name, chosen=roles)
    return _link_shown(request, made)


@get("/users/{login:str}", opt=_OPT)
async def show_user(request: AnyRequest, login: FromPath[str]) -> Page:
    """Show one account.

    Raises:
        Missing: there is none of this login.

    """
    language = in_language(visitor_of(request).language)
    words, outside = language.users, language.outside
    done = {"roles": words.roles_saved, "locked": words.lock_done, "unlocked": words.unlock_done}
    done |= {"linked": outside.linked, "unlinked_subject": outside.unlinked_done}
    told = done.get(request.query_params.get("done", ""))
    return await _one_shown(request, login, None if told is None else Notice(words=told))


@post("/users/{login:str}/roles", opt=_OPT, status_code=200)
async def do_set_roles(request: AnyRequest, login: FromPath[str]) -> Page | Redirect:
    """Give an account other roles."""
    roles = await _roles_of(request)
    now_ms = backstage_of(request).clock_ms()
    return await _changed(
        request, login, "roles", lambda found, actor: administration.set_roles(found, actor, login, roles, now_ms)
    )


@post("/users/{login:str}/lock", opt=_OPT, status_code=200)
async def do_lock(request: AnyRequest, login: FromPath[str]) -> Page | Redirect:
    """Lock an account."""
    now_ms = backstage_of(request).clock_ms()
    return await _changed(
        request, login, "locked", lambda found, actor: administration.lock(found, actor, login, now_ms)
    )


@post("/users/{login:str}/unlock", opt=_OPT, status_code=200)
async def do_unlock(request: AnyRequest, login: FromPath[str]) -> Page | Redirect:
    """Let an account be used again."""
    now_ms = backstage_of(request).clock_ms()
    return await _changed(
        request, login, "unlocked", lambda found, actor: administration.unlock(found, actor, login, now_ms)
    )


@post("/users/{login:str}/reset", opt=_OPT, status_code=200)
async def do_reset(request: AnyRequest, login: FromPath[str]) -> Page:
    """Take password and codes away, and show the link for a new password once."""
    now_ms = backstage_of(request).clock_ms()
    try:
        made = await _written(request, lambda found, actor: administration.reset(found, actor, login, now_ms))
    except (BadValue, Refused) as error:
        return await _one_shown(request, login, fault_notice(error, visitor_of(request)))
    return _link_shown(request, made)


@post("/users/{login:str}/link", opt=_OPT, status_code=200)
async def do_link(request: AnyRequest, login: FromPath[str]) -> Page | Redirect:
    """Let a subject of the provider sign in as an account.

    Raises:
        Missing: there is no provider.

    """
    provider, now_ms = backstage_of(request).reach.provider, backstage_of(request).clock_ms()
    if provider is None:
        raise Missing
    settings, subject = provider.settings, await line_of(request, "subject")
    return await _changed(
        request,
        login,
        "linked",
        lambda found, actor: administration.link(found, actor, settings, login, subject, now_ms),
    )


@post("/users/{login:str}/unlink", opt=_OPT, status_code=200)
async def do_unlink(request: AnyRequest, login: FromPath[str]) -> Page | Redirect:
    """Take a subject from an account."""
    subject, now_ms = await line_of(request, "subject"), backstage_of(request).clock_ms()
    return await _changed(
        request,
        login,
        "unlinked_subject",
        lambda found, actor: administration.unlink(found, actor, login, subject, now_ms),
    )


async def _changed(
    request: AnyRequest, login: str, done: str, step: Callable[[Connection, Actor], Account]
) -> Page | Redirect:
    try:
        one = await _written(request, step)
    except (BadValue, Refused) as error:
        return await _one_shown(request, login, fault_notice(error, visitor_of(request)))
    return away_to(f"/users/{one.login}", done=done)


async def _written(request: AnyRequest, step: Callable[[Connection, Actor], T]) -> T:
    visitor = visitor_of(request)
    actor = Actor(who=visitor.login, origin=visitor.origin)
    return await backstage_of(request).database.write(lambda connection: step(connection, actor))


async def _roles_of(request: AnyRequest) -> list[Role]:
    return [Role(one) for one in await choices_of(request, "role") if one in tuple(Role)]


async def _listed(
    request: AnyRequest,
    *,
    notice: Notice | None = None,
    login: str = "",
    name: str = "",
    chosen: Sequence[Role] = (),
) -> Page:
    found = await backstage_of(request).database.read(accounts.listed)
    values = {"accounts": found, "notice": notice, "login": login, "name": name, "chosen": chosen}
    return page(request, "users.html", status=200 if notice is None else 400, values=values | _ROLE_WORDS)


async def _one_shown(request: AnyRequest, login: str, notice: Notice | None) -> Page:
    def look(connection: Connection) -> tuple[Account, list[Link]] | None:
        one = accounts.by_login(connection, login)
        return None if one is None else (one, oidc_links.of_account(connection, one.id))

    found = await backstage_of(request).database.read(look)
    if found is None:
        raise Missing
    provider = backstage_of(request).reach.provider
    values = {
        "account": found[0],
        "links": found[1],
        "notice": notice,
        "provider": None if provider is None else provider.settings,
    }
    status = 400 if notice is not None and notice.is_fault else 200
    return page(request, "user.html", status=status, values=values | _ROLE_WORDS)


def _link_shown(request: AnyRequest, made: NewAccount) -> Page:
    link = f"{backstage_of(request).settings.url}/set-up/{made.secret}"
    return page(request, "user_link.html", values={"account": made.account, "link": link})


_ROLE_WORDS: dict[str, object] = {"role_words": ROLES, "separated": SEPARATED}
