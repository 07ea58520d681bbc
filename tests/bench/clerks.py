"""Clerks of a benchmark: people at the mediation window who work through the console's own pages, as a browser does."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import msgspec
from sqlalchemy import Connection

from hub.staff import accounts, administration
from hub.staff.administration import Actor
from hub.staff.roles import Role
from hub.storage import store
from replication.wall_clock import clock_ms
from tests.bench.county import County
from tests.consoles import PASSWORD, Browser, browsing, quick_sealer, token_in

NUMBER = "330523190001010015"
"""A fictitious identity number with the right check character."""

WHO: Mapping[str, str | list[str]] = {
    "requester": "person",
    "name": "甲某",
    "document": "resident",
    "number": NUMBER,
    "purpose": "land_and_forest",
    "use": ["view"],
    "seen": "yes",
    "go": "next",
}

ANSWER_S = 60.0
"""Seconds that a page may take before the benchmark gives up."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was just sent, and its page."""

    path: str
    """Of the request's page."""
    html: str
    began: float
    """Moment at which the question was sent, by ``time.perf_counter``."""
    submitted_ms: float
    """Milliseconds from sending it to the answer: everything is on the disk."""
    shown_ms: float
    """Milliseconds from sending the question to having its whole page."""

    @property
    def stream(self) -> str:
        """Where what moves on the page comes from."""
        return f"/stream/window/{self.path.rpartition('/')[2]}"


@asynccontextmanager
async def clerk(here: County, login: str, *roles: Role) -> AsyncIterator[Browser]:
    """Make an account and sign in with it."""
    sealed = await quick_sealer().sealed(PASSWORD)

    def make(connection: Connection) -> None:
        made = administration.add(connection, Actor(who="bench"), login, "林敏", roles, clock_ms())
        accounts.set_password(connection, made.account.id, sealed, clock_ms())

    async with store.opened(here.home) as database:
        await database.write(make)
    browser = Browser(here.console, "zh")
    browser.client.timeout = httpx.Timeout(ANSWER_S)
    async with browsing(browser):
        _expect(await browser.sign_in(login), 303)
        yield browser


async def asked(browser: Browser, words: str, place: str = "") -> Shown:
    """Send a whole request, and load the page that it leads to; what is timed begins with its question."""
    path = f"/window/new/{uuid4()}"
    _expect(await browser.post(path, WHO), 303)
    form = _expect(await browser.get(f"{path}/question"), 200)
    fields = {"token": token_in(form.text), "q-count": "1", "q-text-1": words, "q-place-1": place, "go": "submit"}
    began = time.perf_counter()
    sent = _expect(await browser.client.post(f"{path}/question", data=fields), 303)
    submitted_ms = (time.perf_counter() - began) * 1e3
    page = _expect(await browser.get(sent.headers["location"]), 200)
    return Shown(
        path=sent.headers["location"],
        html=page.text,
        began=began,
        submitted_ms=submitted_ms,
        shown_ms=(time.perf_counter() - began) * 1e3,
    )


async def pieces(browser: Browser, path: str) -> AsyncGenerator[dict[str, str], None]:
    """Yield the parts of a page as its stream sends them, for as long as somebody listens."""
    async with browser.client.stream("GET", path) as answer:
        event = ""
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            elif name == "data" and event == "pieces":
                yield msgspec.json.decode(value, type=dict[str, str])


def _expect(answer: httpx.Response, status: int) -> httpx.Response:
    if answer.status_code != status:
        raise RuntimeError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code}")
    return answer
