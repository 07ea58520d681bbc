"""One-time links: the first administrator, and a password that its owner chooses."""

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.staff import accounts, administration, invitations
from hub.staff.accounts import Account
from hub.staff.invitations import Invitation
from hub.staff.passwords import PASSWORD_CHARS_MIN, checked_password
from hub.web.admission import ATTEMPT, NEEDS, Door
from hub.web.answers import Notice, Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.forms import line_of, secret_of
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.errors import BadValue, Refused


@get("/set-up/{secret:str}", opt={NEEDS: Door.OPEN})
async def show_set_up(request: AnyRequest, secret: FromPath[str]) -> Page:
    """Show what a link is for."""
    link, owner = await _opened(request, secret)
    return _form(request, link, owner)


@post("/set-up/{secret:str}", opt={NEEDS: Door.OPEN, ATTEMPT: True}, status_code=200)
async def do_set_up(request: AnyRequest, secret: FromPath[str]) -> Page | Redirect:
    """Store the password, and the first administrator if the link is for that."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    link, owner = await _opened(request, secret)
    if link is None:
        return _form(request, None, None)
    login = owner.login if owner is not None else await line_of(request, "login")
    name = owner.name if owner is not None else await line_of(request, "name")
    password, again = await secret_of(request, "password"), await secret_of(request, "again")
    words = in_language(visitor.language).set_up
    if password != again:
        notice = Notice(words=words.differ, hint=words.differ_hint, is_fault=True)
        return _form(request, link, owner, login=login, name=name, notice=notice)
    now_ms, origin = backstage.clock_ms(), visitor.origin
    try:
        chosen, called = accounts.checked_login(login), accounts.checked_name(name)
        sealed = await backstage.sealer.sealed(checked_password(password, login=chosen, name=called))
        made = await backstage.database.write(
            lambda found: (
                administration.choose_password(found, link, sealed, origin, now_ms)
                if owner is not None
                else administration.make_first(found, link, chosen, called, sealed, origin, now_ms)
            )
        )
    except (BadValue, Refused) as error:
        return _form(request, link, owner, login=login, name=name, notice=fault_notice(error, visitor))
    return away_to("/sign-in", login=made.login, why="done")


async def _opened(request: AnyRequest, secret: str) -> tuple[Invitation | None, Account | None]:
    backstage = backstage_of(request)
    now_ms = backstage.clock_ms()

    def read(connection: Connection) -> tuple[Invitation | None, Account | None]:
        link = invitations.good(connection, secret, now_ms)
        if link is None or link.account_id is None:
            return link, None
        owner = accounts.by_id(connection, link.account_id)
        return (link, owner) if owner is not None and owner.locked_at_ms is None else (None, None)

    return await backstage.database.read(read)


def _form(
    request: AnyRequest,
    link: Invitation | None,
    owner: Account | None,
    *,
    login: str = "",
    name: str = "",
    notice: Notice | None = None,
) -> Page:
    if link is None:
        return page(request, "void_link.html", status=410)
    values = {"owner": owner, "login": login, "name": name, "notice": notice, "chars_min": PASSWORD_CHARS_MIN}
    return page(request, "set_up.html", status=200 if notice is None else 400, values=values)
