"""Homes of a village and its township with a transfer between them, for the keeper's page of either."""

from pathlib import Path
from typing import Any

import msgspec

from node.commands.transfer_page import TransfersRoom
from node.home import home_at
from replication.keys import Identity, new_seed
from tests.node_site import CODE
from tests.unit.test_transfer_custody import TOWN, TOWN_SEED, County
from tests.unit.test_transfer_thread import HUB

VILLAGE_SEED = new_seed(b"p" * 32)
"""The key of the village's home, on its page."""


def furnished(here: County, root: Path) -> tuple[TransfersRoom, TransfersRoom]:
    """Give both sites a home with settings and key; returns what the village's page and the township's show."""
    here.keys[CODE] = [*here.keys[CODE], Identity(VILLAGE_SEED).public_key]
    for folder, code, name, seed in (
        ("site", CODE, "某村档案室", VILLAGE_SEED),
        ("town", TOWN, "某镇档案馆", TOWN_SEED),
    ):
        home = home_at(root / folder)
        home.seed.parent.mkdir(parents=True, exist_ok=True)
        home.seed.write_bytes(seed)
        hub = f'[hub]\nurls = ["tls://127.0.0.1:4222"]\nkey = "{HUB.public_key}"\n'
        scans = f"[[scans]]\npath = '{here.village.scans}'\n" if code == CODE else ""
        home.settings.write_text(f'site = "{code}"\nname = "{name}"\n{hub}{scans}', encoding="utf-8")
    return TransfersRoom(home_at(root / "site")), TransfersRoom(home_at(root / "town"))


class Keeper:
    """Somebody before the page, without a browser."""

    def __init__(self, room: TransfersRoom) -> None:
        self._room = room

    async def sees(self, *parts: str) -> Any:  # noqa: ANN401 - what the page gets is JSON
        """Return what the page is told."""
        return msgspec.json.decode((await self._room.answer(list(parts), None)).content)

    async def presses(self, number: object, button: str, **said: object) -> Any:  # noqa: ANN401 - as above
        """Press a button and return what the page is told then."""
        return msgspec.json.decode((await self._room.answer([str(number), button], msgspec.json.encode(said))).content)
