"""Turns: a page that is being made goes before what the sites send (``replication.precedence``)."""

from typing import Final

from litestar.types import ASGIApp, Receive, Scope, Send

from hub.web.visitors import STREAM
from replication.precedence import Precedence

ENDS: Final = "ends"
"""Option of a stream that ends by itself: somebody waits for it as for a page. Others stay open as long as a page."""


def with_precedence(app: ASGIApp, precedence: Precedence) -> ASGIApp:
    """Return the application; whoever waits for its answer goes before frames."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        options = scope["route_handler"].opt
        if options.get(STREAM) and not options.get(ENDS):
            await app(scope, receive, send)
            return
        with precedence.given():
            await app(scope, receive, send)

    return wrapped
