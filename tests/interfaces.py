"""A console with a small catalogue, and other systems that ask it over the interface."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from hub.staff import tokens
from hub.staff.administration import Actor
from hub.staff.tokens import NewToken, Scope
from protocol.vocabularies import AccessStatus
from tests.catalogue import VILLAGE, described, fictitious, withdrawn
from tests.consoles import Desk, desk, fill_county
from tests.hubs import Hub

OPEN, CLOSED, GONE = 1, 2, 3
"""Numbers of fictitious records: one that is open, one that is not, one that was withdrawn."""


@asynccontextmanager
async def interface(folder: Path) -> AsyncIterator[Desk]:
    """Run a console whose catalogue holds an open, a closed and a withdrawn entry, and two open ones that are alike."""
    async with desk(folder, fill=fill_county) as here:
        await Hub(here.database).tell(
            described(
                1, fictitious(OPEN, title="开放的山林承包合同", access_status=AccessStatus.OPEN, person_keys=("k1",))
            ),
            described(2, fictitious(CLOSED, title="未开放的山林承包合同", access_status=AccessStatus.RESTRICTED)),
            described(3, fictitious(GONE, title="撤回的山林承包合同", access_status=AccessStatus.OPEN)),
            withdrawn(4, fictitious(GONE).record_id),
            described(
                5,
                fictitious(
                    OPEN, record_id=fictitious(5).record_id, title="开放的山林承包合同", access_status=AccessStatus.OPEN
                ),
            ),
        )
        yield here


async def token(here: Desk, *scopes: Scope, days: int = 30) -> NewToken:
    """Make a token."""
    actor = Actor(who="test")
    return await here.database.write(
        lambda connection: tokens.add(connection, actor, "另一系统", scopes, here.clock(), days=days)
    )


async def asking(here: Desk, *scopes: Scope) -> httpx.AsyncClient:
    """Return another system with a token; without scopes it has none."""
    headers = {"authorization": f"Bearer {(await token(here, *scopes)).secret}"} if scopes else {}
    return httpx.AsyncClient(base_url=here.url, headers=headers, timeout=20, trust_env=False)


__all__ = ["CLOSED", "GONE", "OPEN", "VILLAGE", "asking", "interface", "token"]
