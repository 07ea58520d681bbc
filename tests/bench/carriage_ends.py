"""The two ends of a carriage, each in a process of its own, with their real parts over a real link.

Worker: ``python -m tests.bench.carriage_ends give URL CA FOLDER SOURCE [RATE]`` offers every file under SOURCE, says
``ready`` (seconds that summing took, once for all starts) and gives RATE bytes a second; ``… draw URL CA FOLDER INTO``
fetches it and says ``done`` (seconds, peak MB, bytes that the line carried, seconds of processor time). CA is ``-`` for
a link without TLS.
"""

import asyncio
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from uuid import UUID

from hub.draws.draw_book import drawing_of
from hub.draws.drawing import Drawer
from hub.home import SCHEMA as HUB_SCHEMA
from node.carriage_rules import CarriageRules, Pacer
from node.consigning import offer, offered
from node.giving import Giver
from node.tables import SCHEMA as NODE_SCHEMA
from protocol.consignments import ConsignedFile
from protocol.file_lists import FileList
from protocol.sites import parse_site
from replication.connection import Link, LinkSettings, connected, inbox_prefix
from replication.database import Database, opened
from replication.keys import Identity, new_seed
from replication.lifetime import run_until_stopped
from replication.logs import configure_logs
from replication.migrations import REPLICATION
from tests.bench.programs import peak_rss_mb, say

SITE = parse_site("330523108204")
ID = UUID("5d0e3d37-1a57-4d5e-9a77-5b1c8f1f2c11")
NODE_KEY = Identity(new_seed(b"n" * 32))
HUB_KEY = Identity(new_seed(b"h" * 32))


def listed(source: Path) -> FileList:
    """Return every file under a folder with its digest; plain texts, for it is memory that is measured here."""

    def paths() -> Iterator[str]:
        for folder, folders, names in os.walk(source):
            folders.sort()
            yield from (os.path.join(folder, name) for name in sorted(names))  # noqa: PTH118 - as above

    def one(path: str) -> ConsignedFile:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = os.fstat(file.fileno()).st_size
        return ConsignedFile(path=os.path.relpath(path, source), size_bytes=size, sha256=digest)

    return FileList(map(one, paths()))


def link(url: str, authority: str) -> AbstractAsyncContextManager[Link]:
    """Return a link to the broker."""
    ca_file = None if authority == "-" else Path(authority)
    return connected(LinkSettings(urls=(url,), name="bench", inbox_prefix=inbox_prefix(SITE), ca_file=ca_file))


async def _offer(database: Database, source: Path) -> None:
    """Offer what is there; as in a node, nobody holds the list once it stands in the store."""
    files = await asyncio.to_thread(listed, source)
    await database.write(lambda connection: offer(connection, ID, files, source, 1))


async def give(url: str, authority: str, folder: Path, source: Path, bytes_a_second: int = 0) -> None:
    """Offer what is there, and give it until stopped."""
    rules = CarriageRules(None, "Asia/Shanghai", Pacer(bytes_a_second), lambda: time.time_ns() // 10**6)
    async with opened(folder / "node.db", (REPLICATION, NODE_SCHEMA)) as database, link(url, authority) as bus:
        began = time.monotonic()
        if await database.read(lambda connection: offered(connection, ID)) is None:
            await _offer(database, source)
        summed_s = time.monotonic() - began
        await bus.until_connected()
        giving = asyncio.create_task(Giver(database, bus, SITE, NODE_KEY, HUB_KEY.public_key, rules).run())
        await asyncio.sleep(0.2)
        say("ready", summed_s)
        await giving


async def draw(url: str, authority: str, folder: Path, into: Path) -> None:
    """Fetch everything once."""
    async with opened(folder / "hub.db", (REPLICATION, HUB_SCHEMA)) as database, link(url, authority) as bus:
        await bus.until_connected()
        keys = [NODE_KEY.public_key]
        drawer = Drawer(database, bus, HUB_KEY, lambda _site: keys, lambda: time.time_ns() // 10**6)
        began, began_cpu_s = time.monotonic(), time.process_time()
        files = await drawer.listed(SITE, ID)
        say("listed", time.monotonic() - began)
        told = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() - told > 0.05:
                told = time.monotonic()
                say("moved", done, total)

        await drawer.draw_to_the_end(SITE, ID, files, into, progress)
        took_s, used_s = time.monotonic() - began, time.process_time() - began_cpu_s
        line = await database.read(lambda connection: drawing_of(connection, SITE.code, ID))
        carried = line.carried_bytes if line is not None else 0
        say("done", took_s, peak_rss_mb(os.getpid()), carried, used_s)


if __name__ == "__main__":
    configure_logs(level="warning", pretty=False)
    what, url, authority, folder, place, *rate = sys.argv[1:]
    paths = Path(folder), Path(place)
    work = draw(url, authority, *paths) if what == "draw" else give(url, authority, *paths, *map(int, rate))
    sys.exit(run_until_stopped(work))
