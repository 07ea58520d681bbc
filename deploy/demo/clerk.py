"""A person at the console, in the place of a browser: signs in, fills in forms, reads what comes of it."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from deploy.demo.commands import until
from deploy.demo.sign_in import SignIn
from protocol.errors import LinkDown
from protocol.wording import Text

Fields = Mapping[str, str | list[str]]

ANSWER_S = 20.0
"""Seconds that a page may take."""

_TOKEN = re.compile(r'name="token" value="([0-9a-f]+)"')


class Clerk:
    """Somebody who is signed in; made by `signed_in`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def read(self, path: str) -> str:
        """Return a page."""
        return (await self._client.get(path)).text

    async def send(self, path: str, fields: Fields, *, shown_at: str = "") -> str:
        """Send a form that stands on a page; returns where it leads.

        Raises:
            LinkDown: it was not taken.

        """
        page = await self._client.get(shown_at or path, follow_redirects=True)
        token = _TOKEN.search(page.text)
        given = {"token": "" if token is None else token[1], **fields}
        answer = await self._client.post(path, data=given)
        if not answer.has_redirect_location:
            place = f"{path} ({answer.status_code})"
            raise LinkDown(Text(zh=f"控制台没有接受：{place}", en=f"the console did not take it: {place}"))
        return str(answer.headers["location"])

    async def finds(self, path: str, pattern: str, patience_s: float) -> list[str]:
        """Look at a page until something stands on it; returns all that does.

        Raises:
            LinkDown: it did not appear.

        """

        async def look() -> list[str] | None:
            return re.findall(pattern, await self.read(path), re.DOTALL) or None

        return await until(look, patience_s)


@asynccontextmanager
async def signed_in(sign_in: SignIn, login: str) -> AsyncIterator[Clerk]:
    """Sign somebody in at the console."""
    async with httpx.AsyncClient(base_url=sign_in.url, timeout=ANSWER_S, trust_env=False) as client:
        clerk = Clerk(client)
        await clerk.send("/sign-in", {"login": login, "password": sign_in.password, "next": "/today"})
        yield clerk
