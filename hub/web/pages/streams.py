"""Streams: the pieces of a page that changed, sent as they change (Server-Sent Events, HTML Living Standard 9.2).

A stream ends when the console closes or the session is over; the script then loads the page anew, which leads to the
sign-in. It is no use of the session: an open page does not keep anybody signed in.
"""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from litestar import get
from litestar.params import FromPath
from litestar.response import Stream

from hub.sites.outlook import Outlook
from hub.staff import sessions
from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.faults import TooMany
from hub.web.joining import joining_pieces
from hub.web.pieces import Pieces
from hub.web.visitors import STREAM, Visitor, visitor_of
from protocol.errors import DanglianError

PING_S = 15.0
"""Seconds of silence after which a comment is sent, so that nothing on the way closes the line."""

STREAMS_MAX = 400
"""Open streams: every desk of a county archive, and many more."""

AGAIN_MS = 3_000
"""Milliseconds after which a browser asks again when a stream broke."""


_OPT = {NEEDS: Permission.SEE_SITES, STREAM: True}
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""Of every stream: nothing on the way keeps it, or waits until it has more."""


@get("/stream/today", opt=_OPT)
async def stream_today(request: AnyRequest) -> Stream:
    """Send what changes on the first page."""
    return _stream(request, "today")


@get("/stream/sites", opt=_OPT)
async def stream_sites(request: AnyRequest) -> Stream:
    """Send what changes on the board."""
    return _stream(request, "sites")


@get("/stream/site/{code:str}", opt=_OPT)
async def stream_site(request: AnyRequest, code: FromPath[str]) -> Stream:
    """Send what changes on a site's page."""
    return _stream(request, "site", code)


@get("/stream/joining/{code:str}", opt={NEEDS: Permission.ADMIT_SITES, STREAM: True})
async def stream_joining(request: AnyRequest, code: FromPath[str]) -> Stream:
    """Send how far an installation has come that joins."""
    return _stream(request, "joining", code)


def _stream(request: AnyRequest, topic: str, code: str = "") -> Stream:
    backstage, visitor = backstage_of(request), visitor_of(request)
    if len(backstage.streams) >= STREAMS_MAX:
        raise TooMany(AGAIN_MS // 1000)
    told = _told(backstage, visitor, topic, code)
    return Stream(told, media_type="text/event-stream; charset=utf-8", headers=HEADERS)


async def _told(backstage: Backstage, visitor: Visitor, topic: str, code: str) -> AsyncIterator[bytes]:
    me = object()
    backstage.streams.add(me)
    known: Pieces = {}
    at_ms = 0
    try:
        yield f"retry: {AGAIN_MS}\n\n".encode()
        while not backstage.closing.is_set():
            outlook = await _newer(backstage, at_ms)
            if await is_over(backstage, visitor):
                yield b"event: over\ndata: {}\n\n"
                return
            if outlook is None:
                yield b": still here\n\n"
                continue
            at_ms = outlook.at_ms
            pieces = await _pieces(backstage, outlook, visitor, topic, code)
            changed = {name: html for name, html in pieces.items() if known.get(name) != html}
            known = pieces
            # Only the moment moved: there is nothing to tell but that we are here.
            yield b"event: pieces\ndata: " + msgspec.json.encode({n: str(h) for n, h in changed.items()}) + b"\n\n"
    except DanglianError:
        # The store is away: the browser comes again by itself, and finds the page that says so.
        yield b"event: over\ndata: {}\n\n"
    finally:
        backstage.streams.discard(me)


async def _newer(backstage: Backstage, at_ms: int) -> Outlook | None:
    """Wait for news, or for the end of the console; None if there is none for a while."""
    news = asyncio.ensure_future(backstage.live.newer(at_ms, PING_S))
    closing = asyncio.ensure_future(backstage.closing.wait())
    try:
        await asyncio.wait((news, closing), return_when=asyncio.FIRST_COMPLETED)
        return news.result() if news.done() else None
    finally:
        for waiting in (news, closing):
            waiting.cancel()
        await asyncio.gather(news, closing, return_exceptions=True)


async def is_over(backstage: Backstage, visitor: Visitor) -> bool:
    """Tell whether the session ended meanwhile, or grew too old."""
    session = await backstage.database.read(lambda connection: sessions.found(connection, visitor.secret))
    idle_s = backstage.settings.idle_minutes * 60
    return session is None or sessions.is_over(session, backstage.clock_ms(), idle_s)


async def _pieces(backstage: Backstage, outlook: Outlook, visitor: Visitor, topic: str, code: str) -> Pieces:
    if topic == "today":
        return backstage.pieces.of_today(outlook, visitor.language)
    if topic == "sites":
        return backstage.pieces.of_sites(outlook, visitor.language)
    if topic == "joining":
        return await joining_pieces(backstage, outlook, visitor.language, code)
    return backstage.pieces.of_site(outlook, visitor.language, code)
