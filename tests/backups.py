"""A hub's home with a catalogue in it and targets beside it, for the tests of backups."""

import asyncio
import datetime
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection

from hub import config
from hub.backup.backup_settings import BackupTarget
from hub.backup.snapshots import Inventory
from hub.commands.init import make_home, settings_text
from hub.config import HubConfig
from hub.home import HubHome, home_at
from hub.membership import codes, keyring
from hub.membership.codes import CodeOrder
from hub.membership.keyring_tables import enrolled_node
from hub.storage import store
from protocol.sites import Site, parse_site
from replication.keys import Identity, new_seed
from tests.catalogue import OTHER_VILLAGE, VILLAGE, described, fictitious, record_id, withdrawn
from tests.hubs import Hub

COUNTY = "330523000000"
NOW = datetime.datetime(2026, 3, 5, 9, 0, tzinfo=datetime.UTC)
NOW_MS = int(NOW.timestamp() * 1000)
DAY_MS = 86_400_000


def county_home(root: Path, targets: Sequence[tuple[str, str]] = (("nas", "online"),), more: str = "") -> HubHome:
    """A complete home of a hub with three records of two sites, two nodes and one unused code."""
    text = settings_text(COUNTY, "某县档案馆", ["127.0.0.1"], "127.0.0.1", 4222, 4223)
    text += f"\n[backup]\n{more}\n"
    for name, kind in targets:
        text += f'[[backup.target]]\nname = "{name}"\nkind = "{kind}"\npath = "{root / name}"\nkeep = 3\n'
    home = home_at(root / "hub")
    home.root.mkdir(parents=True)
    make_home(home, config.parse(text), text, NOW)
    asyncio.run(fill(home))
    return home


async def fill(home: HubHome) -> None:
    """Three records of two sites, one of them withdrawn; two nodes and one unused code."""
    async with store.opened(home) as database:
        hub = Hub(database)
        await hub.tell(*[described(number, fictitious(number)) for number in (1, 2, 3)])
        await hub.tell(withdrawn(4, record_id(3)))
        await hub.tell(described(1, fictitious(9)), site=OTHER_VILLAGE)
        await database.write(_admit)


def _admit(connection: Connection) -> None:
    for number, site in enumerate((VILLAGE, OTHER_VILLAGE)):
        connection.execute(
            enrolled_node.insert().values(
                public_key=node_key(number), site=site.code, name="档案室", software="", enrolled_at_ms=NOW_MS
            )
        )
    order = CodeOrder(site=parse_site("330523108206"), name="西坑村", valid_days=7)
    codes.issue(connection, order, b"a secret of sixteen", NOW)


def node_key(number: int) -> str:
    """The public key of a fictitious node."""
    return Identity(new_seed(bytes([number] * 32))).public_key


def settings_of(home: HubHome) -> HubConfig:
    """The settings of a home."""
    return config.load(home.settings)


def target_of(home: HubHome, name: str = "nas") -> BackupTarget:
    """One target of a home."""
    return next(one for one in settings_of(home).backup.target if one.name == name)


async def tell_more(home: HubHome, first: int, last: int, site: Site = VILLAGE) -> None:
    """Describe more records of a site."""
    async with store.opened(home) as database:
        await Hub(database).tell(
            *[described(number, fictitious(number)) for number in range(first, last + 1)], site=site
        )


async def keyring_of(home: HubHome) -> list[str]:
    """The public keys that may speak."""
    async with store.opened(home) as database:
        return [one.public_key for one in await database.read(keyring.nodes)]


def tallied(inventory: Inventory) -> dict[str, tuple[int, str]]:
    """Count and digest of every site."""
    return {one.site: (one.records, one.digest) for one in inventory.sites}
