"""The sites' answers to a search, sent to an open page as they come; the stream ends with the answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final
from uuid import UUID

import msgspec
from litestar import get
from litestar.response import Stream

from hub.membership import keyring
from hub.searching.federation import federated
from hub.searching.gathering import Gathering
from hub.staff.administration import Actor
from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.faults import TooMany
from hub.web.hits import HitLine, groups_of, restricted_in
from hub.web.looks import Look, look_of
from hub.web.outcomes import outcomes_of
from hub.web.pages.streams import AGAIN_MS, STREAMS_MAX
from hub.web.sightings import note_listed
from hub.web.turns import ENDS
from hub.web.visitors import STREAM, Visitor, visitor_of
from hub.web.words import in_language
from protocol.errors import DanglianError
from protocol.limits import SCREEN_DEADLINE_S

REDRAW_S: Final = 0.15
"""Seconds between two states of an answer that are sent: a county's answers come within a second."""

_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


@get("/stream/catalogue", opt={NEEDS: Permission.SEARCH_CATALOGUE, STREAM: True, ENDS: True})
async def stream_search(request: AnyRequest) -> Stream:
    """Ask the sites, and send the growing answer."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    if len(backstage.streams) >= STREAMS_MAX:
        raise TooMany(AGAIN_MS // 1000)
    look = look_of(request.query_params, backstage.asked, visitor.login)
    told = _told(backstage, visitor, look)
    return Stream(told, media_type="text/event-stream; charset=utf-8", headers=_HEADERS)


async def _told(backstage: Backstage, visitor: Visitor, look: Look) -> AsyncIterator[bytes]:
    me = object()
    backstage.streams.add(me)
    drawn_at = 0.0
    actor, noted = Actor(who=visitor.login, origin=visitor.origin), set[UUID]()
    try:
        names = await asyncio.to_thread(backstage.names)
        sites = await backstage.database.read(keyring.site_names)
        query = look.query(with_facets=False)
        asked = federated(
            backstage.database,
            backstage.reach.asker,
            query,
            backstage.clock_ms(),
            names=names,
            deadline_s=SCREEN_DEADLINE_S,
        )
        async with aclosing(asked) as states:
            async for state in states:
                if backstage.closing.is_set():
                    return
                now = time.monotonic()
                if state.finished or now - drawn_at >= REDRAW_S:
                    drawn_at = now
                    groups = groups_of(state.newest(), sites, sees_all=visitor.may(Permission.READ_RESTRICTED))
                    # Before they are sent: whoever goes away in the middle has seen them all the same.
                    fresh = [one for one in restricted_in(groups) if one not in noted]
                    noted.update(fresh)
                    await note_listed(backstage, actor, "/catalogue", fresh)
                    yield _drawn(backstage, visitor, look, state, groups)
        yield b"event: done\ndata: {}\n\n"
    except DanglianError:
        # The store is away, or the words are none: the page that is loaded anew says so.
        yield b"event: over\ndata: {}\n\n"
    finally:
        backstage.streams.discard(me)


def _drawn(backstage: Backstage, visitor: Visitor, look: Look, state: Gathering, groups: list[list[HitLine]]) -> bytes:
    values: dict[str, object] = {
        "w": in_language(visitor.language),
        "lang": visitor.language.value,
        "look": look,
        "groups": groups,
        "results": state.page,
        "summary": state.summary(),
        "outcomes": outcomes_of(state),
        "is_asking": not state.finished,
        "deadline_s": int(SCREEN_DEADLINE_S),
    }
    names = ("results", "outcomes", "total")
    pieces = {name: str(backstage.printer.render(f"pieces/catalogue-{name}.html", values)) for name in names}
    return b"event: pieces\ndata: " + msgspec.json.encode(pieces) + b"\n\n"
