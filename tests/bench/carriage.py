"""Files from a site to the hub: many small ones, few large ones, memory at both ends, and what a killed hub costs.

Link, seals, database and syncing are those of the product, over TLS. Each end runs with the packages that a village or
a hub gets (``village.py``). The peers run on the same files in the same run.
"""

import os
import random
import shutil
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from hub.broker import broker_environment
from hub.membership.broker_config import PAYLOAD_BYTES_MAX
from tests.bench.carriage_peers import count_in, rsync_s, syncthing_s
from tests.bench.figures import Figure, Scale
from tests.bench.plain_carriage import Floor, bare_carriage
from tests.bench.programs import Program, cpu_s, peak_rss_mb, running, worker
from tests.bench.village import Village, village
from tests.identities import County
from tests.servers import NatsServer

SMALL_FILES = 9_185
"""Scans of the package that one enterprise brought."""

SMALL_BYTES = (1_024, 64 * 1_024)
"""Bytes of the smallest and the largest of them; every size of a power of two is as frequent."""

LARGE_FILES = 8
LARGE_BYTES = 128 * 1024 * 1024
"""Files of 1 GB in all, and bytes of each."""

ROWS_OF_WHOLE = 50_000
"""Rows of a run at full size; a smaller run has so much fewer files."""

KILLED_AT = 0.5
"""Share of the large files that is there when the hub is killed."""


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """What one carriage took."""

    took_s: float
    hub_mb: float
    node_mb: float
    cpu_s: tuple[float, float, float]
    """Seconds of processor time: of the hub, the node, the broker."""


class Pythons(msgspec.Struct, frozen=True, kw_only=True):
    """What each end runs in."""

    node: Village
    hub: Village


async def measure(scale: Scale, folder: Path) -> Sequence[Figure]:
    """Both kinds of files, beside the peers, and a kill."""
    share = min(1.0, scale.rows / ROWS_OF_WHOLE)
    small, large = folder / "small", folder / "large"
    _write_small(small, max(200, int(SMALL_FILES * share)))
    _write_large(large, max(1, int(LARGE_FILES * share)))
    pythons = Pythons(node=await village(folder), hub=await village(folder, "hub"))
    many = await _beside(folder, small, pythons)
    few = await _beside(folder, large, pythons)
    floors = [await _floor(folder / f"floor-{how}", large, how) for how in ("nats", "sockets")]
    again = await _killed(folder, large, pythons)
    files, total = count_in(small), sum(path.stat().st_size for path in large.iterdir())
    return [
        *_small_figures(files, *many),
        *_large_figures(total, *few, floors),
        *_processor_figures(total, few[0], floors[-1]),
        _memory(f"hub ({pythons.hub.packages}), peak resident", max(many[0].hub_mb, few[0].hub_mb)),
        _memory(f"node ({pythons.node.packages}), peak resident", max(many[0].node_mb, few[0].node_mb)),
        Figure(
            bench="carriage",
            what=f"{total / 1e9:.1f} GB, hub killed at half: bytes sent again",
            unit="%",
            ours=again * 100,
            target="≤ 1 (10 GB)",
        ),
    ]


def _small_figures(files: int, ours: Carried, rsync: float | None, syncthing: float | None) -> list[Figure]:
    what = f"{files:,} files of 1-64 kB, synced"
    return [
        Figure(
            bench="carriage",
            what=what,
            unit="files/s",
            ours=files / ours.took_s,
            peer=files / taken if taken else None,
            peer_name=name,
            target=target,
        )
        for name, taken, target in (("Syncthing", syncthing, "≥ 2 × peer"), ("rsync --fsync", rsync, ""))
    ]


def _large_figures(
    total: int, ours: Carried, rsync: float | None, syncthing: float | None, floors: Sequence[Floor]
) -> list[Figure]:
    what = f"{total / 1e9:.1f} GB in large files, synced"
    by_library, by_hand = (total / 1e6 / one.took_s for one in floors)
    return [
        Figure(
            bench="carriage",
            what=what + extra,
            unit="MB/s",
            ours=total / 1e6 / ours.took_s,
            floor=floor,
            peer=total / 1e6 / taken if taken else None,
            peer_name=name,
            target=target,
        )
        for name, taken, floor, extra, target in (
            ("rsync --fsync", rsync, by_library, "; floor: the NATS library", "≥ 0.5 × peer"),
            ("Syncthing", syncthing, by_hand, "; floor: blocking sockets", ""),
        )
    ]


