"""Turns: a page that is being made goes before what the sites send (``replication.precedence``)."""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from replication.precedence import Precedence

_STREAM = b"text/event-stream"


def with_precedence(app: ASGIApp, precedence: Precedence) -> ASGIApp:
    """Return the application; whoever waits for its answer goes before frames.

    A stream of events has been waited for once it begins: it stays open as long as its page.
    """

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        with precedence.given() as waits:

            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start" and _is_stream(message):
                    waits.end()
                await send(message)

            await app(scope, receive, sent)

    return wrapped


def _is_stream(message: HTTPResponseStartEvent) -> bool:
    return any(name == b"content-type" and value.startswith(_STREAM) for name, value in message["headers"])
