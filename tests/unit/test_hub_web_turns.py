"""Turns: pages of the console go before frames; a stream does so until it begins."""

import asyncio
from collections.abc import AsyncIterator

from litestar import Litestar, get
from litestar.response import Stream
from litestar.testing import AsyncTestClient

from hub.web.turns import with_precedence
from replication.precedence import Precedence


class Noted(Precedence):
    """Notes how many waited, at each moment at which somebody looked."""

    def waiting(self) -> int:
        return self._waiting


async def test_a_page_is_waited_for_until_it_is_there() -> None:
    precedence = Noted()

    @get("/")
    async def page() -> str:
        await asyncio.sleep(0)
        return str(precedence.waiting())

    async with AsyncTestClient(with_precedence(Litestar([page]), precedence)) as client:
        told = (await client.get("/")).text

    assert (told, precedence.waiting()) == ("1", 0)


async def test_a_stream_is_waited_for_until_it_begins() -> None:
    """It stays open as long as its page: nobody would ever apply anything beside a page that is open."""
    precedence = Noted()

    @get("/")
    async def stream() -> Stream:
        async def told() -> AsyncIterator[str]:
            yield f"data: {precedence.waiting()}\n\n"

        assert precedence.waiting() == 1
        return Stream(told(), media_type="text/event-stream; charset=utf-8")

    async with AsyncTestClient(with_precedence(Litestar([stream]), precedence)) as client:
        said = (await client.get("/")).text

    assert (said.strip(), precedence.waiting()) == ("data: 0", 0)


async def test_what_fails_is_not_waited_for_any_longer() -> None:
    precedence = Noted()

    @get("/")
    async def page() -> str:
        raise ValueError

    async with AsyncTestClient(with_precedence(Litestar([page]), precedence), raise_server_exceptions=False) as client:
        answer = await client.get("/")

    assert (answer.status_code, precedence.waiting()) == (500, 0)
