"""How a transfer goes on, sent to an open page as it moves."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import FromPath
from litestar.response import Stream

from hub.roles import Permission
from hub.web.admission import NEEDS
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.faults import Missing, TooMany
from hub.web.pages.entries import id_of
from hub.web.pages.streams import AGAIN_MS, HEADERS, PING_S, STREAMS_MAX, is_over
from hub.web.pages.transfers import pieces_of
from hub.web.pieces import Pieces
from hub.web.visitors import STREAM, Visitor, visitor_of
from protocol.errors import DanglianError

LOOK_S: Final = 1.0
"""Seconds between two looks at a transfer that somebody watches: its progress is noted as often."""


@get("/stream/transfer/{name:str}", opt={NEEDS: Permission.RECEIVE_TRANSFERS, STREAM: True})
async def stream_transfer(request: AnyRequest, name: FromPath[str]) -> Stream:
    """Send what changes on a transfer's page."""
    backstage, transfer_id = backstage_of(request), id_of(name)
    if len(backstage.streams) >= STREAMS_MAX:
        raise TooMany(AGAIN_MS // 1000)
    told = _told(backstage, visitor_of(request), transfer_id)
    return Stream(told, media_type="text/event-stream; charset=utf-8", headers=HEADERS)


async def _told(backstage: Backstage, visitor: Visitor, transfer_id: UUID) -> AsyncIterator[bytes]:
    me, known, quiet_s = object(), Pieces(), 0.0
    backstage.streams.add(me)
    try:
        yield f"retry: {AGAIN_MS}\n\n".encode()
        while not backstage.closing.is_set():
            if await is_over(backstage, visitor):
                yield b"event: over\ndata: {}\n\n"
                return
            pieces = await pieces_of(backstage, visitor.language, transfer_id)
            changed = {name: str(html) for name, html in pieces.items() if known.get(name) != html}
            known = pieces
            if changed:
                yield b"event: pieces\ndata: " + msgspec.json.encode(changed) + b"\n\n"
            quiet_s = 0.0 if changed else quiet_s + LOOK_S
            if quiet_s >= PING_S:
                quiet_s = 0.0
                yield b": still here\n\n"
            await _pause(backstage)
    except (DanglianError, Missing):
        yield b"event: over\ndata: {}\n\n"
    finally:
        backstage.streams.discard(me)


async def _pause(backstage: Backstage) -> None:
    """Wait until the next look, or for the end of the console."""
    closing = asyncio.ensure_future(backstage.closing.wait())
    try:
        await asyncio.wait((closing,), timeout=LOOK_S)
    finally:
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
