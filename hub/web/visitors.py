"""Who asks: the session of the cookie, its account, and how the reader wants pages to look.

A visitor without a session has a secret of its own in a cookie as soon as a form is shown, so that the form's token can
be bound to it.
"""

import asyncio
import hashlib
import secrets

import msgspec
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.types import Receive, Scope, Send

from hub.staff import sessions
from hub.staff.accounts import Account
from hub.staff.recognising import recognised
from hub.staff.roles import Permission
from hub.staff.sessions import USE_NOTED_EVERY_S, Session, Stage
from hub.web.asking import AnyConnection
from hub.web.backstage import Backstage, backstage_of
from hub.web.faults import TooMany
from hub.web.languages import Language, Theme, chosen_language, chosen_theme

LANGUAGE_COOKIE = "danglian-language"
THEME_COOKIE = "danglian-theme"
SESSION_COOKIE = "danglian-session"
STRANGER_COOKIE = "danglian-visitor"
PAGE_S = 30.0
"""Seconds for a page, waiting for the store included; a page needs a hundredth of that."""

SECRET_CHARS_MAX = 100
"""Characters of a cookie that is looked at."""

STREAM = "stream"
"""Key of a route's options: what is asked there by itself is no use of a session."""


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks."""

    account: Account | None = None
    """None unless the session is full."""
    session: Session | None = None
    secret: str
    """Secret of the session, or of the stranger; never shown in a page."""
    is_new: bool = False
    """The secret was made for this answer and must be set as a cookie if a form is shown."""
    was_signed_in: bool = False
    """The cookie names a session that is over."""
    language: Language = Language.CHINESE
    theme: Theme = Theme.AUTOMATIC
    origin: str = ""
    agent: str = ""

    @property
    def token(self) -> str:
        """What a form of this visitor carries, so that no other page can send it for them."""
        return hashlib.sha256(b"form:" + self.secret.encode("utf-8", "replace")).hexdigest()

    @property
    def login(self) -> str:
        """Login of who is signed in; empty for a stranger."""
        return "" if self.account is None else self.account.login

    def may(self, permission: Permission) -> bool:
        """Tell whether the visitor may do this."""
        return self.account is not None and permission in self.account.permissions


def cookie_name(name: str, backstage: Backstage) -> str:
    """Return the full name of a cookie: over TLS it is bound to this very host (``__Host-``, RFC 6265bis)."""
    return f"__Host-{name}" if backstage.settings.is_secret else name


class Recognition(AbstractAuthenticationMiddleware):
    """Finds out who asks, before anything else, and gives every page its deadline."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on; a page that takes too long is answered with the one that says so."""
        if scope["route_handler"].opt.get(STREAM):
            await super().__call__(scope, receive, send)
            return
        async with asyncio.timeout(PAGE_S):
            await super().__call__(scope, receive, send)

    async def authenticate_request(self, connection: AnyConnection) -> AuthenticationResult:
        """Return the visitor.

        Raises:
            TooMany: the address asks too often.
            Retryable: the store cannot be read now.

        """
        backstage = backstage_of(connection)
        visitor = stranger(connection)
        connection.scope["user"] = visitor
        wait_s = backstage.requests.wait_s(visitor.origin)
        if wait_s:
            raise TooMany(wait_s)
        secret = connection.cookies.get(cookie_name(SESSION_COOKIE, backstage), "")[:SECRET_CHARS_MAX]
        if secret:
            visitor = await _recognised(backstage, visitor, secret, is_use=not connection.route_handler.opt.get(STREAM))
        return AuthenticationResult(user=visitor, auth=visitor.session)


def stranger(connection: AnyConnection) -> Visitor:
    """Return a visitor of whom nothing is known but what the browser says."""
    backstage = backstage_of(connection)
    cookies = connection.cookies
    secret = cookies.get(cookie_name(STRANGER_COOKIE, backstage), "")[:SECRET_CHARS_MAX]
    return Visitor(
        secret=secret or secrets.token_urlsafe(),
        is_new=not secret,
        language=chosen_language(cookies.get(LANGUAGE_COOKIE, ""), connection.headers.get("accept-language", "")),
        theme=chosen_theme(cookies.get(THEME_COOKIE, "")),
        origin=connection.client.host if connection.client is not None else "",
        agent=connection.headers.get("user-agent", ""),
    )


def visitor_of(connection: AnyConnection) -> Visitor:
    """Return who asks; a stranger where recognising failed."""
    found = connection.scope.get("user")
    return found if isinstance(found, Visitor) else stranger(connection)


async def _recognised(backstage: Backstage, visitor: Visitor, secret: str, *, is_use: bool) -> Visitor:
    now_ms = backstage.clock_ms()
    known = await backstage.database.read(lambda connection: recognised(connection, secret))
    if known is None or sessions.is_over(known.session, now_ms, backstage.settings.idle_minutes * 60):
        return msgspec.structs.replace(visitor, was_signed_in=True)
    session = known.session
    if is_use and now_ms - session.used_at_ms > USE_NOTED_EVERY_S * 1000:
        await backstage.database.write(lambda connection: sessions.note_use(connection, session, now_ms))
    account = known.account if session.stage is Stage.FULL else None
    return msgspec.structs.replace(visitor, account=account, session=session, secret=secret, is_new=False)
