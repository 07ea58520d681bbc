"""Asks every site at the console again and again, as a person at a screen does: a search with its live answers."""

import asyncio
import re
import time
from collections.abc import Mapping
from html import unescape
from typing import Final

import msgspec

from tests.bench.clerks import pieces
from tests.consoles import Browser, token_in

PAUSE_S: Final = 0.35
"""Seconds between two questions: as many as the console takes from one address."""

_STREAM: Final = re.compile(r'"(/stream/catalogue[^"]*)"')
_ANSWERED: Final = re.compile(r'<td class="when">#')
"""Where the page says up to which event a site has answered."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What one question took, in milliseconds, and when it was answered (monotonic)."""

    at: float
    index_ms: float
    """Until the page with the hub's own hits is there."""
    end_ms: float
    """Until every site has answered."""
    live: int
    """Sites that did."""


async def ask_on(browser: Browser, words: str, heard: list[Asked]) -> None:
    """Ask for ever."""
    while True:
        heard.append(await _ask(browser, words))


async def _ask(browser: Browser, words: str) -> Asked:
    # Whoever asks has had the form before them for a while: how long it takes to load is no part of the answer.
    form = await browser.get("/catalogue")
    await asyncio.sleep(PAUSE_S)
    began = time.monotonic()
    fields = {"token": token_in(form.text), "words": words, "live": "1"}
    sent = await browser.client.post("/catalogue", data=fields)
    page = await browser.get(sent.headers["location"])
    index_ms = (time.monotonic() - began) * 1e3
    stream = _STREAM.search(page.text)
    if stream is None:
        raise RuntimeError(f"no site is asked: {page.status_code}")
    drawn: Mapping[str, str] = {}
    async for drawn in pieces(browser, unescape(stream[1])):  # noqa: B007 - the last one is what counts
        pass
    ended = time.monotonic()
    live = len(_ANSWERED.findall(drawn["outcomes"]))
    return Asked(at=ended, index_ms=index_ms, end_ms=(ended - began) * 1e3, live=live)
