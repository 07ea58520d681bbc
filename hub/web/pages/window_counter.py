"""The screen at the counter, under an address of its own: nobody is signed in at it, and it shows numbers only."""

import secrets
from typing import Final

from litestar import get
from litestar.params import FromPath
from litestar.response import Stream

from hub.web.admission import NEEDS, Door
from hub.web.answers import Page, page
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.counter import columns_of, link_of
from hub.web.faults import Missing
from hub.web.languages import Language
from hub.web.pages.watching import stream_of
from hub.web.pieces import Pieces
from hub.web.visitors import STREAM, visitor_of
from hub.web.words import in_language

LOOK_EVERY_S: Final = 2.0
"""Seconds between two looks: a number that is called is on the screen before the applicant has turned round."""


@get("/counter/{link:str}", opt={NEEDS: Door.OPEN})
async def show_counter(request: AnyRequest, link: FromPath[str]) -> Page:
    """Show the screen.

    Raises:
        Missing: the address is none that the window gives out.

    """
    backstage = _backstage(request, link)
    pieces = await _pieces(backstage, visitor_of(request).language)
    return page(request, "counter.html", stream=f"/stream/counter/{link}", values={"pieces": pieces})


@get("/stream/counter/{link:str}", opt={NEEDS: Door.OPEN, STREAM: True})
async def stream_counter(request: AnyRequest, link: FromPath[str]) -> Stream:
    """Send what changes on the screen."""
    backstage, language = _backstage(request, link), visitor_of(request).language

    async def look() -> tuple[Pieces, float]:
        return await _pieces(backstage, language), LOOK_EVERY_S

    return stream_of(backstage, None, look)


def _backstage(request: AnyRequest, link: str) -> Backstage:
    backstage = backstage_of(request)
    if not secrets.compare_digest(link.encode(), link_of(backstage.reach.window.county_key).encode()):
        raise Missing
    return backstage


async def _pieces(backstage: Backstage, language: Language) -> Pieces:
    values: dict[str, object] = {
        "w": in_language(language),
        "lang": language.value,
        "columns": await backstage.database.read(lambda connection: columns_of(connection, backstage.clock_ms())),
    }
    return {"counter": backstage.printer.render("pieces/counter.html", values)}
