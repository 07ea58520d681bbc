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

News = Callable[[], Awaitable[None]]
"""Returns when something has happened since the last look began; may never do so."""

BREATH_S = 0.1
"""Seconds from the beginning of a look to that of the next at least, however much happens. A look that takes longer
than half of it is followed by as long a rest: making a page anew costs as much as reading one."""


async def _no_news() -> None:
    await asyncio.Event().wait()


def stream_of(backstage: Backstage, visitor: Visitor | None, look: Look, news: News = _no_news) -> Stream:
    """Return a stream; without a visitor it belongs to a screen that nobody is signed in at.

    Args:
        backstage: the console's.
        visitor: who looks.
        look: makes the parts; called again when its time is over, or there is news.
        news: where somebody knows that there is; without it every look comes in its time.

    Raises:
        TooMany: as many streams are open as may be.

    """
    if len(backstage.streams) >= STREAMS_MAX:
        raise TooMany(AGAIN_MS // 1000)
    return Stream(_told(backstage, visitor, look, news), media_type="text/event-stream; charset=utf-8", headers=HEADERS)


async def _told(backstage: Backstage, visitor: Visitor | None, look: Look, news: News) -> AsyncIterator[bytes]:
    me = object()
    backstage.streams.add(me)
    known: Pieces = {}
    clock = asyncio.get_running_loop().time
    told_at = clock()
    try:
        yield f"retry: {AGAIN_MS}\n\n".encode()
        while not backstage.closing.is_set():
            if visitor is not None and await is_over(backstage, visitor):
                yield b"event: over\ndata: {}\n\n"
                return
            looked_at = clock()
            pieces, pause_s = await look()
            breath_s = max(BREATH_S, 2 * (clock() - looked_at))
            changed = {name: str(html) for name, html in pieces.items() if known.get(name) != html}
            known = pieces
            if changed:
                told_at = clock()
                yield b"event: pieces\ndata: " + msgspec.json.encode(changed) + b"\n\n"
            elif clock() - told_at >= PING_S:
                told_at = clock()
                yield b": still here\n\n"
            await _pause(backstage, pause_s, news)
            await _pause(backstage, looked_at + breath_s - clock(), _no_news)
    except (DanglianError, Missing):
        # The store is away, or what was watched is gone: the browser comes again, and finds the page that says so.
        yield b"event: over\ndata: {}\n\n"
    finally:
        backstage.streams.discard(me)


async def _pause(backstage: Backstage, pause_s: float, news: News) -> None:
    """Wait for the time of the next look, for news, or until the console closes."""
    if pause_s <= 0:
        return
    waiting = [asyncio.create_task(backstage.closing.wait()), asyncio.ensure_future(news())]
    try:
        await asyncio.wait(waiting, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
