"""Watching: the parts of one page that moved, looked at every moment for as long as somebody looks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from litestar.response import Stream

from hub.web.backstage import Backstage
from hub.web.faults import Missing, TooMany
from hub.web.pages.streams import AGAIN_MS, HEADERS, PING_S, STREAMS_MAX, is_over
from hub.web.pieces import Pieces
from hub.web.visitors import Visitor
from protocol.errors import DanglianError

Look = Callable[[], Awaitable[tuple[Pieces, float]]]
"""Makes the parts of a page, and says after how many seconds to look again."""


def stream_of(backstage: Backstage, visitor: Visitor | None, look: Look) -> Stream:
    """Return a stream; without a visitor it belongs to a screen that nobody is signed in at.

    Raises:
        TooMany: as many streams are open as may be.

    """
    if len(backstage.streams) >= STREAMS_MAX:
        raise TooMany(AGAIN_MS // 1000)
    return Stream(_told(backstage, visitor, look), media_type="text/event-stream; charset=utf-8", headers=HEADERS)


async def _told(backstage: Backstage, visitor: Visitor | None, look: Look) -> AsyncIterator[bytes]:
    me = object()
    backstage.streams.add(me)
    known: Pieces = {}
    quiet_s = 0.0
    try:
        yield f"retry: {AGAIN_MS}\n\n".encode()
        while not backstage.closing.is_set():
            if visitor is not None and await is_over(backstage, visitor):
                yield b"event: over\ndata: {}\n\n"
                return
            pieces, pause_s = await look()
            changed = {name: str(html) for name, html in pieces.items() if known.get(name) != html}
            known = pieces
            if changed:
                quiet_s = 0.0
                yield b"event: pieces\ndata: " + msgspec.json.encode(changed) + b"\n\n"
            elif quiet_s >= PING_S:
                quiet_s = 0.0
                yield b": still here\n\n"
            quiet_s += pause_s
            await _pause(backstage, pause_s)
    except (DanglianError, Missing):
        # The store is away, or what was watched is gone: the browser comes again, and finds the page that says so.
        yield b"event: over\ndata: {}\n\n"
    finally:
        backstage.streams.discard(me)


async def _pause(backstage: Backstage, pause_s: float) -> None:
    try:
        async with asyncio.timeout(pause_s):
            await backstage.closing.wait()
    except TimeoutError:
        return  # The console stays open: time for the next look.
