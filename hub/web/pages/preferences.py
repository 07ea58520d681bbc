"""How a reader wants pages to look, signed in or not."""

from litestar import post
from litestar.response import Redirect

from hub.staff import accounts
from hub.web.admission import NEEDS, Door
from hub.web.answers import away_to, preference, safe_path
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.forms import line_of
from hub.web.languages import Language, Theme
from hub.web.visitors import LANGUAGE_COOKIE, THEME_COOKIE, visitor_of


@post("/preferences", opt={NEEDS: Door.OPEN}, status_code=200)
async def do_prefer(request: AnyRequest) -> Redirect:
    """Keep a language or a theme: in a cookie, and with the account if somebody is signed in."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    language, theme = await line_of(request, "language"), await line_of(request, "theme")
    language = language if language in tuple(Language) else ""
    theme = theme if theme in tuple(Theme) else ""
    way = away_to(safe_path(await line_of(request, "next")))
    for name, value in ((LANGUAGE_COOKIE, language), (THEME_COOKIE, theme)):
        if value:
            way.set_cookie(preference(backstage, name, value))
    account = visitor.account
    if account is not None and (language or theme):
        await backstage.database.write(
            lambda connection: accounts.set_preferences(connection, account.id, language=language, theme=theme)
        )
    return way
