"""Turns: a page that is being made goes before what the sites send (``replication.precedence``)."""

from typing import Final, cast

from litestar.types import ASGIApp, Receive, Scope, Send

from hub.web.visitors import STREAM
from replication.precedence import Precedence

ENDS: Final = "ends"
"""Option of a stream that ends by itself: somebody waits for it as for a page. Others stay open as long as a page."""

_PLACE: Final = "danglian.precedence"


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
        with cast("dict[str, Precedence]", scope)[_PLACE].given():
            await app(scope, receive, send)

    return wrapped
