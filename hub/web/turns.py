"""Turns: a page that is being made goes before what the sites send (``replication.precedence``).

What a person waits for may take several requests: a form, the page that its answer leads to, the stream that this page
opens. Between two of them nobody waits, and the next is sure to come; so the turn is kept for it.
"""

from typing import Final, cast

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from hub.web.visitors import STREAM
from replication.precedence import FOLLOWED_S, Precedence

ENDS: Final = "ends"
"""Option of a stream that ends by itself: somebody waits for it as for a page. Others stay open as long as a page."""

_PLACE: Final = "danglian.precedence"

_FOLLOWED: Final = "danglian.followed"

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
"""Not 304: a picture that has not changed leads to nothing."""


def keep_turn(scope: Scope) -> None:
    """Say that the page which is being made will ask for more as soon as it is there."""
    cast("dict[str, object]", scope)[_FOLLOWED] = True


def with_turns(app: ASGIApp, precedence: Precedence) -> ASGIApp:
    """Return an application of which some routes go before frames; which, the routes know (``taking_turns``)."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        cast("dict[str, object]", scope)[_PLACE] = precedence
        await app(scope, receive, send)

    return wrapped


def taking_turns(app: ASGIApp) -> ASGIApp:
    """Return the routes; whoever waits for their answer goes before frames."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        options = scope["route_handler"].opt
        if options.get(STREAM) and not options.get(ENDS):
            await app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _REDIRECTS:
                keep_turn(scope)
            await send(message)

        precedence = cast("dict[str, Precedence]", scope)[_PLACE]
        with precedence.given():
            await app(scope, receive, sending)
            if _FOLLOWED in scope:
                precedence.hold(FOLLOWED_S)

    return wrapped