def _processor_figures(total: int, ours: Carried, floor: Floor) -> list[Figure]:
    return [
        Figure(
            bench="carriage",
            what=f"the same: processor time of the {end}; floor: blocking sockets",
            unit="s/GB",
            ours=used_s / total * 1e9,
            floor=floor_s / total * 1e9,
        )
        for end, used_s, floor_s in zip(("hub", "node", "broker"), ours.cpu_s, floor.cpu_s, strict=True)
    ]


def _memory(what: str, mb: float) -> Figure:
    return Figure(bench="carriage", what=what, unit="MB", ours=mb, target="≤ 100")


async def _beside(folder: Path, source: Path, pythons: Pythons) -> tuple[Carried, float | None, float | None]:
    """Run ours and the peers, each into a folder that is new: what was deleted a moment ago slows a disk down."""
    os.sync()
    ours = await carry(folder / f"{source.name}-ours", source, pythons)
    os.sync()
    rsync = await rsync_s(source, folder / f"{source.name}-rsync", folder / "rsyncd")
    os.sync()
    peers = folder / f"{source.name}-syncthing-homes"
    peers.mkdir(parents=True, exist_ok=True)
    syncthing = await syncthing_s(source, folder / f"{source.name}-syncthing", peers)
    return ours, rsync, syncthing


async def _floor(folder: Path, source: Path, how: str) -> Floor:
    os.sync()
    return await bare_carriage(folder, source, how)


class _Ends:
    """A giver that runs, and how a drawer is started beside it."""

    def __init__(self, folder: Path, url: str, authority: Path, giver: Program, python: Path, broker: int) -> None:
        self.folder = folder
        self.giver = giver
        self.broker = broker
        """Its process id."""
        self.command = worker("carriage_ends", "draw", url, authority, folder, folder / "into", python=python)


@asynccontextmanager
async def _ends(folder: Path, source: Path, pythons: Pythons) -> AsyncIterator[_Ends]:
    folder.mkdir(parents=True)
    county = County(folder / "tls")
    config = f"max_payload: {PAYLOAD_BYTES_MAX}\n{county.config}"
    server = NatsServer(folder / "nats", jetstream=None, config=config, environment=broker_environment())
    await server.start()
    url, authority = f"tls://127.0.0.1:{server.port}", county.ca_file
    try:
        giving = worker("carriage_ends", "give", url, authority, folder, source, python=pythons.node.python)
        async with running(*giving, log=folder / "node.log") as giver:
            await giver.heard("ready")
            yield _Ends(folder, url, authority, giver, pythons.hub.python, server.pid)
    finally:
        await server.kill()


async def carry(folder: Path, source: Path, pythons: Pythons) -> Carried:
    async with (
        _ends(folder, source, pythons) as ends,
        running(*ends.command, log=folder / "hub.log") as drawer,
    ):
        node_s, broker_s = ends.giver.cpu_s(), cpu_s(ends.broker)
        took_s, hub_mb, _, hub_s = (await drawer.heard("done")).values
        node_mb = peak_rss_mb(ends.giver.pid)
        used_s = hub_s, ends.giver.cpu_s() - node_s, cpu_s(ends.broker) - broker_s
    return Carried(took_s=took_s, hub_mb=hub_mb, node_mb=node_mb, cpu_s=used_s)


async def _killed(folder: Path, source: Path, pythons: Pythons) -> float:
    """Kill the hub in the middle; return which share of all bytes the line carried twice."""
    total = sum(path.stat().st_size for path in source.iterdir())
    async with _ends(folder / "killed", source, pythons) as ends:
        moved = 0.0
        async with running(*ends.command, log=ends.folder / "hub.log") as drawer:
            while moved < KILLED_AT * total:
                moved, _ = (await drawer.heard("moved")).values
            os.kill(drawer.pid, signal.SIGKILL)
        async with running(*ends.command, log=ends.folder / "hub.log") as drawer:
            began, _ = (await drawer.heard("moved")).values
            await drawer.heard("done")
    shutil.rmtree(folder / "killed", ignore_errors=True)
    return max(0.0, moved - began) / total


def _write_small(folder: Path, count: int) -> None:
    chance = random.Random(3)
    smallest, largest = SMALL_BYTES
    for number in range(count):
        inside = folder / f"{number % 231:03d}"
        inside.mkdir(parents=True, exist_ok=True)
        size = int(smallest * (largest / smallest) ** chance.random())
        (inside / f"{number:05d}.jpg").write_bytes(os.urandom(size))


def _write_large(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        with (folder / f"{number}.tif").open("wb") as file:
            for _ in range(LARGE_BYTES // 2**20):
                file.write(os.urandom(2**20))
