"""What the pages stand on: made once by the daemon, reached from every request."""

import asyncio
from collections.abc import Callable
from typing import Final, cast

import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send

from hub.alarm.metrics import Times
from hub.searching.search import Names
from hub.staff.passwords import Sealer
from hub.web.alike_pairs import AlikeLook
from hub.web.asked_words import AskedWords
from hub.web.asking import AnyConnection
from hub.web.exporting import Exports
from hub.web.live import Live
from hub.web.pictures import Spreads
from hub.web.pieces import PieceMaker
from hub.web.reach import Reach
from hub.web.rendering import Printer
from hub.web.tallies import Tallies
from hub.web.throttling import Throttle
from hub.web_settings import WebSettings
from replication.database import Database

_PLACE: Final = "danglian.backstage"
"""Where a request's scope has it."""


class Backstage(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of the hub that the console uses."""

    database: Database
    settings: WebSettings
    county: str
    """Name of the county archive."""
    sealer: Sealer
    printer: Printer
    live: Live
    pieces: PieceMaker
    requests: Throttle
    attempts: Throttle
    streams: set[object]
    """Open streams."""
    closing: asyncio.Event
    """Set when the console ends: open streams end at once."""
    clock_ms: Callable[[], int]
    reach: Reach = Reach()
    is_linked: Callable[[], bool]
    """True if the hub reaches its broker."""
    asked: AskedWords
    """What people have searched for."""
    tallies: Tallies
    """What was counted for them."""
    exports: Exports
    spreads: Spreads
    alike: AlikeLook
    times: Times
    """How long the interface took for its answers."""
    names: Callable[[], Names | None]
    """What words may also be read as; called in a thread."""


def standing_on(backstage: Backstage, app: ASGIApp) -> ASGIApp:
    """Return an application whose routes find this backstage: the routes themselves are the same in every console."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        cast("dict[str, object]", scope)[_PLACE] = backstage
        await app(scope, receive, send)

    return wrapped


def backstage_of(connection: AnyConnection) -> Backstage:
    """Return what the pages stand on."""
    return cast("dict[str, Backstage]", connection.scope)[_PLACE]
