"""Turns: pages of the console go before frames, and so do streams that end with an answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from litestar import Litestar, Response, get
from litestar.middleware import DefineMiddleware
from litestar.response import Stream
from litestar.testing import AsyncTestClient
from litestar.types import ASGIApp, ControllerRouterHandler

from hub.web.asking import AnyRequest
from hub.web.turns import ENDS, keep_turn, taking_turns, with_turns
from hub.web.visitors import STREAM
from replication.precedence import Precedence


class Noted(Precedence):
    """Tells how many wait."""

    @property
    def waiting(self) -> int:
        return self._waiting


def client_of(handler: ControllerRouterHandler, precedence: Precedence) -> AsyncTestClient[ASGIApp]:
    app = Litestar([handler], middleware=[DefineMiddleware(taking_turns)])
    return AsyncTestClient(with_turns(app, precedence), raise_server_exceptions=False)


async def test_a_page_is_waited_for_until_it_is_there() -> None:
    precedence = Noted()

    @get("/")
    async def page() -> str:
        await asyncio.sleep(0)
        return str(precedence.waiting)

    async with client_of(page, precedence) as client:
        told = (await client.get("/")).text

    assert (told, precedence.waiting) == ("1", 0)


@pytest.mark.parametrize(("ends", "waiting"), [(True, 1), (False, 0)])
async def test_a_stream_is_waited_for_only_if_it_ends_by_itself(ends: bool, waiting: int) -> None:
    """Others stay open as long as their page: beside a page that is open nothing would be applied at full speed."""
    precedence = Noted()

    @get("/", opt={STREAM: True, ENDS: ends})
    async def stream() -> Stream:
        async def told() -> AsyncIterator[str]:
            await asyncio.sleep(0)
            yield str(precedence.waiting)

        return Stream(told(), media_type="text/event-stream; charset=utf-8")

    async with client_of(stream, precedence) as client:
        said = (await client.get("/")).text

    assert (said, precedence.waiting) == (str(waiting), 0)


async def test_what_fails_is_not_waited_for_any_longer() -> None:
    precedence = Noted()

    @get("/")
    async def page() -> str:
        raise ValueError

    async with client_of(page, precedence) as client:
        answer = await client.get("/")

    assert (answer.status_code, precedence.waiting) == (500, 0)


@pytest.mark.parametrize(("path", "waiting"), [("/plain", 0), ("/known", 0), ("/sent", 1), ("/asking", 1)])
async def test_the_turn_is_kept_for_what_is_sure_to_be_asked_for_next(path: str, waiting: int) -> None:
    """A redirect is followed, and a page opens its stream; else frames would be stored between the two."""
    precedence = Noted()

    @get(["/plain", "/known", "/sent", "/asking"])
    async def page(request: AnyRequest) -> Response[str]:
        if request.url.path == "/asking":
            keep_turn(request.scope)
        status = {"/sent": 303, "/known": 304}.get(request.url.path, 200)
        return Response("", status_code=status, headers={"location": "/plain"})

    async with client_of(page, precedence) as client:
        await client.get(path, follow_redirects=False)
        kept = precedence.waiting

    assert kept == waiting
