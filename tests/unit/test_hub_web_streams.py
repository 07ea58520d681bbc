"""What moves: streams tell what changed, cost the store little, and keep nothing and nobody."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection

from hub.sites.board import SiteState, Word, record_beats
from hub.staff import administration
from hub.staff.administration import Actor
from hub.staff.roles import Role
from hub.web.languages import Language
from hub.web.live import MINUTES, Live, Pulse
from hub.web.pieces import groups_of, tiles_of
from protocol.beats import Beat
from tests.consoles import Browser, Desk, browsing, desk, fill_county

SITE = "330599001201"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_county) as made:
        yield made


async def events(answer: httpx.Response) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The events of a stream as a browser hears them."""
    name = ""
    async for line in answer.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def until_told(stream: AsyncIterator[tuple[str, dict[str, Any]]], piece: str) -> str:
    """The next form of a piece that the stream tells."""
    async with asyncio.timeout(20):
        async for name, told in stream:
            if name == "pieces" and piece in told:
                return str(told[piece])
    message = f"the stream ended without {piece}"
    raise AssertionError(message)


def beat(seq: int) -> Beat:
    return Beat(site=SITE, node="U", epoch="e1", seq=seq, records=5_678, software="1.0.0")


async def test_a_stream_tells_first_everything_then_what_changed(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser), browser.client.stream("GET", "/stream/sites") as answer:
        stream = events(answer)
        async with asyncio.timeout(20):
            _, everything = await anext(stream)
        now_ms = here.clock()
        await here.database.write(lambda found: record_beats(found, [beat(9_000)], now_ms))
        changed = await until_told(stream, f"site-{SITE}")

    assert (len([name for name in everything if name.startswith("site-")]), "5,678" in changed) == (20, True)


async def test_a_page_is_made_of_the_pieces_that_the_stream_tells(here: Desk) -> None:
    """So a page that was open for an hour looks as one that is loaded anew."""
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        page = (await browser.get("/today")).text
        outlook = await here.backstage.live.now()
        pieces = here.backstage.pieces.of_today(outlook, Language.CHINESE)

    assert {name for name, html in pieces.items() if name != "as-of" and str(html) not in page} <= {"pulse"}


async def test_a_stream_ends_when_its_person_is_locked(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK, login="lin.min")
    await here.person("guan.li", Role.ADMINISTRATOR)

    def lock(connection: Connection) -> None:
        administration.lock(connection, Actor(who="guan.li"), "lin.min", here.clock())

    async with browsing(browser), browser.client.stream("GET", "/stream/today") as answer:
        stream = events(answer)
        async with asyncio.timeout(20):
            await anext(stream)
            await here.database.write(lock)
            told = [name async for name, _ in stream]

    assert told[-1] == "over"


async def test_an_open_stream_keeps_nobody_signed_in(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser), browser.client.stream("GET", "/stream/today") as answer:
        stream = events(answer)
        async with asyncio.timeout(20):
            await anext(stream)
            here.clock.forward(31 * 60)
            told = [name async for name, _ in stream]

    assert told[-1] == "over"


async def test_a_stranger_gets_no_stream(here: Desk) -> None:
    browser = here.browser()
    async with browsing(browser):
        answer = await browser.get("/stream/sites")

    assert answer.status_code == 303


async def test_open_streams_do_not_delay_the_end(tmp_path: Path) -> None:
    async with desk(tmp_path, fill=fill_county) as here:
        browsers: list[Browser] = [await here.signed_in(Role.CLERK, login=f"clerk{at}") for at in range(5)]
        answers = [
            await one.client.send(one.client.build_request("GET", "/stream/today"), stream=True) for one in browsers
        ]
        for answer in answers:
            async with asyncio.timeout(20):
                await anext(events(answer))
        began_s = time.monotonic()
    took_s = time.monotonic() - began_s
    for answer in answers:
        await answer.aclose()
    for one in browsers:
        await one.close()

    assert (took_s < 5, here.backstage.streams) == (True, set())


async def test_many_lookers_cost_the_store_one_look(here: Desk) -> None:
    live = Live(here.database, here.clock)
    first = await asyncio.gather(*(live.now() for _ in range(50)))
    here.clock.forward(60)
    later = await asyncio.gather(*(live.now() for _ in range(50)))

    assert [len({id(one) for one in outlooks}) for outlooks in (first, later, [*first, *later])] == [1, 1, 2]


# The pulse


def at(applied: int, epoch: str = "e1") -> tuple[SiteState, ...]:
    return (SiteState(site=SITE, word=Word.IN_SYNC, epoch=epoch, applied=applied),)


def test_the_pulse_counts_what_was_applied_by_minute() -> None:
    pulse = Pulse(0)
    for seen, now_ms in (
        (at(100), 0),
        (at(130), 10_000),
        (at(131), 61_000),
        (at(7, "e2"), 62_000),
        (at(5, "e2"), 63_000),
    ):
        pulse.note(seen, now_ms)

    counted = {beat.minute: beat.changes for beat in pulse.beats(63_000) if beat.changes}

    # The first look is where counting begins; a new epoch counts from its beginning; a step back counts nothing.
    assert (counted, len(pulse.beats(63_000))) == ({0: 30, 1: 8}, MINUTES)


async def test_sites_stand_under_their_township(here: Desk) -> None:
    groups = groups_of(tiles_of(await here.backstage.live.now()))

    assert [(group.code, group.head is not None, len(group.tiles)) for group in groups] == [
        ("330599001000", True, 8),
        ("330599002000", True, 5),
        ("330599003000", True, 4),
    ]
