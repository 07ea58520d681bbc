"""Exports of a result: begun from the search page, followed while they are written, fetched when they are done."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Stream

from hub.catalogue_files import MEDIA_TYPES, FileFormat
from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.answers import Page, away_to, page
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.exporting import EXPORT_ENTRIES_MAX, Asked, Export, heading
from hub.web.faults import Missing, TooMany
from hub.web.forms import line_of
from hub.web.looks import LIMITS, look_of
from hub.web.pages.streams import STREAMS_MAX
from hub.web.visitors import STREAM, Visitor, visitor_of
from hub.web.words import in_language

LOOK_EVERY_S: Final = 0.5
"""Seconds between two looks at an export that is being written."""

CHUNK_BYTES: Final = 256 * 1024
"""Bytes of a file that are sent at once."""

AGAIN_S: Final = 60
"""Seconds after which somebody for whom there was no room may try again."""

_OPT = {NEEDS: Permission.EXPORT_CATALOGUE}


@post("/catalogue/exports", opt=_OPT, status_code=200)
async def do_export(request: AnyRequest) -> Redirect:
    """Begin an export of the result that a page shows.

    Raises:
        Missing: the words of the search are not kept any more, or the format is none.
        TooMany: too many exports are being written.

    """
    backstage, visitor = backstage_of(request), visitor_of(request)
    given = {name: await line_of(request, name) for name in ("q", *LIMITS)}
    look, kind = look_of(given, backstage.asked, visitor.login), await line_of(request, "format")
    if look.is_forgotten or kind not in tuple(FileFormat):
        raise Missing
    words, language = in_language(visitor.language).export, visitor.language.value
    asked = Asked(
        login=visitor.login,
        origin=visitor.origin,
        query=look.query(with_facets=False),
        format=FileFormat(kind),
        heading=heading(words.file_title, backstage.county, language, backstage.clock_ms()),
    )
    made = backstage.exports.begin(asked)
    if made is None:
        raise TooMany(AGAIN_S)
    return away_to(f"/catalogue/exports/{made.number}")


@get("/catalogue/exports/{number:str}", opt=_OPT)
async def show_export(request: AnyRequest, number: FromPath[str]) -> Page:
    """Show how far an export is."""
    export = _found(request, number)
    stream = "" if export.is_done else f"/stream/export/{number}"
    return page(request, "export.html", stream=stream, values=_values(export))


@get("/catalogue/exports/{number:str}/file", opt=_OPT)
async def fetch_export(request: AnyRequest, number: FromPath[str]) -> Stream:
    """Give the file of an export that is done."""
    export = _found(request, number)
    if not export.is_done or export.fault is not None:
        raise Missing
    name = f"catalogue-{export.asked.heading.made_at:%Y%m%d-%H%M%S}.{export.asked.format.value}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Stream(_parts(export), media_type=MEDIA_TYPES[export.asked.format], headers=headers)


@get("/stream/export/{number:str}", opt=_OPT | {STREAM: True})
async def stream_export(request: AnyRequest, number: FromPath[str]) -> Stream:
    """Send how far an export is, until it is done."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    if len(backstage.streams) >= STREAMS_MAX:
        raise TooMany(AGAIN_S)
    told = _told(backstage, visitor, _found(request, number))
    return Stream(told, media_type="text/event-stream; charset=utf-8", headers={"cache-control": "no-store"})


def _found(request: AnyRequest, number: str) -> Export:
    export = backstage_of(request).exports.of(visitor_of(request).login, number)
    if export is None:
        raise Missing
    return export


async def _parts(export: Export) -> AsyncIterator[bytes]:
    at = 0
    with export.fetched():
        while part := await asyncio.to_thread(export.part, at, CHUNK_BYTES):
            yield part
            at += len(part)


async def _told(backstage: Backstage, visitor: Visitor, export: Export) -> AsyncIterator[bytes]:
    me = object()
    backstage.streams.add(me)
    try:
        while not backstage.closing.is_set():
            is_last = export.is_done
            values = _values(export) | {"w": in_language(visitor.language), "lang": visitor.language.value}
            html = str(backstage.printer.render("pieces/export.html", values))
            yield b"event: pieces\ndata: " + msgspec.json.encode({"export": html}) + b"\n\n"
            if is_last:
                yield b"event: done\ndata: {}\n\n"
                return
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        backstage.streams.discard(me)


def _values(export: Export) -> dict[str, object]:
    return {
        "export": export,
        "entries_max": EXPORT_ENTRIES_MAX,
        "expected": max(1, min(export.total, EXPORT_ENTRIES_MAX)),
    }
